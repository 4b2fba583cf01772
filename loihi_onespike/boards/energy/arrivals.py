"""When the spikes of one group of synapses arrive, and how many synaptic operations they cause on a block of neurons.

A spike at phase k of a population causes synaptic operations on the cores of its targets in step

    s = start(pre) + wait(pre) + k + 1 + axon_delay   (modulo period, the first step being step 1)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent
from loihi_onespike.boards.mapping.targets import target_counts
from loihi_onespike.core.graphs.network import Network, Readout


class Arrivals:
    """Spikes of one group of synapses on their way to the layer that it reaches.

    Args:
        network: The network.
        afferent: The group.
        activity: Measured spikes.

    Attributes:
        steps: (T,) step of the period in which spikes of phase 1, 2, …, T arrive, counted from 0.
    """

    def __init__(self, network: Network, afferent: Afferent, activity: Activity) -> None:
        pre = network.by_name[afferent.pre]
        assert not isinstance(pre, Readout)
        self._afferent = afferent
        self._seen = _seen(afferent, activity.mean(afferent.pre))
        first = network.starts[pre.name] + pre.wait + 1 + afferent.axon_delay
        self.steps: NDArray[np.int64] = (first + np.arange(len(self._seen))) % network.period_steps

    def onto(self, block: Block) -> tuple[NDArray[np.float64], tuple[NDArray[np.int64], ...]]:
        """(T,) synaptic operations of each phase on a block, and the places with targets there, along each axis.

        Targets are a product over the axes, so the sum over places is one contraction per axis, the last one first.

        Args:
            block: Neurons of the layer that the group reaches.
        """
        counts = target_counts(self._afferent.op, self._afferent.seen, block)
        places = tuple(np.flatnonzero(c) for c in counts)
        box = (slice(None), *_box(places))  # of all phases
        total = self._seen[box]
        for count in reversed(counts):
            total = total @ count[count > 0].astype(np.float64)
        return total, places


def _seen(afferent: Afferent, spikes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, *what the map reads) spikes per image."""
    if afferent.index is None:
        return spikes
    index = np.asarray(afferent.index)
    flat = spikes.reshape(len(spikes), -1)
    seen = flat[:, np.maximum(index, 0)]
    seen[:, index < 0] = 0.0
    return seen


def _box(places: tuple[NDArray[np.int64], ...]) -> tuple[Any, ...]:
    """Index of a box of places: slices where each axis has a range of them, which copy nothing."""
    if all(len(axis) and axis[-1] - axis[0] + 1 == len(axis) for axis in places):
        return tuple(slice(int(axis[0]), int(axis[-1]) + 1) for axis in places)
    return np.ix_(*places)
