"""Which table is made by what, with the paper's settings where none are given."""

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
"""What is drawn: column of x, columns of y, column that tells the lines apart."""
SWEPT_TIMESTEPS = {"fig8": (8, 12, 16, 20, 24), "fig9": (16,)}
SWEPT_BASES = (1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0)
PAPER_BASES = {16: 1.3, 24: 1.2}


@dataclass(frozen=True)
class Asked:
    """Settings that were given, empty where the paper's are meant.

    Attributes:
        timesteps, bases, waits: values; more than one where the experiment goes through them.
        plot: file for a picture.
    """

    timesteps: tuple[int, ...] = ()
    bases: tuple[float, ...] = ()
    waits: tuple[int, ...] = ()
    plot: Path | None = None

    @property
    def one(self) -> tuple[int, float]:
        """T and Q of an experiment at one setting: 16 and 1.3; 1.2 for 24 steps."""
        if len(self.timesteps) > 1 or len(self.bases) > 1:
            raise ConfigurationError(
                f"--timesteps, --base: found {len(self.timesteps)} and {len(self.bases)} values, supported one of each "
                "here; several with fig6, fig8 and fig9"
            )
        timesteps = self.timesteps[0] if self.timesteps else 16
        if not self.bases and timesteps not in PAPER_BASES:
            raise ConfigurationError(f"--base: found none for T={timesteps}; the paper has one for 16 and for 24 steps")
        return timesteps, self.bases[0] if self.bases else PAPER_BASES[timesteps]


def check_plot(table: str, plot: Path | None) -> None:
    """Raises ConfigurationError where there is nothing to draw."""
    drawn = ("fig6", "fig7", *CURVES)
    if plot is not None and table not in drawn:
        raise ConfigurationError(f"--plot: found with {table}, supported with {', '.join(drawn)}")


def code_table(asked: Asked) -> Table:
    """Fig. 6, with its picture."""
    timesteps = asked.timesteps or tuple(PAPER_BASES)
    table = fig6(timesteps, asked.bases)
    if asked.plot is not None:
        plot_curves(table, "base", tuple(f"MAPE % T={t}" for t in timesteps), None, asked.plot)
    return table


def table_of(name: str, experiment: Experiment, asked: Asked) -> Table:
    """One of TABLES other than fig6 and table5, with its picture where one is asked for."""
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
