"""Linear maps between feature arrays, the one place where the network multiplies by weights.

A map is data only: executors, the exporter and the mapper each give it a meaning with their own dispatch. The same
classes carry float weights (before quantization) and even integers (after it). Shapes are those of one sample,
without the batch: (C, *spatial) for convolution and pooling, (…, features) for dense, (nodes, features) for sparse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.errors import GraphError

Shape: TypeAlias = tuple[int, ...]
Array: TypeAlias = NDArray[Any]
"""Weights: float64 before quantization, int16 after it."""


def broadcasts_to(shape: Shape, target: Shape) -> bool:
    """An array of `shape` broadcasts to exactly `target`."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


@dataclass(frozen=True)
class Window:
    """Sliding window over the spatial axes of a (C, *spatial) array.

    out_d = floor((in_d + before_d + after_d - dilation_d (kernel_d - 1) - 1) / stride_d) + 1

    Attributes:
        kernel, stride, dilation: one entry per spatial axis.
        padding: (before, after) per spatial axis; padded places carry no spike.
    """

    kernel: Shape
    stride: Shape
    padding: tuple[tuple[int, int], ...]
    dilation: Shape

    def __post_init__(self) -> None:
        lengths = {len(self.kernel), len(self.stride), len(self.padding), len(self.dilation)}
        if len(lengths) != 1:
            raise GraphError(f"window: kernel, stride, padding and dilation differ in rank: {self}")
        if min(self.kernel + self.stride + self.dilation) < 1 or min(min(p) for p in self.padding) < 0:
            raise GraphError(f"window: kernel, stride, dilation must be ≥ 1 and padding ≥ 0, found {self}")

    @classmethod
    def plain(cls, kernel: Shape) -> Window:
        """Stride 1, no padding, no dilation."""
        ones = (1,) * len(kernel)
        return cls(kernel, ones, ((0, 0),) * len(kernel), ones)

    def output(self, spatial: Shape) -> Shape:
        """Spatial output shape; raises GraphError when the window does not fit."""
        if len(spatial) != len(self.kernel):
            raise GraphError(f"window of rank {len(self.kernel)} over spatial shape {spatial}")
        geometry = zip(spatial, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        out = tuple((n + lo + hi - d * (k - 1) - 1) // s + 1 for n, k, s, (lo, hi), d in geometry)
        if min(out, default=1) < 1:
            raise GraphError(f"window {self.kernel} with dilation {self.dilation} does not fit into {spatial}")
        return out


@dataclass(frozen=True, eq=False)
class Conv:
    """y[o] = Σ_i W[o, i] ⋆ x[i] (cross-correlation, as in torch).

    Attributes:
        weight: (O, I / groups, *kernel).
        window: geometry; window.kernel equals weight.shape[2:].
        groups: groups of channels; depthwise when equal to I.
    """

    weight: Array
    window: Window
    groups: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        channels, per_group = shape[0], self.weight.shape[1]
        if channels != per_group * self.groups or self.weight.shape[0] % self.groups:
            raise GraphError(f"convolution of {per_group}·{self.groups} input channels over {channels} channels")
        return (self.weight.shape[0], *self.window.output(shape[1:]))


@dataclass(frozen=True, eq=False)
class Dense:
    """y[…, o] = Σ_i W[o, i] x[…, i].

    Attributes:
        weight: (O, I), applied to the last axis.
    """

    weight: Array

    def output_shape(self, shape: Shape) -> Shape:
        if shape[-1] != self.weight.shape[1]:
            raise GraphError(f"dense map of {self.weight.shape[1]} inputs over shape {shape}")
        return (*shape[:-1], self.weight.shape[0])


@dataclass(frozen=True, eq=False)
class Diagonal:
    """y = w · x, one synapse per neuron (residual shortcuts, batch norm after concatenation, relays).

    Attributes:
        weight: broadcastable to the shape of x.
    """

    weight: Array

    def output_shape(self, shape: Shape) -> Shape:
        if not broadcasts_to(self.weight.shape, shape):
            raise GraphError(f"diagonal weight of shape {self.weight.shape} over shape {shape}")
        return shape


@dataclass(frozen=True, eq=False)
class Sparse:
    """y[m, …] = Σ_n A[m, n] x[n, …] along the first axis (nodes of a graph).

    Attributes:
        weight: (M, N) in CSR.
    """

    weight: sp.csr_matrix

    def output_shape(self, shape: Shape) -> Shape:
        if shape[0] != self.weight.shape[1]:
            raise GraphError(f"sparse map of {self.weight.shape[1]} nodes over shape {shape}")
        return (self.weight.shape[0], *shape[1:])


@dataclass(frozen=True, eq=False)
class Pool:
    """y[c] = w Σ_window x[c], every channel by itself (average pooling, and the fan-in of max pooling).

    Attributes:
        window: geometry over the spatial axes.
        weight: the same weight for every synapse, as a 0-d array.
    """

    window: Window
    weight: Array

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *self.window.output(shape[1:]))


LinearMap: TypeAlias = Conv | Dense | Diagonal | Sparse | Pool


def with_weight(op: LinearMap, weight: Array | sp.csr_matrix) -> LinearMap:
    """The same map with other weights of the same layout."""
    return replace(op, weight=weight)


def weight_values(op: LinearMap) -> Array:
    """All stored weights as a dense array (for a sparse map its non-zeros)."""
    return op.weight.data if isinstance(op, Sparse) else op.weight


def op_input_shape(pre_shape: Shape, index: NDArray[np.integer] | None) -> Shape:
    """Shape that a map sees: of the presynaptic population, or of the gather index in front of the map."""
    return pre_shape if index is None else index.shape
