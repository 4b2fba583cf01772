"""A mapping as JSON-compatible values, every limit with status and source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from loihi_onespike.boards.mapping.accounting import RESOURCES
from loihi_onespike.boards.mapping.mapper import Mapping
from loihi_onespike.boards.mapping.placement import PlacedCore


def mapping_document(name: str, mapping: Mapping, objections: Sequence[str]) -> dict[str, object]:
    """The complete report of a mapping.

    Args:
        name: name of the network.
        mapping: its mapping to a board.
        objections: what the independent check objects to.
    """
    board, placement = mapping.placement.board, mapping.placement
    core = board.chip.core
    return {
        "network": name,
        "board": {
            "id": board.id,
            "name": board.name,
            "chip": board.chip.name,
            "chips": board.chips.value,
            "cores": board.cores,
            "convolution": board.chip.accounting.convolution,
        },
        "fits": mapping.fits,
        "cores": len(placement.cores),
        "chips": placement.chips,
        "smallest_board": mapping.smallest_board,
        "packets_between_chips": mapping.crossing_packets,
        "utilisation": {
            resource: {
                "used": used,
                "limit": limit,
                "status": getattr(core, resource).status,
                "source": getattr(core, resource).source,
            }
            for resource, (used, limit) in mapping.utilisation().items()
        },
        "layers": [
            {
                "layer": s.layer.name,
                "shape": list(s.layer.shape),
                "neurons": s.layer.neurons,
                "state_rows": s.layer.state_rows,
                "block": list(s.grid.sizes),
                "cores": len(s.grid),
                "chips": sorted({placement.cores[i].chip for i in placement.by_layer[s.layer.name]}),
                "fullest": {r: int(s.amounts[r].max()) for r in RESOURCES},
            }
            for s in mapping.splits
        ],
        "per_core": [_core_entry(c) for c in placement.cores],
        "violations": [asdict(v) for v in mapping.violations],
        "objections": list(objections),
        "notes": list(mapping.notes),
    }


def _core_entry(core: PlacedCore) -> dict[str, object]:
    return {
        "layer": core.layer,
        "chip": core.chip,
        "core": core.core,
        "low": list(core.block.low),
        "high": list(core.block.high),
        "use": {r: core.use.of(r) for r in RESOURCES},
    }
