"""The report of `onespike profile`."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loihi_onespike.boards.energy.account import EnergyAccount
from loihi_onespike.boards.energy.estimate import BoardEstimate
from loihi_onespike.boards.energy.estimate_document import estimate_document as profile_document
from loihi_onespike.boards.energy.figures import Figure
from loihi_onespike.cli.terminal.output import show_facts, show_table

__all__ = ["profile_document", "show_profile"]


def show_profile(console: Console, estimate: BoardEstimate, data: str) -> None:
    """Print the estimate as tables with the source beside every figure.

    Args:
        console: where it is printed.
        estimate: time and energy on a board.
        data: name of the data whose spikes were counted.
    """
    time = estimate.time
    at_least = "at least " if time.left_out else ""
    at_most = "at most " if time.left_out else ""
    chips = f"{estimate.chips} chip{'s' * (estimate.chips != 1)}"
    facts = [
        (
            "board",
            f"{estimate.board} ({estimate.chip}): {estimate.cores} cores, {chips}",
        ),
        ("spikes", f"counted over {estimate.images} images of {data}"),
        ("images per second", f"{at_most}{estimate.images_per_s}, one every {estimate.period_steps} steps"),
        ("time between images", f"{at_least}{estimate.image_us}"),
        ("latency", f"{at_least}{estimate.latency_us}, {estimate.latency_steps} steps"),
        ("step", f"{at_least}{estimate.step_us} on average, most of it {time.bound_by}"),
    ]
    show_facts(console, f"{estimate.network}: estimated from public tables, not measured", facts)
    rows = [(f.name, f"{f.value:,.0f}", _sourced(f)) for f in estimate.counts]
    _show_sourced(console, "Counts per image", "count", rows)
    prices = [(p.name, str(p), _sourced(p)) for p in time.prices]
    prices += [(name, "unknown", "NF: not found in public") for name in time.left_out]
    _show_sourced(console, "Prices of time", "price", prices)
    for account in estimate.accounts:
        _show_account(console, account)
    layers = [
        (
            y.name,
            y.neurons,
            y.cores,
            f"{y.spikes:,.0f}",
            f"{y.synaptic_operations:,.0f}",
            f"{y.updates:,.0f}",
            f"{y.busiest_ns / 1e3:,.2f}",
            None if y.dynamic_nj is None else f"{y.dynamic_nj:,.1f}",
            y.instructions,
        )
        for y in estimate.layers
    ]
    columns = ("layer", "neurons", "cores", "spikes", "synops", "updates", "slowest µs", "dynamic nJ", "instructions")
    title = f"Layers, per image (dynamic energy: {estimate.best_account.table}; instructions: most per neuron and step)"
    show_table(console, title, columns, layers)
    for heading, lines in (("When the SNN loses", estimate.sentences), ("Notes", estimate.notes)):
        console.print(heading, style="bold")
        for line in lines:
            console.print(f"  {line}", markup=False)
        console.print()


def _show_account(console: Console, account: EnergyAccount) -> None:
    figures = [account.synaptic, account.updates, account.hops, account.static_low]
    if account.static_high is not account.static_low:
        figures.append(account.static_high)
    rows = [(f.name, str(f), _sourced(f)) for f in figures]
    low, high = account.low, account.high
    rows.append(("total", str(low) if low.value == high.value else f"{low} to {high}", "sum of the above"))
    _show_sourced(console, f"Energy per image: {account.table}", "energy", rows)


def _show_sourced(console: Console, title: str, column: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print figures with their sources; long sources are wrapped."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column(column, justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(title, style="bold", markup=False)
    console.print(table)
    console.print()


def _sourced(figure: Figure) -> str:
    return f"{figure.status}: {figure.source}" if figure.source else figure.status
