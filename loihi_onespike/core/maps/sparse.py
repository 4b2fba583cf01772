"""A sparse matrix along the first axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.linear_map import Folded, InputFactor, LinearMap, RowSums, one_along, rest
from loihi_onespike.core.maps.shapes import Array, Float, Shape
from loihi_onespike.errors import GraphError


@dataclass(frozen=True, eq=False)
class Sparse(LinearMap):
    """y[m, …] = Σ_n A[m, n] x[n, …] along the first axis (nodes of a graph).

    Attributes:
        weight: (M, N) in CSR.
    """

    weight: sp.csr_matrix

    def output_shape(self, shape: Shape) -> Shape:
        """(N, …) → (M, …); raises GraphError where the first axis is not N."""
        if shape[0] != self.weight.shape[1]:
            raise GraphError(f"sparse map of {self.weight.shape[1]} nodes over shape {shape}")
        return (self.weight.shape[0], *shape[1:])

    def matrix(self, shape: Shape) -> sp.csr_matrix:
        """A for every feature."""
        return sp.kron(self.weight, sp.identity(prod(shape[1:]), dtype=self.weight.dtype), format="csr")

    def row_sums(self, rank: int) -> RowSums:
        """Sums of the rows of A."""
        matrix, shape = self.weight.astype(np.float64), (-1, *(1,) * (rank - 1))
        parts = (matrix.maximum(0), (-matrix).maximum(0))
        positive, negative = (np.asarray(part.sum(axis=1)).reshape(shape) for part in parts)
        return RowSums(positive, negative)

    def largest_weights(self, rank: int) -> Array:
        """Largest |w| of each row of A."""
        return np.asarray(np.abs(self.weight).max(axis=1).todense()).reshape(-1, *(1,) * (rank - 1))

    @property
    def fan_in(self) -> int:
        """Entries of the fullest row."""
        return int(np.diff(self.weight.indptr).max(initial=0))

    def fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Entries of each column."""
        columns = np.diff(self.weight.tocsc().indptr).astype(np.int64)
        return columns.reshape(-1, *(1,) * (len(shape) - 1))

    def nonzero_fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Entries of each column that are not 0."""
        counts = np.bincount(self.weight.indices[self.weight.data != 0], minlength=self.weight.shape[1])
        return counts.astype(np.int64).reshape(-1, *(1,) * (len(shape) - 1))

    def macs(self, shape: Shape) -> int:
        """Every entry of A once per feature."""
        return int(self.weight.nnz) * prod(shape[1:])

    @property
    def channel_axis(self) -> int:
        """Features come last."""
        return -1

    @property
    def takes_leading_axis(self) -> bool:
        """False: the first axis is that of the nodes."""
        return False

    def input_shared_axes(self, rank: int) -> tuple[int, ...]:
        """The nodes: they need one λ per feature."""
        return (0,)

    def output_shared_axes(self, rank: int) -> tuple[int, ...]:
        """The features."""
        return tuple(range(1, rank))

    def scale_axes(self, rank: int) -> tuple[int, ...]:
        """The nodes."""
        return (0,)

    def kernel_taps(self, shape: Shape) -> int | None:
        """None: nodes are not kept apart."""
        return None

    def input_scale(self, full: Float) -> Float | None:
        """λ per feature, (1, …)."""
        found = one_along(full, (0,))
        if found is None:
            return None
        # Features that nothing reads share weights with the others, so they take a λ that occurs there.
        filler = float(np.nanmax(found)) if not np.isnan(found).all() else 1.0
        return np.where(np.isnan(found), filler, found)

    def input_factor(self, seen: Float, rank: int) -> InputFactor:
        """Features stay apart: a factor per feature passes through the sum."""
        return InputFactor(None, seen)  # features stay apart: a factor per feature passes through the sum

    def output_factor(self, factor: Float) -> Float:
        """A factor per row, at each of its entries."""
        rows = np.broadcast_to(factor.ravel(), (self.weight.shape[0],))
        return np.repeat(rows, np.diff(self.weight.indptr))

    @property
    def weight_values(self) -> Array:
        """The stored entries of A, (nnz,)."""
        return self.weight.data

    def with_weight_values(self, values: Array) -> Sparse:
        """The same places with other entries."""
        weight = sp.csr_matrix((values, self.weight.indices, self.weight.indptr), shape=self.weight.shape)
        return replace(self, weight=weight)

    def apply(self, x: Array) -> Array:
        """A x."""
        return (self.weight @ x.reshape(x.shape[0], -1)).reshape(-1, *x.shape[1:])

    def folded(self, in_front: Float, behind: Float) -> Folded:
        """A single number goes into the weights, a factor per feature behind the map."""
        if in_front.shape[0] > 1:
            return Folded(self, rest(in_front), rest(behind))
        both = behind * in_front
        if both.size == 1:
            return Folded(self.with_weight(self.weight.astype(np.float64) * float(both.flat[0])), None, None)
        return Folded(self, None, both)
