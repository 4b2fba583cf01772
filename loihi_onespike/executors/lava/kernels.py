"""Event-driven synaptic sums of a linear map: only neurons that spike cost anything. numpy and scipy, no torch.

    a[post] = Σ_pre W[post, pre] s[pre],  s the message of a spike, 0 for none

A kernel takes the spikes of the presynaptic population (flat) and returns the sums of the postsynaptic one (flat).
Convolutions never become explicit matrices: there is one copy of the kernel for all places of the feature map.

int32 holds every sum that `largest_sum` allows; the builder checks that bound once instead of every step.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import DTypeLike, NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window, op_input_shape
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.maps.registry import MapRegistry

Kernel: TypeAlias = Callable[[NDArray[np.int8]], NDArray[Any]]
"""(pre neurons,) spikes to (post neurons,) sums."""
KERNELS: MapRegistry[Callable[[Any, Shape, np.dtype[Any]], Kernel]] = MapRegistry("the Lava event kernel", __name__)
"""make(op, shape, dtype): the kernel of a map over inputs of `shape`."""


def event_kernel(
    op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None, dtype: DTypeLike = np.int32
) -> Kernel:
    """The kernel of a synapse.

    Args:
        op: the map.
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map, see `Synapse.index`.
        dtype: type of the weights and the sums.

    Raises:
        MissingEntryError: the map has no entry in `KERNELS`.
    """
    kernel = KERNELS[op](op, op_input_shape(pre_shape, index), np.dtype(dtype))
    return kernel if index is None else _Gathered(index, kernel)


def largest_sum(op: LinearMap) -> int:
    """Largest |a| of one neuron in one step when all inputs send ±1 with the worst sign (borders not counted)."""
    return int(op.row_magnitude)


class _Gathered:
    """A gather in front of a kernel: place i sees pre neuron index[i], nothing where index[i] is -1."""

    def __init__(self, index: NDArray[np.integer], kernel: Kernel) -> None:
        self.index, self.kernel = index.ravel().astype(np.intp), kernel
        self.silent = self.index < 0

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        seen = spikes[self.index]
        seen[self.silent] = 0
        return self.kernel(seen)


@KERNELS.register(Conv)
class _ConvKernel:
    """Σ over kernel taps as one product: (places × taps·channels, sparse, one entry per spike and tap) @ weights.

    Spikes come sorted by channel, so the sparse factor is written in compressed columns without any sorting.
    """

    def __init__(self, op: Conv, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.channels, self.groups, self.dtype = shape[0], op.groups, dtype
        self.places = prod(shape[1:])
        self.table = tap_table(op.window, shape[1:])
        self.out_places = prod(op.window.output(shape[1:]))
        taps, per_group = len(self.table), op.weight.shape[0] // op.groups
        split = op.weight.reshape(op.groups, per_group, op.weight.shape[1], taps)
        weights = split.transpose(3, 0, 2, 1).reshape(taps * self.channels, per_group)
        self.weights = np.ascontiguousarray(weights, dtype=dtype)
        self.first_row = (np.arange(self.channels) // op.weight.shape[1] * self.out_places).astype(np.int32)
        self.first_column = np.arange(taps, dtype=np.int32)[:, None] * self.channels

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        active = np.flatnonzero(spikes)
        channel, place = np.divmod(active, self.places)
        rows = self.table[:, place]
        hit = rows >= 0
        columns = (self.first_column + channel)[hit]
        starts = np.zeros(len(self.weights) + 1, np.int32)
        np.cumsum(np.bincount(columns, minlength=len(self.weights)), out=starts[1:])
        values = np.broadcast_to(spikes[active].astype(self.dtype), rows.shape)[hit]
        size = (self.groups * self.out_places, len(self.weights))
        scattered = sp.csc_matrix((values, (rows + self.first_row[channel])[hit], starts), shape=size)
        sums = scattered @ self.weights
        return sums.reshape(self.groups, self.out_places, -1).transpose(0, 2, 1).ravel()


@KERNELS.register(Dense)
class _DenseKernel:
    """One row of weights per spike, added to the row of sums of its leading index."""

    def __init__(self, op: Dense, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.rows, self.inputs, self.dtype = prod(shape[:-1]), shape[-1], dtype
        self.weights = np.ascontiguousarray(op.weight.T, dtype=dtype)

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        active = np.flatnonzero(spikes)
        row, column = np.divmod(active, self.inputs)
        starts = np.searchsorted(row, np.arange(self.rows + 1)).astype(np.int32)
        size = (self.rows, self.inputs)
        scattered = sp.csr_matrix((spikes[active].astype(self.dtype), column.astype(np.int32), starts), shape=size)
        return (scattered @ self.weights).ravel()


class _ColumnKernel:
    """A small matrix applied along one axis: spike (column, offset) adds to target row · stride + offset.

    Pooling: the matrix joins places, the offset is the channel's first target. Aggregation: the matrix joins nodes,
    the offset is the feature.
    """

    def __init__(self, matrix: sp.csc_matrix, stride: int, size: int, dtype: np.dtype[Any]) -> None:
        self.starts, self.lengths = matrix.indptr[:-1], np.diff(matrix.indptr)
        self.rows = matrix.indices.astype(np.int64) * stride
        self.values, self.size, self.dtype = matrix.data.astype(np.float64), size, dtype

    def scatter(
        self, columns: NDArray[np.integer], offsets: NDArray[np.integer], signs: NDArray[np.integer]
    ) -> NDArray[Any]:
        lengths = self.lengths[columns]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        entries = np.arange(total) + np.repeat(self.starts[columns] - ends + lengths, lengths)
        targets = self.rows[entries] + np.repeat(offsets, lengths)
        # float64 adds integers below 2^53 exactly.
        sums = np.bincount(targets, self.values[entries] * np.repeat(signs, lengths), minlength=self.size)
        return sums.astype(self.dtype)


@KERNELS.register(Pool)
class _PoolKernel(_ColumnKernel):
    def __init__(self, op: Pool, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.places, self.out_places = prod(shape[1:]), prod(op.window.output(shape[1:]))
        matrix = synapse_matrix(op, (1, *shape[1:])).tocsc()
        super().__init__(matrix, 1, shape[0] * self.out_places, dtype)

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        active = np.flatnonzero(spikes)
        channel, place = np.divmod(active, self.places)
        return self.scatter(place, channel * self.out_places, spikes[active])


@KERNELS.register(Sparse)
class _SparseKernel(_ColumnKernel):
    def __init__(self, op: Sparse, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.features = prod(shape[1:])
        super().__init__(op.weight.tocsc(), self.features, op.weight.shape[0] * self.features, dtype)

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        active = np.flatnonzero(spikes)
        node, feature = np.divmod(active, self.features)
        return self.scatter(node, feature, spikes[active])


@KERNELS.register(Diagonal)
class _DiagonalKernel:
    def __init__(self, op: Diagonal, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.weights = np.broadcast_to(op.weight, shape).ravel().astype(dtype)

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        return self.weights * spikes


def tap_table(window: Window, spatial: Shape) -> NDArray[np.int32]:
    """(taps, input places): output place that an input place feeds through each kernel tap, -1 for none."""
    out = window.output(spatial)
    table = np.zeros((1, 1), np.int32)
    for axis, size in enumerate(spatial):
        tap = np.arange(window.kernel[axis])[:, None] * window.dilation[axis]
        shifted = np.arange(size) + window.padding[axis][0] - tap
        target, rest = np.divmod(shifted, window.stride[axis])
        inside = (rest == 0) & (target >= 0) & (target < out[axis])
        joint = table[:, None, :, None] * out[axis] + np.where(inside, target, 0)[None, :, None, :]
        valid = (table >= 0)[:, None, :, None] & inside[None, :, None, :]
        table = np.where(valid, joint, -1).astype(np.int32).reshape(len(table) * len(tap), -1)
    return table
