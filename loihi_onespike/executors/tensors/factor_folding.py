"""Factors in front of and behind a linear map, in the form that `LinearMap.folded` moves into its weights.

    behind · op(in_front · x) = rest_behind · op'(rest_in_front · x)

`in_front` has the rank of the map's input, `behind` that of its output; both have length 1 along every axis on which
they are constant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape

Factor = NDArray[np.float64]


def compact(factor: Factor, shape: Shape) -> Factor:
    """A factor broadcastable to `shape` with the shape's rank, and length 1 along every axis where it is constant."""
    factor = np.asarray(factor, np.float64)
    factor = factor.reshape((1,) * (len(shape) - factor.ndim) + factor.shape)
    for axis in range(factor.ndim):
        start = factor.take([0], axis)
        if factor.shape[axis] > 1 and np.array_equal(np.broadcast_to(start, factor.shape), factor):
            factor = start
    return factor


def gathered(factor: Factor, shape: Shape, index: NDArray[np.integer] | None) -> Factor:
    """The factor of a population of `shape` as a map behind the gather `index` sees it, compacted.

    Args:
        factor: broadcastable to `shape`.
        shape: of the population.
        index: the gather, None for none.

    Places that are not filled carry no value; they take the factor of a filled place along the last axes, so that
    padding does not spoil a factor that is constant there.
    """
    if index is None:
        return compact(factor, shape)
    full = np.broadcast_to(factor, shape).ravel()[index]
    empty = index < 0
    if empty.any():
        rows, filled = full.reshape(len(full), -1), ~empty.reshape(len(full), -1)
        anything = full[~empty].flat[0] if not empty.all() else 1.0
        first = np.where(filled.any(axis=1), rows[np.arange(len(rows)), filled.argmax(axis=1)], anything)
        full = np.where(empty.reshape(rows.shape), first[:, None], rows).reshape(full.shape)
    return compact(full, index.shape)
