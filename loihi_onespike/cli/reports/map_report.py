"""The report of `onespike map` as text."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

from rich.console import Console

from loihi_onespike.cli.terminal.output import show_facts, show_table

if TYPE_CHECKING:
    from loihi_onespike.boards.mapping import Mapping, PlacedCore

UNKNOWN = "unknown"
SOURCE_WIDTH = 70
"""Characters of a source in the text report; the JSON document has all of it."""
TITLES = {
    "neurons": "neurons",
    "neuron_groups": "groups",
    "state_words": "state",
    "synapse_words": "synapses",
    "axon_in_words": "axon in",
    "axon_map_words": "axon map",
    "axon_mem_words": "axon mem",
    "total_words": "total",
    "input_lists": "lists in",
    "fan_out_edges": "edges out",
}


def _columns(mapping: Mapping) -> dict[str, str]:
    """Columns of the tables, without neuron groups, of which a core holds one, and what the chip has no limit of."""
    core = mapping.placement.board.chip.core
    limits = {r: getattr(core, r) for r in TITLES if r != "neuron_groups"}
    return {r: TITLES[r] for r, limit in limits.items() if limit.known or not limit.source}


def show_mapping(console: Console, name: str, mapping: Mapping, objections: Sequence[str], per_core: bool) -> None:
    """Print the report as text.

    Args:
        console: where it is printed.
        name: name of the network.
        mapping: its mapping to a board.
        objections: what the independent check objects to.
        per_core: whether to list every core.
    """
    board, placement = mapping.placement.board, mapping.placement
    facts = [
        ("board", f"{board.name}: {board.chips} × {board.chip.name}, {board.cores} cores"),
        ("convolutions as", board.chip.accounting.convolution),
        ("fits", "yes" if mapping.fits else "no"),
        ("cores", f"{len(placement.cores)} of {board.cores}"),
        ("chips", f"{placement.chips} of {board.chips}"),
        ("smallest board that fits", mapping.smallest_board or "none"),
        ("between chips", f"{mapping.crossing_packets:.0f} packets per image, if every neuron sends its spike"),
    ]
    show_facts(console, name, facts)
    rows = []
    for resource, (used, limit) in mapping.utilisation().items():
        quantity = getattr(board.chip.core, resource)
        absent = not quantity.known and quantity.source
        share = (None if absent else UNKNOWN) if not limit else f"{100 * used / limit:.2f} %"
        rows.append(
            (
                resource,
                shorten(f"{quantity.status}: {quantity.source}", SOURCE_WIDTH, placeholder=" …").rstrip(": "),
                used,
                "none" if absent else quantity,
                share,
            )
        )
    show_table(console, "Fullest core", ("resource", "source of the limit", "used", "limit", "share"), rows, left=2)
    shown = _columns(mapping)
    columns = ("layer", "shape", "block", "cores", "chips", *shown.values())
    show_table(
        console,
        "Layers (words of 64 bits on the fullest core)",
        columns,
        [_layer_row(mapping, i) for i in range(len(mapping.splits))],
        left=3,
    )
    if per_core:
        cells = [(c.layer, _range_of(c), c.chip, c.core, *(c.use.of(r) for r in shown)) for c in placement.cores]
        show_table(console, "Cores", ("layer", "neurons from to", "chip", "core", *shown.values()), cells, left=2)
    for title, lines in (
        ("Limits that are exceeded", [str(v) for v in mapping.violations]),
        ("Objections of the independent check", list(objections)),
        ("Notes", list(mapping.notes)),
    ):
        if lines:
            console.print(title, style="bold")
            for line in lines:
                console.print(f"  {line}", markup=False)
            console.print()


def _layer_row(mapping: Mapping, number: int) -> tuple[object, ...]:
    split = mapping.splits[number]
    chips = {mapping.placement.cores[i].chip for i in mapping.placement.by_layer[split.layer.name]}
    fullest = [int(split.amounts[r].max()) for r in _columns(mapping)]
    return (
        split.layer.name,
        _shape(split.layer.shape),
        _shape(split.grid.sizes),
        len(split.grid),
        len(chips),
        *fullest,
    )


def _range_of(core: PlacedCore) -> str:
    return ", ".join(f"{a}:{b}" for a, b in zip(core.block.low, core.block.high, strict=True))


def _shape(shape: Sequence[int]) -> str:
    """A shape without blanks, to leave room for the numbers."""
    return "×".join(str(n) for n in shape)
