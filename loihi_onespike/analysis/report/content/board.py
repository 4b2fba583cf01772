"""Sections on the board: where every population lies, and what time and energy an image takes there."""

from __future__ import annotations

from typing import Any

from loihi_onespike.analysis.report.content.measured_spikes import MeasuredSpikes
from loihi_onespike.analysis.report.content.subject import Section, missing
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.energy.estimate_document import estimate_document
from loihi_onespike.boards.energy.fill_chips import map_measured
from loihi_onespike.boards.mapping import Mapping, check_placement
from loihi_onespike.boards.mapping.mapping_document import mapping_document
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.errors import DeploymentError

MOST_CORES = 20_000
"""Cores that the map shows."""


def board_sections(measured: MeasuredSpikes, board: Board, fill: bool) -> tuple[Section, Section]:
    """Placement, and estimate of time and energy; both are left out where the chip cannot run the network.

    Args:
        measured: the run, whose spikes place the cores and give the work of an image.
        board: the board.
        fill: whether slow layers take cores that are idle on the chips in use.
    """
    network, activity = measured.network, measured.activity
    try:
        mapping = map_measured(network, board, activity, fill)
    except DeploymentError as error:
        left_out = missing(f"{error}. Name another board with --board.")
        return left_out, left_out
    estimate = estimate_board(network, mapping, activity)
    document = mapping_document(network.name, mapping, check_placement(network, mapping.placement))
    del document["per_core"]
    return {**document, "cores_shown": _cores(mapping)}, estimate_document(estimate)


def _cores(mapping: Mapping) -> dict[str, Any]:
    """The cores column by column; `share` is the largest share of a limit that a core uses."""
    placement = mapping.placement
    limits = {r: limit for r, (_, limit) in mapping.utilisation().items() if limit}
    names = list(placement.shapes)
    cores = placement.cores[:MOST_CORES]
    shares = [max(((c.use.of(r) / limit, r) for r, limit in limits.items()), default=(0.0, "")) for c in cores]
    return {
        "usable_per_chip": placement.board.usable_cores_per_chip.value,
        "left_out": len(placement.cores) - len(cores),
        "layers": names,
        "layer": [names.index(c.layer) for c in cores],
        "chip": [c.chip for c in cores],
        "core": [c.core for c in cores],
        "neurons": [c.use.neurons for c in cores],
        "synapse_words": [c.use.synapse_words for c in cores],
        "share": [round(share, 4) for share, _ in shares],
        "fullest": [resource for _, resource in shares],
    }
