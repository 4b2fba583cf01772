"""Number of synapses that leave each presynaptic neuron, borders included, without building the synapse matrix."""

from __future__ import annotations

from functools import singledispatch
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window


def fan_out(op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None) -> NDArray[np.int64]:
    """Targets of every presynaptic neuron, shape pre_shape; weights that happen to be 0 count (they are stored)."""
    seen = pre_shape if index is None else index.shape
    counts = np.broadcast_to(_fan_out(op, seen), seen)
    if index is None:
        return np.ascontiguousarray(counts)
    flat = index.ravel()
    read = flat >= 0
    total = np.bincount(flat[read], weights=counts.ravel()[read], minlength=prod(pre_shape))
    return total.astype(np.int64).reshape(pre_shape)


def _readers(window: Window, spatial: Shape) -> NDArray[np.int64]:
    """Windows that cover each place: the product over the axes of the taps that reach it."""
    total = np.ones((), np.int64)
    out = window.output(spatial)
    for axis, size in enumerate(spatial):
        o, tap = np.meshgrid(np.arange(out[axis]), np.arange(window.kernel[axis]), indexing="ij")
        place = o * window.stride[axis] - window.padding[axis][0] + tap * window.dilation[axis]
        inside = place[(place >= 0) & (place < size)]
        total = np.multiply.outer(total, np.bincount(inside, minlength=size))
    return total


@singledispatch
def _fan_out(op: LinearMap, shape: Shape) -> NDArray[np.int64]:
    raise TypeError(f"no fan-out for {type(op).__name__}")


@_fan_out.register
def _(op: Conv, shape: Shape) -> NDArray[np.int64]:
    return _readers(op.window, shape[1:]) * (op.weight.shape[0] // op.groups)


@_fan_out.register
def _(op: Pool, shape: Shape) -> NDArray[np.int64]:
    return _readers(op.window, shape[1:])


@_fan_out.register
def _(op: Dense, shape: Shape) -> NDArray[np.int64]:
    return np.array(op.weight.shape[0], np.int64)


@_fan_out.register
def _(op: Diagonal, shape: Shape) -> NDArray[np.int64]:
    return np.array(1, np.int64)


@_fan_out.register
def _(op: Sparse, shape: Shape) -> NDArray[np.int64]:
    columns = np.diff(op.weight.tocsc().indptr).astype(np.int64)
    return columns.reshape(-1, *(1,) * (len(shape) - 1))
