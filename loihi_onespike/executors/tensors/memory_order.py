"""The order in which kernels hold the neurons of a population: feature maps with their channels last."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape


def memory_order(values: NDArray[Any]) -> NDArray[Any]:
    """(B, *shape) as (B, neurons) in the order in which the kernels hold it: maps with their channels last."""
    moved = np.moveaxis(values, 1, -1) if values.ndim > 3 else values
    return moved.reshape(len(values), -1)


def from_memory(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The inverse of `memory_order`, as a view.

    With one channel or one place both orders are the same; the view is then a plain one, since torch 2.3 reads beyond
    the values of a convolution's input that has one channel and the strides of channels-last memory.
    """
    if len(shape) < 3 or shape[0] == 1 or prod(shape[1:]) == 1:
        return values.reshape(len(values), *shape)
    return np.moveaxis(values.reshape(len(values), *shape[1:], shape[0]), -1, 1)


def memory_positions(shape: Shape) -> NDArray[np.int64]:
    """Place of every neuron of a population in `memory_order`, by its flat index."""
    order = memory_order(np.arange(prod(shape)).reshape(1, *shape))[0]
    positions = np.empty(len(order), np.int64)
    positions[order] = np.arange(len(order))
    return positions
