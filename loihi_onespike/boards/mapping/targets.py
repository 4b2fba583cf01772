"""Number of targets in a block that each input place of a map has, without listing synapses.

For every map the number of stored weights is a product over the axes of what the map reads, and its factor along an
axis depends on the same axis of the block alone:

    targets[i_0, i_1, …] = c_0[i_0] · c_1[i_1] · …,   c_d from the outputs low_d ≤ o_d < high_d

so one short array per axis is enough: it tells which places reach the block, and how many synapses they have there.
Weights of 0 are stored weights; `nonzero_targets` counts without them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse
from loihi_onespike.core.maps.registry import MapRegistry

Counts: TypeAlias = tuple[NDArray[np.int64], ...]
"""c_d, one array per axis d of what the map reads."""
Places: TypeAlias = tuple[NDArray[np.int64], ...]
"""Places of a box, or of a part of it, one array of indices per axis."""

TARGETS: MapRegistry[Callable[[Any, Shape, int, int, int], NDArray[np.int64]]] = MapRegistry(
    "the targets in a block", __name__
)
"""c(op, seen, d, low, high): c_d of the map over inputs of shape `seen`."""
NONZERO: MapRegistry[Callable[[Any, Shape, Block, Places], NDArray[np.int64]]] = MapRegistry(
    "the nonzero targets in a block", __name__, otherwise="they are counted in its explicit matrix"
)
"""n(op, seen, block, places): nonzero weights of each place onto a block, as an array over the places."""


def axis_targets(op: LinearMap, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64]:
    """c_d along one axis.

    Args:
        op: The map.
        seen: Shape that it reads.
        axis: d, the axis.
        low, high: First output of the block along the axis, and the one after the last.

    Raises:
        MissingEntryError: the map has no entry in `TARGETS`.
    """
    return TARGETS[op](op, seen, axis, low, high)


def target_counts(op: LinearMap, seen: Shape, block: Block) -> Counts:
    """c_d for every axis d of what a map reads.

    Args:
        op: The map.
        seen: Shape that it reads.
        block: Block of its outputs.

    Raises:
        MissingEntryError: the map has no entry in `TARGETS`.
    """
    return tuple(axis_targets(op, seen, d, block.low[d], block.high[d]) for d in range(len(seen)))


def nonzero_targets(op: LinearMap, seen: Shape, block: Block, places: Places) -> NDArray[np.int64]:
    """Number of nonzero weights of each of some places onto a block.

    Args:
        op: The map.
        seen: Shape that it reads.
        block: Block of its outputs.
        places: The places, as the indices of a box.

    Returns:
        (len(places_0), len(places_1), …) numbers.
    """
    count = NONZERO.find(op)
    if count is not None:
        return count(op, seen, block, places)
    rows = op.matrix(seen)[block.indices(op.output_shape(seen))]
    rows.eliminate_zeros()
    return np.bincount(rows.indices, minlength=rows.shape[1]).reshape(seen)[np.ix_(*places)].astype(np.int64)


@lru_cache(maxsize=100_000)
def _taps(size: int, kernel: int, stride: int, before: int, dilation: int, low: int, high: int) -> NDArray[np.int64]:
    """(kernel, size): the tap joins the place with an output low ≤ o < high of a sliding window (1) or does not (0)."""
    tap, out = np.meshgrid(np.arange(kernel), np.arange(low, high), indexing="ij")
    place = out * stride - before + tap * dilation
    inside = (place >= 0) & (place < size)
    joined = np.zeros((kernel, size), np.int64)
    joined[tap[inside], place[inside]] = 1
    return joined


def joined_taps(op: LinearMap, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64] | None:
    """(taps, places) which tap of a kernel joins which place with an output of the block; None where there is none.

    Args:
        op: The map.
        seen: Shape that it reads.
        axis: The axis.
        low, high: First output of the block along the axis, and the one after the last.
    """
    return _window(op, seen[axis], axis, low, high) if axis > 0 and isinstance(op, Conv | Pool) else None


def _window(op: Conv | Pool, size: int, axis: int, low: int, high: int) -> NDArray[np.int64]:
    w, d = op.window, axis - 1
    return _taps(size, w.kernel[d], w.stride[d], w.padding[d][0], w.dilation[d], low, high)


def _inside(size: int, low: int, high: int) -> NDArray[np.int64]:
    counts = np.zeros(size, np.int64)
    counts[low:high] = 1
    return counts


@TARGETS.register(Conv)
def _conv(op: Conv, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64]:
    if axis > 0:
        return _window(op, seen[axis], axis, low, high).sum(axis=0)
    out_per_group, in_per_group = op.weight.shape[0] // op.groups, op.weight.shape[1]
    first = np.arange(op.groups) * out_per_group
    per_group = np.minimum(high, first + out_per_group) - np.maximum(low, first)
    return np.repeat(np.maximum(per_group, 0), in_per_group).astype(np.int64)


@TARGETS.register(Pool)
def _pool(op: Pool, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64]:
    return _window(op, seen[axis], axis, low, high).sum(axis=0) if axis > 0 else _inside(seen[0], low, high)


@TARGETS.register(Dense)
def _dense(op: Dense, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64]:
    return np.full(seen[-1], high - low) if axis == len(seen) - 1 else _inside(seen[axis], low, high)


@TARGETS.register(Diagonal)
def _diagonal(op: Diagonal, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64]:
    return _inside(seen[axis], low, high)


@TARGETS.register(Sparse)
def _sparse(op: Sparse, seen: Shape, axis: int, low: int, high: int) -> NDArray[np.int64]:
    if axis > 0:
        return _inside(seen[axis], low, high)
    matrix = op.weight
    return np.bincount(matrix.indices[matrix.indptr[low] : matrix.indptr[high]], minlength=seen[0]).astype(np.int64)


@NONZERO.register(Conv)
def _conv_nonzero(op: Conv, seen: Shape, block: Block, places: Places) -> NDArray[np.int64]:
    """Kernel tap by kernel tap: the nonzero output channels of each input channel, wherever the tap joins a place."""
    out_per_group, in_per_group = op.weight.shape[0] // op.groups, op.weight.shape[1]
    counts = np.zeros((len(places[0]), *op.window.kernel), np.int64)
    group = places[0] // in_per_group
    for g in np.unique(group):
        low, high = max(block.low[0], g * out_per_group), min(block.high[0], (g + 1) * out_per_group)
        if low < high:
            mine = group == g
            counts[mine] = np.count_nonzero(op.weight[low:high, places[0][mine] - g * in_per_group], axis=0)
    for d in range(1, len(seen)):
        joined = _window(op, seen[d], d, block.low[d], block.high[d])[:, places[d]]
        counts = np.tensordot(counts, joined, axes=(1, 0))
    return counts


@NONZERO.register(Dense)
def _dense_nonzero(op: Dense, seen: Shape, block: Block, places: Places) -> NDArray[np.int64]:
    return _outer(
        [_inside(n, block.low[d], block.high[d])[places[d]] for d, n in enumerate(seen[:-1])],
        np.count_nonzero(op.weight[block.low[-1] : block.high[-1]], axis=0)[places[-1]],
    )


@NONZERO.register(Sparse)
def _sparse_nonzero(op: Sparse, seen: Shape, block: Block, places: Places) -> NDArray[np.int64]:
    rows = op.weight[block.low[0] : block.high[0]]
    first = np.bincount(rows.indices[rows.data != 0], minlength=seen[0])[places[0]]
    return _outer([first], *(_inside(n, block.low[d], block.high[d])[places[d]] for d, n in enumerate(seen) if d))


def _outer(first: list[NDArray[np.int64]], *more: NDArray[np.int64]) -> NDArray[np.int64]:
    product = np.ones((), np.int64)
    for counts in (*first, *more):
        product = np.multiply.outer(product, counts)
    return product.astype(np.int64)
