"""Blocks of neurons: a population is cut along its axes into a grid of boxes, one box per core."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def segments(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """(first index, index after the last) of every box along each axis."""
        return tuple(
            tuple((a, min(a + s, n)) for a in range(0, n, s)) for n, s in zip(self.shape, self.sizes, strict=True)
        )

    @property
    def counts(self) -> Shape:
        """Number of boxes along each axis."""
        return tuple(-(-n // s) for n, s in zip(self.shape, self.sizes, strict=True))

    def __len__(self) -> int:
        return prod(self.counts)

    def __iter__(self) -> Iterator[Block]:
        for box in itertools.product(*self.segments):
            yield Block(tuple(low for low, _ in box), tuple(high for _, high in box))

    @property
    def middle(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Segments of one box in the middle, which touches as few borders of the population as possible."""
        return tuple((cuts[(len(cuts) - 1) // 2],) for cuts in self.segments)


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


def equal_parts(size: int) -> list[int]:
    """Sizes that cut an axis into 1, 2, 3, … equal parts, the last of which may be smaller."""
    return sorted({-(-size // parts) for parts in range(1, size + 1)}, reverse=True)


def padded(columns: int) -> int:
    """The smallest power of two that holds so many columns."""
    return 1 << (columns - 1).bit_length()
