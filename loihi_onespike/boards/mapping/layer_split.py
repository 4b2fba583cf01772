"""Splitting of one layer over cores: every axis is halved until all limits are kept.

Channels are split no further than the kernel demands, because every channel block receives all spikes of the layer
before. Then the grid with the fewest cores is chosen; among equals, the one whose columns are halved once or twice more
often than its rows, as Lava's compiler does. This reproduces the number of cores of every convolution in the partition
tables of YOLO-KP and PilotNet [C] (docs/mapping.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, prod

from loihi_onespike.boards.mapping.accounting import CoreUse, Reader, core_use, exceeded
from loihi_onespike.boards.mapping.block import BlockGrid, halvings, list_halvings, powers_of_two
from loihi_onespike.boards.mapping.mapped_layer import MappedLayer
from loihi_onespike.boards.specification.spec import Chip


@dataclass(frozen=True)
class LayerSplit:
    """A layer on cores of its own.

    Attributes:
        layer: The layer.
        grid: Its blocks.
        uses: What each block takes, in the order of the grid.
        exceeded: (resource, found, limit) of limits that even a single neuron per core exceeds; empty when the layer
            fits.
    """

    layer: MappedLayer
    grid: BlockGrid
    uses: tuple[CoreUse, ...]
    exceeded: tuple[tuple[str, int, int], ...]


def split_layer(layer: MappedLayer, readers: Sequence[Reader], chip: Chip) -> LayerSplit:
    """Find the best grid that keeps all limits.

    A limit that even a single neuron exceeds is set aside and reported; the other limits still determine the grid.

    Args:
        layer: The layer to split.
        readers: The groups of synapses that read the layer.
        chip: The chip, with its limits.

    Returns:
        The grid and what its blocks take.
    """
    smallest = BlockGrid(layer.shape, tuple(1 for _ in layer.shape))
    hopeless = exceeded(core_use(layer, smallest.middle, readers, chip), chip.core)
    aside = {resource for resource, _, _ in hopeless}
    for grid in _grids(layer, chip):
        uses = _uses(layer, grid, readers, chip, aside)
        if uses is not None:
            return LayerSplit(layer, grid, uses, tuple(hopeless))
    # Another block than the middle one may hold more (rows of a sparse map): nothing is left to halve.
    uses = tuple(core_use(layer, b, readers, chip) for b in smallest)
    return LayerSplit(layer, smallest, uses, _exceeded_by(uses, chip))


def _exceeded_by(uses: Sequence[CoreUse], chip: Chip) -> tuple[tuple[str, int, int], ...]:
    """(resource, largest found, limit) over several cores."""
    worst: dict[str, tuple[str, int, int]] = {}
    for use in uses:
        for resource, found, limit in exceeded(use, chip.core):
            before = worst.get(resource, (resource, 0, limit))
            worst[resource] = (resource, max(found, before[1]), limit)
    return tuple(worst.values())


def _uses(
    layer: MappedLayer, grid: BlockGrid, readers: Sequence[Reader], chip: Chip, aside: set[str]
) -> tuple[CoreUse, ...] | None:
    """What all blocks take; None as soon as one does not fit."""

    def fits(use: CoreUse) -> bool:
        return all(resource in aside for resource, _, _ in exceeded(use, chip.core))

    if not fits(core_use(layer, grid.middle, readers, chip)):
        return None
    uses = []
    for block in grid:
        use = core_use(layer, block, readers, chip)
        if not fits(use):
            return None
        uses.append(use)
    return tuple(uses)


def _grids(layer: MappedLayer, chip: Chip) -> list[BlockGrid]:
    """All grids, the best first."""
    shape = layer.shape
    if not shape:
        return [BlockGrid((), ())]
    if layer.convolutional:
        columns = powers_of_two if chip.accounting.shared_convolution.value else halvings
        options = [*(halvings(n) for n in shape[:-1]), columns(shape[-1])]
    elif len(shape) == 1:
        options = [list_halvings(shape[0])]
    else:
        options = [halvings(n) for n in shape]
    # Grids that could not hold the neurons need no closer look.
    room = min((q.value for q in (chip.core.neurons, chip.core.state_words) if q.value is not None), default=None)
    chosen = [s for s in itertools.product(*options) if room is None or prod(s) <= 2 * room or prod(s) == 1]
    return sorted((BlockGrid(shape, s) for s in chosen), key=lambda g: _preference(layer, g))


def _preference(layer: MappedLayer, grid: BlockGrid) -> tuple[object, ...]:
    counts = grid.counts
    if not layer.convolutional:
        return (len(grid), counts[::-1], grid.sizes)
    halved = [log2(c) for c in counts]
    uneven = abs(halved[-1] - sum(halved[1:-1]) - 1.5) if len(counts) > 2 else 0.0
    return (counts[0], len(grid), uneven, grid.sizes)


def channel_blocks(grid: BlockGrid) -> int:
    """Number of blocks along the first axis."""
    return grid.counts[0] if grid.shape else 1
