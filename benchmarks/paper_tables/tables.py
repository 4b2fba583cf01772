"""The experiment of each table, with the settings of the paper as defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.paper_tables.accuracy import float_table, int8, single_spike_input
from benchmarks.paper_tables.codes import fig6
from benchmarks.paper_tables.experiment import Experiment
from benchmarks.paper_tables.layers import fig7
from benchmarks.paper_tables.plots import plot_curves, plot_layers
from benchmarks.paper_tables.sweep import sweep
from benchmarks.paper_tables.table import Table
from benchmarks.paper_tables.waits import waits
from loihi_onespike.errors import ConfigurationError

FLOAT_TABLES = {
    "table1": "Table I: accuracy (the paper: CIFAR-10)",
    "table2": "Table II: accuracy (the paper: CIFAR-100)",
    "table3": "Table III: accuracy (the paper: ImageNet)",
    "table4": "Table IV: accuracy and energy efficiency α (Eq. 6)",
}
TABLES = ("fig6", "fig7", "fig8", "fig9", *FLOAT_TABLES, "table5", "table6", "table7", "table8")
CURVES: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "fig8": ("Q", ("SNN",), "T"),
    "fig9": ("Q", ("MAPE % (Eq. 5)", "loss pp"), "T"),
    "table8": ("wait", ("SNN",), "method"),
}
"""Plots of tables: column of x, columns of y, column whose values get a line each."""
SWEPT_TIMESTEPS = {"fig8": (8, 12, 16, 20, 24), "fig9": (16,)}
SWEPT_BASES = (1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0)
PAPER_BASES = {16: 1.3, 24: 1.2}


@dataclass(frozen=True)
class Asked:
    """Settings of the command line; for empty ones those of the paper are taken.

    Attributes:
        timesteps, bases, waits: values; several where the experiment covers several.
        plot: file for a plot.
    """

    timesteps: tuple[int, ...] = ()
    bases: tuple[float, ...] = ()
    waits: tuple[int, ...] = ()
    plot: Path | None = None

    @property
    def one(self) -> tuple[int, float]:
        """T and Q of an experiment with one setting, by default 16 and 1.3, and for T = 24 Q = 1.2.

        Raises:
            ConfigurationError: several values were given, or no base for another T.
        """
        if len(self.timesteps) > 1 or len(self.bases) > 1:
            raise ConfigurationError(
                f"--timesteps, --base: must be one value each, got {len(self.timesteps)} and {len(self.bases)}; only "
                "fig6, fig8 and fig9 take several"
            )
        timesteps = self.timesteps[0] if self.timesteps else 16
        if not self.bases and timesteps not in PAPER_BASES:
            raise ConfigurationError(
                f"--base: required for T={timesteps}, got none; the paper has bases for T=16 and T=24"
            )
        return timesteps, self.bases[0] if self.bases else PAPER_BASES[timesteps]


def check_plot(table: str, plot: Path | None) -> None:
    """Check that a table can be drawn.

    Raises:
        ConfigurationError: a plot is asked for, and the table has none.
    """
    drawn = ("fig6", "fig7", *CURVES)
    if plot is not None and table not in drawn:
        raise ConfigurationError(f"--plot: table must be {', '.join(drawn)}, got {table}")


def code_table(asked: Asked) -> Table:
    """Fig. 6, with its plot where one is asked for."""
    timesteps = asked.timesteps or tuple(PAPER_BASES)
    table = fig6(timesteps, asked.bases)
    if asked.plot is not None:
        plot_curves(table, "base", tuple(f"MAPE % T={t}" for t in timesteps), None, asked.plot)
    return table


def table_of(name: str, experiment: Experiment, asked: Asked) -> Table:
    """Any of TABLES except fig6 and table5, with its plot where one is asked for.

    Args:
        name: name of the table.
        experiment: model and data.
        asked: settings.
    """
    if name == "fig7":
        table, values = fig7(experiment, *asked.one)
        if asked.plot is not None:
            plot_layers(values, asked.plot)
        return table
    table = _computed(name, experiment, asked)
    if asked.plot is not None:
        plot_curves(table, *CURVES[name], asked.plot)
    return table


def _computed(name: str, experiment: Experiment, asked: Asked) -> Table:
    if name in SWEPT_TIMESTEPS:
        title = {"fig8": "Fig. 8: accuracy by base and timesteps", "fig9": "Fig. 9: loss and Eq. 5 by base"}[name]
        return sweep(experiment, asked.timesteps or SWEPT_TIMESTEPS[name], asked.bases or SWEPT_BASES, title)
    if name == "table6":
        return int8(experiment, *asked.one)
    if name == "table7":
        return single_spike_input(experiment, *asked.one)
    if name == "table8":
        return waits(experiment, *asked.one, asked.waits)
    return float_table(experiment, *asked.one, FLOAT_TABLES[name])
