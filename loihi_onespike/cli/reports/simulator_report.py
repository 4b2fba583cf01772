"""The part of the report of `onespike profile` that a simulator of another project gives."""

from __future__ import annotations

from rich.console import Console

from loihi_onespike.boards.energy.figures import energy_text
from loihi_onespike.boards.sanafe import SanafeComparison
from loihi_onespike.cli.terminal.output import show_table


def show_comparison(console: Console, comparison: SanafeComparison) -> None:
    """Print SANA-FE's figures beside the estimate, the energy of every core, and why figures differ.

    Args:
        console: where it is printed.
        comparison: the figures.
    """
    run, document = comparison.updated, comparison.document()
    title = (
        f"Per image, simulated by {document['simulator']} on its Loihi and estimated (silent neurons idle to updated)"
    )
    rows = [(row.name, *row.text) for row in comparison.rows]
    show_table(console, title, ("", "SANA-FE", "estimate"), rows)
    cores = [
        (core.layer, core.core, core.block.neurons, energy_text(low), energy_text(high))
        for core, low, high in zip(
            run.placed.placement.cores,
            comparison.idle.core_energy_nj.tolist(),
            run.core_energy_nj.tolist(),
            strict=True,
        )
    ]
    columns = ("layer", "core", "neurons", "idle", "updated")
    show_table(console, "Energy of every core per image, by SANA-FE, without hops between tiles", columns, cores)
    equal = "equal" if not comparison.unequal else f"not equal in {', '.join(comparison.unequal)}"
    console.print(f"Where SANA-FE and the estimate differ (counts are {equal})", style="bold")
    for line in comparison.differences:
        console.print(f"  {line}", markup=False)
    console.print()
