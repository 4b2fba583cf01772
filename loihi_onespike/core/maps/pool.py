"""Sums over windows, every channel by itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.conv import Conv
from loihi_onespike.core.maps.linear_map import Folded, InputFactor, LinearMap, RowSums, along, assemble, rest
from loihi_onespike.core.maps.shapes import Array, Float, Shape
from loihi_onespike.core.maps.window import Window
from loihi_onespike.errors import GraphError


@dataclass(frozen=True, eq=False)
class Pool(LinearMap):
    """y[c] = w Σ_window x[c], every channel by itself (average pooling, and the fan-in of max pooling).

    Attributes:
        window: geometry over the spatial axes.
        weight: the same weight for every synapse, as a 0-d array.
    """

    window: Window
    weight: Array

    def output_shape(self, shape: Shape) -> Shape:
        """(C, *spatial) → (C, *places of the window)."""
        return (shape[0], *self.window.output(shape[1:]))

    def matrix(self, shape: Shape) -> sp.csr_matrix:
        """The weight, kernel tap by kernel tap."""
        spatial, out = shape[1:], self.output_shape(shape)
        in_size, out_size = prod(spatial), prod(out[1:])
        c = np.arange(shape[0])[:, None]
        values, rows, columns = [], [], []
        for _tap, out_places, in_places in self.window.taps(spatial):
            block = (shape[0], len(out_places))
            values.append(np.broadcast_to(self.weight, block))
            rows.append(c * out_size + out_places)
            columns.append(c * in_size + in_places)
        return assemble(values, rows, columns, (prod(out), prod(shape)))

    def row_sums(self, rank: int) -> RowSums:
        """The weight times the taps."""
        total = float(self.weight) * self.window.count
        return RowSums(np.full((1,) * rank, max(total, 0.0)), np.full((1,) * rank, max(-total, 0.0)))

    def largest_weights(self, rank: int) -> Array:
        """|w|."""
        return np.abs(self.weight)

    @property
    def fan_in(self) -> int:
        """Taps of the window."""
        return self.window.count

    def fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Windows over each place."""
        return self.window.readers(shape[1:])

    def nonzero_fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Windows over each place, none with weight 0."""
        return self.fan_out(shape) * int(self.weight != 0)

    def macs(self, shape: Shape) -> int:
        """0: additions alone are not counted."""
        return 0

    @property
    def channel_axis(self) -> int:
        """Channels come first."""
        return 0

    @property
    def takes_leading_axis(self) -> bool:
        """False: the rank of the window is that of the spatial axes."""
        return False

    def input_shared_axes(self, rank: int) -> tuple[int, ...]:
        """The spatial axes: they need one λ per channel."""
        return tuple(range(1, rank))

    def output_shared_axes(self, rank: int) -> tuple[int, ...]:
        """All axes: there is one weight."""
        return tuple(range(rank))

    def kernel_taps(self, shape: Shape) -> int | None:
        """Taps of the window that do not see padding alone."""
        return self.window.cropped(shape[1:])[0].count

    def input_factor(self, seen: Float, rank: int) -> InputFactor:
        """Channels stay apart: a factor per channel passes through the sum."""
        return InputFactor(None, seen.reshape(-1, *(1,) * (rank - 1)))  # channels stay apart

    def output_factor(self, factor: Float) -> Float:
        """One number."""
        return factor.reshape(())

    def with_row_weights(self, channels: int) -> LinearMap:
        """A depthwise convolution."""
        weight = np.broadcast_to(self.weight, (channels, 1, *self.window.kernel))
        return Conv(weight, self.window, channels)

    def folded(self, in_front: Float, behind: Float) -> Folded:
        """A factor per channel passes through the sum."""
        before = along(in_front, 0)  # channels stay apart: a factor per channel passes through the sum
        if before is None:
            return Folded(self, rest(in_front), rest(behind))
        return Folded(self, None, rest(behind * before.reshape(-1, *(1,) * (behind.ndim - 1))))

    @property
    def single_weight(self) -> bool:
        """True."""
        return True


def as_pool(op: LinearMap, name: str) -> Pool:
    """The map of a link of a max-pooling population, which has to be a pooling window.

    Args:
        op: the map.
        name: name of the population, for the error.

    Raises:
        GraphError: it is another map.
    """
    if not isinstance(op, Pool):
        raise GraphError(f"{name}: max pooling must read through Pool, got {type(op).__name__}")
    return op
