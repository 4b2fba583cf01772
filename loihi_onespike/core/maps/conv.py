"""Convolution."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.linear_map import (
    Folded,
    InputFactor,
    LinearMap,
    RowSums,
    along,
    assemble,
    sums_of_rows,
    unless,
)
from loihi_onespike.core.maps.shapes import Array, Float, Shape
from loihi_onespike.core.maps.window import Window
from loihi_onespike.errors import GraphError


@dataclass(frozen=True, eq=False)
class Conv(LinearMap):
    """y[o] = Σ_i W[o, i] ⋆ x[i] (cross-correlation, as in torch).

    Attributes:
        weight: (O, I / groups, *kernel).
        window: geometry; window.kernel equals weight.shape[2:].
        groups: groups of channels; depthwise when equal to I.
    """

    weight: Array
    window: Window
    groups: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        """(C, *spatial) → (O, *places of the window); raises GraphError where channels or window do not fit."""
        channels, per_group = shape[0], self.weight.shape[1]
        if channels != per_group * self.groups or self.weight.shape[0] % self.groups:
            raise GraphError(f"convolution of {per_group}·{self.groups} input channels over {channels} channels")
        return (self.weight.shape[0], *self.window.output(shape[1:]))

    def matrix(self, shape: Shape) -> sp.csr_matrix:
        """The weights, kernel tap by kernel tap."""
        spatial, out = shape[1:], self.output_shape(shape)
        in_size, out_size = prod(spatial), prod(out[1:])
        channels_out, channels_in = self.weight.shape[:2]
        o = np.arange(channels_out)
        first_input = (o // (channels_out // self.groups)) * channels_in
        i = first_input[:, None] + np.arange(channels_in)
        values, rows, columns = [], [], []
        for tap, out_places, in_places in self.window.taps(spatial):
            block = (channels_out, channels_in, len(out_places))
            weight_of_tap = np.moveaxis(self.weight, (0, 1), (-2, -1))[tap]
            values.append(np.broadcast_to(weight_of_tap[..., None], block))
            rows.append(np.broadcast_to(o[:, None, None] * out_size + out_places, block))
            columns.append(np.broadcast_to(i[..., None] * in_size + in_places, block))
        return assemble(values, rows, columns, (prod(out), prod(shape)))

    def row_sums(self, rank: int) -> RowSums:
        """Sums over the kernel of each output channel."""
        return sums_of_rows(self.weight.reshape(len(self.weight), -1), (-1, *(1,) * (rank - 1)))

    def largest_weights(self, rank: int) -> Array:
        """Largest |w| of the kernel of each output channel."""
        rows = np.abs(self.weight).reshape(len(self.weight), -1).max(axis=1)
        return rows.reshape(-1, *(1,) * (rank - 1))

    @property
    def fan_in(self) -> int:
        """Taps times the input channels of a group."""
        return prod(self.weight.shape[1:])

    def fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Windows over a place times the output channels of a group."""
        return self.window.readers(shape[1:]) * (self.weight.shape[0] // self.groups)

    def nonzero_fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Per kernel tap, the output channels whose weight is not 0, wherever the tap joins a place."""
        per_group = self.weight.reshape(self.groups, -1, *self.weight.shape[1:])
        counts = np.count_nonzero(per_group, axis=1).reshape(shape[0], *self.window.kernel)
        total = np.zeros((shape[0], prod(shape[1:])), np.int64)
        for tap, _, in_places in self.window.taps(shape[1:]):
            total[:, in_places] += np.moveaxis(counts, 0, -1)[tap][:, None]
        return total.reshape(shape)

    def macs(self, shape: Shape) -> int:
        """Every output applies its whole kernel."""
        return prod(self.output_shape(shape)) * self.fan_in

    @property
    def channel_axis(self) -> int:
        """Channels come first."""
        return 0

    @property
    def takes_leading_axis(self) -> bool:
        """False: the rank of the window is that of the spatial axes."""
        return False

    def input_shared_axes(self, rank: int) -> tuple[int, ...]:
        """The spatial axes."""
        return tuple(range(1, rank))

    def output_shared_axes(self, rank: int) -> tuple[int, ...]:
        """The spatial axes."""
        return tuple(range(1, rank))

    def kernel_taps(self, shape: Shape) -> int | None:
        """Taps of the window that do not see padding alone."""
        return self.window.cropped(shape[1:])[0].count

    def cropped(self, shape: Shape) -> Conv:
        """The same map over inputs of this shape without the taps that see nothing but padding."""
        window, kept = self.window.cropped(shape[1:])
        if window is self.window:
            return self
        taps: tuple[slice, ...] = (slice(None), slice(None), *kept)
        return Conv(self.weight[taps], window, self.groups)

    def input_factor(self, seen: Float, rank: int) -> InputFactor:
        """A factor per input channel goes into the weights."""
        return InputFactor(self._per_weight(seen), None)

    def _per_weight(self, seen: Float) -> Float:
        """A factor of each input channel, broadcastable to the weights."""
        per_group_in, per_group_out = self.weight.shape[1], self.weight.shape[0] // self.groups
        factor = np.broadcast_to(seen, (self.groups * per_group_in,)).reshape(self.groups, per_group_in)
        factor = factor.repeat(per_group_out, axis=0)
        return factor.reshape(factor.shape + (1,) * (self.weight.ndim - 2))

    def output_factor(self, factor: Float) -> Float:
        """A factor per output channel, beside the other axes of the weights."""
        return np.broadcast_to(factor.ravel(), (len(self.weight),)).reshape(-1, *(1,) * (self.weight.ndim - 1))

    def folded(self, in_front: Float, behind: Float) -> Folded:
        """Factors per channel go into the weights."""
        weight = self.weight.astype(np.float64)
        before, after = along(in_front, 0), along(behind, 0)
        if after is not None:
            weight = weight * self.output_factor(after)
        if before is not None:
            weight = weight * self._per_weight(before)
        return Folded(self.with_weight(weight), unless(before, in_front), unless(after, behind))

    @property
    def column_axis(self) -> int | None:
        """The channels; those of a group cannot be left out."""
        return 0 if self.groups == 1 else None
