"""Blocks of neurons: a population is cut along its axes into a grid of boxes, one box per core."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape


@dataclass(frozen=True)
class Block:
    """The neurons with low_d ≤ i_d < high_d along every axis d of a population's shape.

    Attributes:
        low: First index along each axis.
        high: Index after the last one along each axis.
    """

    low: Shape
    high: Shape

    @property
    def extent(self) -> Shape:
        """Size along each axis."""
        return tuple(b - a for a, b in zip(self.low, self.high, strict=True))

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return prod(self.extent)

    @property
    def slices(self) -> tuple[slice, ...]:
        """The block as an index into an array of the population's shape."""
        return tuple(slice(a, b) for a, b in zip(self.low, self.high, strict=True))

    def indices(self, shape: Shape) -> NDArray[np.int64]:
        """Flat indices of the block's neurons, in ascending order.

        Args:
            shape: Shape of the population.
        """
        grid = np.ix_(*(np.arange(a, b) for a, b in zip(self.low, self.high, strict=True)))
        return np.ravel_multi_index(grid, shape).ravel().astype(np.int64) if shape else np.zeros(1, np.int64)


@dataclass(frozen=True)
class BlockGrid:
    """A population cut into boxes, listed in C order of their places.

    Attributes:
        shape: Shape of the population.
        sizes: Size of a box along each axis; the last box of an axis may be smaller.
    """

    shape: Shape
    sizes: Shape

    @property
    def counts(self) -> Shape:
        """Number of boxes along each axis."""
        return tuple(-(-n // s) for n, s in zip(self.shape, self.sizes, strict=True))

    def __len__(self) -> int:
        return prod(self.counts)

    def __iter__(self) -> Iterator[Block]:
        for place in itertools.product(*(range(c) for c in self.counts)):
            yield self.at(place)

    def at(self, place: Shape) -> Block:
        """The box at a place of the grid."""
        low = tuple(p * s for p, s in zip(place, self.sizes, strict=True))
        high = tuple(min(a + s, n) for a, s, n in zip(low, self.sizes, self.shape, strict=True))
        return Block(low, high)

    @property
    def middle(self) -> Block:
        """A box in the middle, which touches as few borders of the population as possible."""
        return self.at(tuple((c - 1) // 2 for c in self.counts))


def halvings(size: int) -> list[int]:
    """size, ⌈size/2⌉, ⌈size/4⌉, …, 1."""
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // 2))
    return sizes


def list_halvings(size: int) -> list[int]:
    """Sizes by which Lava's compiler cuts a layer of one axis: n, then (n - 1) // 2 repeatedly, down to 1.

    Seen in partition tables: 4,096 neurons with two rows stand as 2,047 on a core, 256 as 127 [C].
    """
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append(max((sizes[-1] - 1) // 2, 1))
    return sizes


def powers_of_two(size: int) -> list[int]:
    """The smallest power of two that holds `size`, and all smaller ones: widths of a convolution's blocks [C]."""
    return [1 << e for e in range((size - 1).bit_length(), -1, -1)]


def padded_neurons(extent: Shape) -> int:
    """Number of neurons of a block whose last axis is rounded up to a power of two."""
    return prod(extent[:-1]) * (1 << (extent[-1] - 1).bit_length())
