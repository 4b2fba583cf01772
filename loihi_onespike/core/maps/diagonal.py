"""A factor for every neuron."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.linear_map import Folded, InputFactor, LinearMap, RowSums, sums_of_rows
from loihi_onespike.core.maps.shapes import Array, Float, Shape, broadcasts_to, shrink
from loihi_onespike.errors import GraphError


@dataclass(frozen=True, eq=False)
class Diagonal(LinearMap):
    """y = w · x, one synapse per neuron (residual shortcuts, batch norm after concatenation, relays).

    Attributes:
        weight: broadcastable to the shape of x.
    """

    weight: Array

    def output_shape(self, shape: Shape) -> Shape:
        """The shape itself; raises GraphError where the weights do not broadcast to it."""
        if not broadcasts_to(self.weight.shape, shape):
            raise GraphError(f"diagonal weight of shape {self.weight.shape} over shape {shape}")
        return shape

    def matrix(self, shape: Shape) -> sp.csr_matrix:
        """The weights on the diagonal."""
        return sp.diags(np.broadcast_to(self.weight, shape).ravel(), format="csr", dtype=self.weight.dtype)

    def row_sums(self, rank: int) -> RowSums:
        """The weights themselves."""
        return sums_of_rows(self.weight[..., None], (1,) * (rank - self.weight.ndim) + self.weight.shape)

    def largest_weights(self, rank: int) -> Array:
        """|w|."""
        return np.abs(self.weight)

    @property
    def fan_in(self) -> int:
        """1."""
        return 1

    def fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """1."""
        return np.array(1, np.int64)

    def nonzero_fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """1 where the weight is not 0."""
        return (self.weight != 0).astype(np.int64)

    def macs(self, shape: Shape) -> int:
        """0: a factor per neuron is not counted."""
        return 0

    @property
    def channel_axis(self) -> int:
        """Channels come first."""
        return 0

    @property
    def takes_leading_axis(self) -> bool:
        """True: the weights broadcast to further axes in front."""
        return True

    def input_shared_axes(self, rank: int) -> tuple[int, ...]:
        """None of the axes: every input has a weight of its own."""
        return ()

    def output_shared_axes(self, rank: int) -> tuple[int, ...]:
        """None of the axes."""
        return ()

    def scale_axes(self, rank: int) -> tuple[int, ...]:
        """The first axis."""
        return (0,)

    def kernel_taps(self, shape: Shape) -> int | None:
        """1 where the weight is one number or one per channel."""
        own = self.weight.shape  # one number for all, or one per channel; written out over space it is one per neuron
        return 1 if self.weight.size == 1 or (len(own) == len(shape) and prod(own[1:]) == 1) else None

    def input_scale(self, full: Float) -> Float | None:
        """λ of every input, shrunk where it does not vary."""
        unread = np.isnan(full)
        if unread.any():  # take the channel's own value, so that the result shrinks to one value per channel
            per_channel = np.fmax.reduce(full, axis=tuple(range(1, full.ndim)), keepdims=True)
            full = np.where(unread, np.where(np.isnan(per_channel), 1.0, per_channel), full)
        return shrink(full)

    def input_factor(self, seen: Float, rank: int) -> InputFactor:
        """The factor goes into the weights."""
        return InputFactor(seen, None)

    def output_factor(self, factor: Float) -> Float:
        """The factor itself."""
        return factor

    def apply(self, x: Array) -> Array:
        """w · x."""
        return self.weight * x

    def folded(self, in_front: Float, behind: Float) -> Folded:
        """Both factors go into the weights."""
        return Folded(self.with_weight(self.weight.astype(np.float64) * in_front * behind), None, None)

    @property
    def elementwise(self) -> bool:
        """True."""
        return True
