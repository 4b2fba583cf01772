"""Number of targets in a block that each input place of a map has, without listing synapses.

For every map this number is a product over the axes of what the map reads:

    targets[i_0, i_1, …] = c_0[i_0] · c_1[i_1] · …

so one short array per axis is enough: it tells which places reach the block, and how many synapses they have there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse
from loihi_onespike.core.maps.registry import MapRegistry

Counts = tuple[NDArray[np.int64], ...]
"""c_d, one array per axis d of what the map reads."""


TARGETS: MapRegistry[Callable[[Any, Shape, Block], Counts]] = MapRegistry("the targets in a block", __name__)


def target_counts(op: LinearMap, seen: Shape, block: Block) -> Counts:
    """c_d for every axis d of what a map reads.

    Args:
        op: The map.
        seen: Shape that it reads.
        block: Block of its outputs.

    Raises:
        MissingEntryError: the map has no entry in `TARGETS`.
    """
    return TARGETS[op](op, seen, block)


@lru_cache(maxsize=100_000)
def _taps(size: int, kernel: int, stride: int, before: int, dilation: int, low: int, high: int) -> NDArray[np.int64]:
    """Outputs low ≤ o < high of a sliding window that read each place of an axis."""
    places = np.arange(low, high)[:, None] * stride - before + np.arange(kernel) * dilation
    inside = places[(places >= 0) & (places < size)]
    return np.bincount(inside, minlength=size).astype(np.int64)


def _window(op: Conv | Pool, spatial: Shape, block: Block) -> Counts:
    w = op.window
    return tuple(
        _taps(n, w.kernel[d], w.stride[d], w.padding[d][0], w.dilation[d], block.low[d + 1], block.high[d + 1])
        for d, n in enumerate(spatial)
    )


def _inside(size: int, low: int, high: int) -> NDArray[np.int64]:
    counts = np.zeros(size, np.int64)
    counts[low:high] = 1
    return counts


@TARGETS.register(Conv)
def _conv(op: Conv, seen: Shape, block: Block) -> Counts:
    out_per_group, in_per_group = op.weight.shape[0] // op.groups, op.weight.shape[1]
    first = np.arange(op.groups) * out_per_group
    per_group = np.minimum(block.high[0], first + out_per_group) - np.maximum(block.low[0], first)
    channels = np.repeat(np.maximum(per_group, 0), in_per_group).astype(np.int64)
    return (channels, *_window(op, seen[1:], block))


@TARGETS.register(Pool)
def _pool(op: Pool, seen: Shape, block: Block) -> Counts:
    return (_inside(seen[0], block.low[0], block.high[0]), *_window(op, seen[1:], block))


@TARGETS.register(Dense)
def _dense(op: Dense, seen: Shape, block: Block) -> Counts:
    leads = tuple(_inside(n, block.low[d], block.high[d]) for d, n in enumerate(seen[:-1]))
    return (*leads, np.full(seen[-1], block.high[-1] - block.low[-1], np.int64))


@TARGETS.register(Diagonal)
def _diagonal(op: Diagonal, seen: Shape, block: Block) -> Counts:
    return tuple(_inside(n, block.low[d], block.high[d]) for d, n in enumerate(seen))


@TARGETS.register(Sparse)
def _sparse(op: Sparse, seen: Shape, block: Block) -> Counts:
    matrix = op.weight
    rows = matrix.indices[matrix.indptr[block.low[0]] : matrix.indptr[block.high[0]]]
    columns = np.bincount(rows, minlength=seen[0]).astype(np.int64)
    return (columns, *(_inside(n, block.low[d + 1], block.high[d + 1]) for d, n in enumerate(seen[1:])))
