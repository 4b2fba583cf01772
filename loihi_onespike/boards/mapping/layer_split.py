"""Splitting of one layer over cores: every axis is halved until all limits are kept.

Channels are split no further than the kernel demands, because every channel block receives all spikes of the layer
before. Then the grid with the fewest cores is chosen; among equals, the one whose columns are halved once or twice more
often than its rows, as Lava's compiler does. This reproduces the number of cores of every convolution in the partition
tables of YOLO-KP and PilotNet [C] (docs/mapping.md).

Where halving leaves every core half empty, because the block twice as large misses a limit by little, the rows, and the
columns where their number need not be a power of two, are cut into equal parts of any number instead. So is a layer
that takes more cores than it needs, to be faster (`finer_split`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from math import log2, prod

import numpy as np

from loihi_onespike.boards.mapping.accounting import CoreUse, LayerAccount, Reader, Uses, exceeded
from loihi_onespike.boards.mapping.block import BlockGrid, equal_parts, halvings, list_halvings, powers_of_two
from loihi_onespike.boards.mapping.mapped_layer import MappedLayer
from loihi_onespike.boards.specification.spec import Chip, CoreLimits

GROWS_WITH_SPACE = ("neurons", "state_words", "axon_map_words", "axon_mem_words", "input_lists", "fan_out_edges")
"""Resources of a convolution that a block takes more of, the more places it has."""
GROWS_AS_LISTS = ("synapse_words", "axon_in_words", "total_words")
"""Further ones where its synapses are lists."""


@dataclass(frozen=True, eq=False)
class LayerSplit:
    """A layer on cores of its own.

    Attributes:
        layer: The layer.
        grid: Its blocks.
        amounts: What the blocks take, as arrays.
        exceeded: (resource, found, limit) of limits that even a single neuron per core exceeds; empty when the layer
            fits.
    """

    layer: MappedLayer
    grid: BlockGrid
    amounts: Uses
    exceeded: tuple[tuple[str, int, int], ...]

    @cached_property
    def uses(self) -> tuple[CoreUse, ...]:
        """What each block takes, in the order of the grid; equal ones are the same object."""
        shape = self.amounts["neurons"].shape
        columns = [np.broadcast_to(self.amounts[f.name], shape).ravel() for f in fields(CoreUse)]
        made: dict[tuple[int, ...], CoreUse] = {}
        return tuple(made.setdefault(key, CoreUse(*key)) for key in zip(*(c.tolist() for c in columns), strict=True))


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
    account = LayerAccount(layer, readers, chip)
    smallest = BlockGrid(layer.shape, tuple(1 for _ in layer.shape))
    hopeless = exceeded(account.uses(smallest.middle), chip.core)
    aside = {resource for resource, _, _ in hopeless}
    found = _first_that_fits(_grids(layer, chip), account, chip.core, aside)
    if found is None:
        # Another block than the middle one may hold more (rows of a sparse map): nothing is left to halve.
        uses = account.uses(smallest.segments)
        return LayerSplit(layer, smallest, uses, tuple(exceeded(uses, chip.core)))
    if layer.convolutional and _half_empty(found[1], account, chip.core, aside):
        better = _first_that_fits(_parts(layer, found[0], account.kernels), account, chip.core, aside)
        found = found if better is None else better
    grid, uses = found
    return LayerSplit(layer, grid, uses, tuple(hopeless))


def finer_split(layer: MappedLayer, readers: Sequence[Reader], chip: Chip, least: int) -> LayerSplit | None:
    """Find the best grid with at least so many cores that keeps all limits.

    Args:
        layer: The layer to split.
        readers: The groups of synapses that read the layer.
        chip: The chip, with its limits.
        least: Number of cores.

    Returns:
        The grid with the fewest blocks of channels, among those the one with the fewest cores, and what its blocks
        take; None where no grid has so many cores and fits.
    """
    account = LayerAccount(layer, readers, chip)
    found = _first_that_fits(_finer_grids(layer, account.kernels, least), account, chip.core, set())
    return None if found is None else LayerSplit(layer, *found, ())


def _first_that_fits(
    grids: Iterable[BlockGrid], account: LayerAccount, limits: CoreLimits, aside: set[str]
) -> tuple[BlockGrid, Uses] | None:
    """The first grid all of whose blocks fit, and what they take."""

    def fits(uses: Uses) -> bool:
        return all(resource in aside for resource, _, _ in exceeded(uses, limits))

    for grid in grids:
        if fits(account.uses(grid.middle)):
            uses = account.uses(grid.segments)
            if fits(uses):
                return grid, uses
    return None


def _half_empty(uses: Uses, account: LayerAccount, limits: CoreLimits, aside: set[str]) -> bool:
    """Whether no core holds more than half of what a larger block would take more of."""
    resources = GROWS_WITH_SPACE + (() if account.shares_a_kernel else GROWS_AS_LISTS)
    checked = ((int(uses[r].max()), getattr(limits, r).value) for r in resources if r not in aside)
    return uses["neurons"].size > 1 and all(2 * found <= limit + 1 for found, limit in checked if limit is not None)


def _grids(layer: MappedLayer, chip: Chip) -> list[BlockGrid]:
    """All grids by halving, the best first."""
    shape = layer.shape
    if not shape:
        return [BlockGrid((), ())]
    if layer.convolutional:
        columns = powers_of_two if chip.accounting.kernels else halvings
        options = [*(halvings(n) for n in shape[:-1]), columns(shape[-1])]
    elif len(shape) == 1:
        options = [list_halvings(shape[0])]
    else:
        options = [halvings(n) for n in shape]
    # Grids that could not hold the neurons need no closer look.
    room = min((q.value for q in (chip.core.neurons, chip.core.state_words) if q.value is not None), default=None)
    chosen = [s for s in itertools.product(*options) if room is None or prod(s) <= 2 * room or prod(s) == 1]
    return sorted((BlockGrid(shape, s) for s in chosen), key=lambda g: _preference(layer, g))


def _finer_grids(layer: MappedLayer, kernels: bool, least: int) -> list[BlockGrid]:
    """Grids with at least so many cores, the best first: channels are halved, the other axes cut into equal parts."""
    shape = layer.shape
    if layer.convolutional:
        columns = powers_of_two if kernels else equal_parts
        options = [halvings(shape[0]), *(equal_parts(n) for n in shape[1:-1]), columns(shape[-1])]
    else:
        options = [equal_parts(n) for n in shape]
    grids = (BlockGrid(shape, sizes) for sizes in itertools.product(*options))
    return sorted((g for g in grids if len(g) >= least), key=lambda g: _preference(layer, g))


def _parts(layer: MappedLayer, halved: BlockGrid, kernels: bool) -> list[BlockGrid]:
    """Grids with fewer cores than a halved one and the same channels on a core, the best first."""
    columns = powers_of_two if kernels else equal_parts
    options = [*(equal_parts(n) for n in layer.shape[1:-1]), columns(layer.shape[-1])]
    grids = (BlockGrid(layer.shape, (halved.sizes[0], *sizes)) for sizes in itertools.product(*options))
    return sorted((g for g in grids if len(g) < len(halved)), key=lambda g: _preference(layer, g))


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
