"""Table of what every population costs, in both accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from loihi_onespike.evaluation.population_cost import PopulationCost


def show_costs(
    console: Console, costs: Sequence[PopulationCost], title: str, error_shares: Mapping[str, float] | None = None
) -> None:
    """Print a row per population.

    Args:
        console: where it is printed.
        costs: costs of the populations.
        title: heading of the table.
        error_shares: share of every population in the error of the output, for a column of its own.
    """
    from loihi_onespike.boards.energy.figures import energy_text
    from loihi_onespike.cli.terminal.output import show_table

    with_energy = any(cost.energy_nj is not None for cost in costs)
    headings = ["population", "spikes per neuron", "synaptic operations", "additions in α", "updates"]
    headings += ["energy"] if with_energy else []
    headings += ["share of the error"] if error_shares is not None else []
    rows = []
    for cost in costs:
        row = [cost.name, f"{cost.spikes_per_neuron:.3f}", f"{cost.synaptic_operations:,.0f}"]
        row += ["" if cost.additions is None else f"{cost.additions:,.0f}", f"{cost.updates:,}"]
        row += ["" if cost.energy_nj is None else energy_text(cost.energy_nj)] if with_energy else []
        if error_shares is not None:
            share = error_shares.get(cost.name)
            row.append("" if share is None else f"{100 * share:.1f} %")
        rows.append(tuple(row))
    show_table(console, title, tuple(headings), rows)
