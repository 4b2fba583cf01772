"""Shapes and arrays as all linear maps use them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = tuple[int, ...]
Float: TypeAlias = NDArray[np.float64]
Array: TypeAlias = NDArray[Any]
"""Weights: float64 before quantization, int16 after it."""


def broadcasts_to(shape: Shape, target: Shape) -> bool:
    """Whether an array of `shape` broadcasts to exactly `target`."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def op_input_shape(pre_shape: Shape, index: NDArray[np.integer] | None) -> Shape:
    """Shape that a map sees: of the presynaptic population, or of the gather index in front of the map."""
    return pre_shape if index is None else index.shape


def aligned(values: Float, shape: Shape) -> Float:
    """Values that broadcast to `shape`, with its rank, and with length 1 along every axis where they are constant."""
    values = np.asarray(values, np.float64)
    return shrink(values.reshape((1,) * (len(shape) - values.ndim) + values.shape))


def shrink(values: Float) -> Float:
    """Reduce every axis along which `values` is constant to length 1 (keeps parameters per channel small)."""
    for axis in range(values.ndim):
        first = np.take(values, [0], axis=axis)
        if values.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, values.shape), values):
            values = first
    return values
