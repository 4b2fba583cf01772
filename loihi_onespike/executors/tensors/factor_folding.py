"""Factors in front of and behind a linear map, moved into its weights where the map can take them.

    behind · op(in_front · x) = rest_behind · op'(rest_in_front · x)

`in_front` has the rank of the map's input, `behind` that of its output; both are one number along an axis of length 1.
"""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, with_weight

Factor = NDArray[np.float64]


class Folded(NamedTuple):
    """The map with other weights, and the factors that remain; None for 1."""

    op: LinearMap
    in_front: Factor | None
    behind: Factor | None


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


@singledispatch
def fold(op: LinearMap, in_front: Factor, behind: Factor) -> Folded:
    """The map with as much of both factors (from `compact`) in its weights as it can take."""
    return Folded(op, _rest(in_front), _rest(behind))


@fold.register
def _(op: Conv, in_front: Factor, behind: Factor) -> Folded:
    weight = op.weight.astype(np.float64)
    before, after = _along(in_front, 0), _along(behind, 0)
    if after is not None:
        weight = weight * after.reshape(-1, *(1,) * (weight.ndim - 1))
    if before is not None:
        channels = np.broadcast_to(before, (op.groups * weight.shape[1],)).reshape(op.groups, 1, weight.shape[1])
        by_group = weight.reshape(op.groups, -1, *weight.shape[1:])
        weight = (by_group * channels.reshape(*channels.shape, *(1,) * (weight.ndim - 2))).reshape(weight.shape)
    return Folded(with_weight(op, weight), _unless(before, in_front), _unless(after, behind))


@fold.register
def _(op: Dense, in_front: Factor, behind: Factor) -> Folded:
    weight = op.weight.astype(np.float64)
    before, after = _along(in_front, in_front.ndim - 1), _along(behind, behind.ndim - 1)
    if after is not None:
        weight = weight * after[:, None]
    if before is not None:
        weight = weight * before
    return Folded(with_weight(op, weight), _unless(before, in_front), _unless(after, behind))


@fold.register
def _(op: Diagonal, in_front: Factor, behind: Factor) -> Folded:
    return Folded(Diagonal(op.weight.astype(np.float64) * in_front * behind), None, None)


@fold.register
def _(op: Pool, in_front: Factor, behind: Factor) -> Folded:
    before = _along(in_front, 0)  # channels stay apart: a factor per channel passes through the sum
    if before is None:
        return Folded(op, _rest(in_front), _rest(behind))
    return Folded(op, None, _rest(behind * before.reshape(-1, *(1,) * (behind.ndim - 1))))


@fold.register
def _(op: Sparse, in_front: Factor, behind: Factor) -> Folded:
    if in_front.shape[0] > 1:
        return Folded(op, _rest(in_front), _rest(behind))
    both = behind * in_front  # features stay apart
    if both.size == 1:
        return Folded(with_weight(op, op.weight.astype(np.float64) * float(both.flat[0])), None, None)
    return Folded(op, None, both)


def _along(factor: Factor, axis: int) -> Factor | None:
    """The factor as a vector along one axis; None where it varies along another."""
    return factor.ravel() if factor.size == factor.shape[axis] else None


def _rest(factor: Factor) -> Factor | None:
    return None if np.all(factor == 1) else factor


def _unless(taken: Factor | None, factor: Factor) -> Factor | None:
    return None if taken is not None else _rest(factor)
