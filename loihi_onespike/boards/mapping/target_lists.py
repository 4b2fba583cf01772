"""Lists of targets: how many input axons of a group of synapses have how many targets in a block.

Blocks that see the same pattern of their input have the same lists. `signature` names this pattern along one axis, so
that a grid of thousands of blocks takes a few counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent
from loihi_onespike.boards.mapping.targets import Places, axis_targets, joined_taps, nonzero_targets

Histogram = tuple[tuple[int, int], ...]
"""(targets, axons with as many targets), in ascending order of targets."""


class TargetLists:
    """The lists of one group of synapses.

    Args:
        afferent: The group.
        zeros: Weights of 0 are entries of the lists.
    """

    def __init__(self, afferent: Afferent, zeros: bool) -> None:
        self.afferent, self.op, self.seen = afferent, afferent.op, afferent.seen
        self.index = None if afferent.reads_all else np.asarray(afferent.index)
        self.exact = not zeros and afferent.has_zero_weights
        self._along: dict[tuple[int, int, int], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._signatures: dict[tuple[int, int, int], Hashable] = {}
        self._histograms: dict[tuple[Hashable, ...], Histogram] = {}

    def along(self, axis: int, low: int, high: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places along an axis that have stored weights onto outputs low ≤ o < high, and the factor of each.

        Args:
            axis: The axis.
            low, high: First output of the block along the axis, and the one after the last.
        """
        key = (axis, low, high)
        if key not in self._along:
            counts = axis_targets(self.op, self.seen, axis, low, high)
            places = np.flatnonzero(counts)
            self._along[key] = (places, counts[places])
        return self._along[key]

    def signature(self, axis: int, low: int, high: int) -> Hashable:
        """What the lists of a block depend on along an axis: equal signatures on all axes mean equal lists.

        Args:
            axis: The axis.
            low, high: First output of the block along the axis, and the one after the last.
        """
        key = (axis, low, high)
        if key not in self._signatures:
            self._signatures[key] = self._signature(*key)
        return self._signatures[key]

    def _signature(self, axis: int, low: int, high: int) -> Hashable:
        places, counts = self.along(axis, low, high)
        if self.index is not None:
            return low, high
        if not self.exact:
            return tuple(zip(*(v.tolist() for v in np.unique(counts, return_counts=True)), strict=True))
        joined = joined_taps(self.op, self.seen, axis, low, high)
        return (low, high) if joined is None else (len(places), joined[:, places].tobytes())

    def histogram(self, block: Block) -> Histogram:
        """The lists of a block."""
        ranges = list(zip(range(len(self.seen)), block.low, block.high, strict=True))
        key = tuple(self.signature(*r) for r in ranges)
        if key not in self._histograms:
            parts = [self.along(*r) for r in ranges]
            plain = self.index is None and not self.exact
            self._histograms[key] = _of_products(key) if plain else self._counted(block, parts)
        return self._histograms[key]

    def _counted(self, block: Block, parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Histogram:
        """Place by place; a neuron that a gather reads at several places has one list for all of them."""
        places: Places = tuple(p for p, _ in parts)
        if self.exact:
            targets = nonzero_targets(self.op, self.seen, block, places)
        else:
            targets = np.ones((), np.int64)
            for _, counts in parts:
                targets = np.multiply.outer(targets, counts)
        if self.index is not None:
            neurons = self.index[np.ix_(*places)]
            read = (neurons >= 0) & (targets > 0)
            targets = targets[read]
            if self.afferent.reads_twice:
                _, place = np.unique(neurons[read], return_inverse=True)
                targets = np.bincount(place, targets).astype(np.int64)
        values, axons = np.unique(targets[targets > 0], return_counts=True)
        return tuple(zip(values.tolist(), axons.tolist(), strict=True))


def _of_products(factors: tuple[Any, ...]) -> Histogram:
    """Histogram of the products of one factor per axis, given the histogram of the factors along each axis."""
    found: dict[int, int] = {}
    for combination in itertools.product(*factors):
        targets, axons = 1, 1
        for value, times in combination:
            targets, axons = targets * value, axons * times
        found[targets] = found.get(targets, 0) + axons
    return tuple(sorted(found.items()))
