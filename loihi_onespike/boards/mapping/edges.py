"""Edges between cores: how many cores each neuron of a layer sends to, for one group of synapses that reads it.

    edges[i_0, i_1, …] = e_0[i_0] · e_1[i_1] · …,   e_d[i] = cuts of the reading layer along axis d that see i

A neuron that a gather reads at several places has one edge to every core that at least one of them reaches. Weights of
0 count: whether a compiler leaves out an edge all of whose weights are 0 is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import BlockGrid
from loihi_onespike.boards.mapping.mapped_layer import Afferent
from loihi_onespike.boards.mapping.targets import axis_targets, target_counts


class CoreEdges:
    """Edges from the neurons of a layer to the cores of one that reads it.

    Args:
        afferent: The group of synapses.
        grid: How the reading layer is cut.
    """

    def __init__(self, afferent: Afferent, grid: BlockGrid) -> None:
        self._axes: list[NDArray[np.int64]] | None = None
        self._neurons: NDArray[np.int64] | None = None
        if afferent.index is None:
            self._axes = _by_axis(afferent, grid)
        else:
            self._neurons = _by_neuron(afferent, np.asarray(afferent.index), grid)

    def packets(self, spikes: NDArray[np.float64] | float) -> float:
        """Packets per image: a spike takes every edge of its neuron.

        Args:
            spikes: Spikes of each neuron of the layer, or one number for all.
        """
        if self._neurons is not None:
            return float((spikes * self._neurons).sum())
        assert self._axes is not None
        if isinstance(spikes, float):
            return spikes * float(np.prod([e.sum() for e in self._axes], dtype=np.float64))
        total = spikes
        for edges in self._axes:
            total = np.tensordot(total, edges, (0, 0))
        return float(total)

    def sums(self, segments: Sequence[Sequence[tuple[int, int]]]) -> NDArray[np.int64]:
        """Edges from every block of the layer.

        Args:
            segments: Where the layer is cut along each axis: (first index, index after the last) of every block.
        """
        if self._axes is not None:
            along = [
                np.array([e[low:high].sum() for low, high in cuts], np.int64)
                for e, cuts in zip(self._axes, segments, strict=True)
            ]
            return reduce(np.multiply.outer, along, np.ones((), np.int64)).astype(np.int64)
        assert self._neurons is not None
        total = self._neurons
        for axis, cuts in enumerate(segments):
            lows, highs = ([c[end] for c in cuts] for end in (0, 1))
            up_to = np.insert(np.cumsum(total, axis=axis), 0, 0, axis=axis)
            total = np.take(up_to, highs, axis=axis) - np.take(up_to, lows, axis=axis)
        return total


def _by_axis(afferent: Afferent, grid: BlockGrid) -> list[NDArray[np.int64]]:
    axes = []
    for axis, size in enumerate(afferent.seen):
        edges = np.zeros(size, np.int64)
        for low, high in grid.segments[axis]:
            edges += axis_targets(afferent.op, afferent.seen, axis, low, high) > 0
        axes.append(edges)
    return axes


def _by_neuron(afferent: Afferent, index: NDArray[np.integer], grid: BlockGrid) -> NDArray[np.int64]:
    edges = np.zeros(afferent.pre_shape, np.int64).ravel()
    if not afferent.reads_twice:
        of_places = reduce(np.multiply.outer, _by_axis(afferent, grid), np.ones((), np.int64))
        edges[index[index >= 0]] = of_places[index >= 0]
        return edges.reshape(afferent.pre_shape)
    for block in grid:
        counts = target_counts(afferent.op, afferent.seen, block)
        read = index[np.ix_(*(np.flatnonzero(c) for c in counts))]
        edges[np.unique(read[read >= 0])] += 1
    return edges.reshape(afferent.pre_shape)
