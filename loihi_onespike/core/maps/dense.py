"""Dense map of the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.linear_map import Folded, InputFactor, LinearMap, RowSums, along, sums_of_rows, unless
from loihi_onespike.core.maps.shapes import Array, Float, Shape
from loihi_onespike.errors import GraphError


@dataclass(frozen=True, eq=False)
class Dense(LinearMap):
    """y[…, o] = Σ_i W[o, i] x[…, i].

    Attributes:
        weight: (O, I), applied to the last axis.
    """

    weight: Array

    def output_shape(self, shape: Shape) -> Shape:
        """(…, I) → (…, O); raises GraphError where the last axis is not I."""
        if shape[-1] != self.weight.shape[1]:
            raise GraphError(f"dense map of {self.weight.shape[1]} inputs over shape {shape}")
        return (*shape[:-1], self.weight.shape[0])

    def matrix(self, shape: Shape) -> sp.csr_matrix:
        """W for every place of the leading axes."""
        copies = sp.identity(prod(shape[:-1]), dtype=self.weight.dtype, format="csr")
        return sp.kron(copies, sp.csr_matrix(self.weight), format="csr")

    def row_sums(self, rank: int) -> RowSums:
        """Sums of the rows of W."""
        return sums_of_rows(self.weight, (*(1,) * (rank - 1), -1))

    def largest_weights(self, rank: int) -> Array:
        """Largest |w| of each row of W."""
        return np.abs(self.weight).max(axis=1).reshape((1,) * (rank - 1) + (-1,))

    @property
    def fan_in(self) -> int:
        """Inputs, I."""
        return int(self.weight.shape[1])

    def fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Outputs, O, of every input."""
        return np.array(self.weight.shape[0], np.int64)

    def nonzero_fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Weights other than 0 in each column."""
        return np.count_nonzero(self.weight, axis=0).astype(np.int64)

    def macs(self, shape: Shape) -> int:
        """Every output applies its row."""
        return prod(self.output_shape(shape)) * self.fan_in

    @property
    def channel_axis(self) -> int:
        """Features come last."""
        return -1

    @property
    def takes_leading_axis(self) -> bool:
        """True: leading axes are places."""
        return True

    def input_shared_axes(self, rank: int) -> tuple[int, ...]:
        """All axes but the last."""
        return tuple(range(rank - 1))

    def output_shared_axes(self, rank: int) -> tuple[int, ...]:
        """All axes but the last."""
        return tuple(range(rank - 1))

    def kernel_taps(self, shape: Shape) -> int | None:
        """None: features are not kept apart."""
        return None

    def input_factor(self, seen: Float, rank: int) -> InputFactor:
        """A factor per input goes into the columns."""
        return InputFactor(np.broadcast_to(seen, (self.weight.shape[1],)), None)

    def output_factor(self, factor: Float) -> Float:
        """A factor per output, for the rows."""
        return np.broadcast_to(factor.ravel(), (len(self.weight),))[:, None]

    def apply(self, x: Array) -> Array:
        """x Wᵀ."""
        return x @ self.weight.T

    def folded(self, in_front: Float, behind: Float) -> Folded:
        """Factors per feature go into the weights."""
        weight = self.weight.astype(np.float64)
        before, after = along(in_front, in_front.ndim - 1), along(behind, behind.ndim - 1)
        if after is not None:
            weight = weight * self.output_factor(after)
        if before is not None:
            weight = weight * before
        return Folded(self.with_weight(weight), unless(before, in_front), unless(after, behind))

    @property
    def column_axis(self) -> int | None:
        """The last axis."""
        return -1

    @property
    def uniform_fan_out(self) -> int | None:
        """Outputs, O."""
        return int(self.weight.shape[0])
