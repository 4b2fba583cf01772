"""Remedies for limits that are not kept."""

from __future__ import annotations

from loihi_onespike.boards.mapping.mapped_layer import MappedLayer
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.maps import Conv

WIDTH = "a single neuron with all its inputs does not fit on a core: read fewer inputs"


def remedy(layer: MappedLayer, resource: str, board: Board) -> str:
    """One sentence on what to change in a layer that exceeds a limit however it is split.

    Args:
        layer: The layer.
        resource: The resource that is exceeded, one of `accounting.RESOURCES`.
        board: The board.
    """
    if resource in ("axon_in_words", "synapse_words", "total_words"):
        widest = max(layer.afferents, key=lambda a: a.op.weight_values.size)
        if isinstance(widest.op, Conv):
            return f"{WIDTH} ({widest.name}): fewer input channels, a smaller kernel, or grouped convolution"
        return f"{WIDTH} ({widest.name}): pool before it, or make the layer in front of it narrower"
    if resource == "state_words":
        return f"{layer.state_rows} rows of state per neuron are more than a core of {board.chip.name} holds"
    if resource in ("axon_map_words", "axon_mem_words"):
        return "too many groups of synapses read this layer: put a relay population between"
    return "make the layer smaller"
