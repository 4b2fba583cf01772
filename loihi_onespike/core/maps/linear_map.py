"""The base of all linear maps between feature arrays, the one place where the network multiplies by weights.

A map knows what follows from its definition: shapes, the explicit matrix, sums of weights, counts and scales. What an
executor, the exporter or the mapper makes of a map is an entry in a registry of theirs, see `core.maps.registry`. The
same classes carry float weights (before quantization) and even integers (after it). Shapes are those of one sample,
without the batch: (C, *spatial) for convolution and pooling, (…, features) for dense, (nodes, features) for sparse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.shapes import Array, Float, Shape

Map = TypeVar("Map", bound="LinearMap")


class RowSums(NamedTuple):
    """Sums of the weights onto each neuron, where its window is not cut by a border.

    Attributes:
        positive: Σ max(w, 0), broadcastable to the output.
        negative: Σ max(-w, 0), broadcastable to the output.
    """

    positive: Float
    negative: Float

    @property
    def magnitude(self) -> Float:
        """Σ |w|, broadcastable to the output."""
        return self.positive + self.negative


class InputFactor(NamedTuple):
    """How a map takes a factor of each of its inputs: op(factor · x) = behind · op'(x).

    Attributes:
        on_weights: factor of `weight_values`, None where inputs of different factors share a weight.
        behind: factor behind the map, broadcastable to its output; None for 1.
    """

    on_weights: Float | None
    behind: Float | None


class Folded(NamedTuple):
    """A map with other weights, and the factors that remain around it.

    Attributes:
        op: the map.
        in_front: factor of its input that remains, None for 1.
        behind: factor of its output that remains, None for 1.
    """

    op: LinearMap
    in_front: Float | None
    behind: Float | None


class LinearMap(ABC):
    """y = M x for one sample; every entry of M is one of the stored weights.

    A map is a frozen dataclass with a field `weight`. Its abstract methods are what only its definition tells. All
    others follow from these and are right for every map; a map overrides them where it can do better.
    """

    weight: Any

    # Definition

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of `shape`; raises GraphError where the map does not go over it."""

    @abstractmethod
    def matrix(self, shape: Shape) -> sp.csr_matrix:
        """M in CSR, (post neurons, pre neurons), for x of `shape`.

        The obvious construction straight from the definition: the reference executor computes with it, and all other
        methods and entries are tested against it. It shares no code with them.
        """

    # Sums and counts

    @abstractmethod
    def row_sums(self, rank: int) -> RowSums:
        """Sums of weights onto each neuron of an output with `rank` axes."""

    @abstractmethod
    def largest_weights(self, rank: int) -> Array:
        """max |w| onto each neuron of an output with `rank` axes, broadcastable to it."""

    @property
    @abstractmethod
    def fan_in(self) -> int:
        """Largest number of stored weights onto one neuron."""

    @abstractmethod
    def fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Stored weights that leave each neuron of x, borders included, broadcastable to `shape`."""

    @abstractmethod
    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates of the ANN layer, counted as is usual: padded places count, additions alone do not."""

    # Axes

    @property
    @abstractmethod
    def channel_axis(self) -> int:
        """0: channels come first and the map keeps the places behind them apart; -1: features come last."""

    @property
    @abstractmethod
    def takes_leading_axis(self) -> bool:
        """Whether the same map applies to each sample when a further axis is put in front."""

    @abstractmethod
    def input_shared_axes(self, rank: int) -> tuple[int, ...]:
        """Axes of an input with `rank` axes along which inputs share their weights, so that they need one scale."""

    @abstractmethod
    def output_shared_axes(self, rank: int) -> tuple[int, ...]:
        """Axes of an output with `rank` axes along which neurons share their weights."""

    @abstractmethod
    def kernel_taps(self, shape: Shape) -> int | None:
        """Taps of the kernel that the map applies at every place of x, None where it is no such kernel."""

    # Scales

    @abstractmethod
    def input_factor(self, seen: Float, rank: int) -> InputFactor:
        """How a factor of each input is taken.

        Args:
            seen: the factor as `input_scale` gives it.
            rank: number of axes of the output.
        """

    @abstractmethod
    def output_factor(self, factor: Float) -> Float:
        """A factor of each output, of length 1 along `output_shared_axes`, as a factor of `weight_values`."""

    # What follows

    @property
    def row_magnitude(self) -> float:
        """Largest Σ |w| onto one neuron, the worst case of a synaptic input with spikes of magnitude 1."""
        return float(self.row_sums(1).magnitude.max(initial=0.0))

    @property
    def weight_values(self) -> Array:
        """All stored weights as one dense array."""
        return np.asarray(self.weight)

    def with_weight_values(self: Map, values: Array) -> Map:
        """The same map with other weights, given in the layout of `weight_values`."""
        return self.with_weight(values)

    def with_weight(self: Map, weight: Any) -> Map:
        """The same map with another field `weight`."""
        return replace(self, weight=weight)  # type: ignore[type-var]

    def apply(self, x: Array) -> Array:
        """y of one sample x."""
        return (self.matrix(x.shape) @ x.ravel()).reshape(self.output_shape(x.shape))

    def scale_axes(self, rank: int) -> tuple[int, ...]:
        """Axes of an output with `rank` axes over which its neurons share one scale λ."""
        if rank == 1:
            return (0,)
        return tuple(range(1, rank)) if self.channel_axis == 0 else tuple(range(rank - 1))

    def input_scale(self, full: Float) -> Float | None:
        """λ of the inputs, one for all that share weights, from λ of every input; None where these differ.

        Args:
            full: λ of every input, NaN at places that read nothing; these take any value.
        """
        axes = self.input_shared_axes(full.ndim)
        found = one_along(full, axes)
        return None if found is None else np.where(np.isnan(found), 1.0, found).ravel()

    def with_row_weights(self, channels: int) -> LinearMap:
        """The map in a form whose output channels have weights of their own, beside other groups of synapses.

        Args:
            channels: of the output.
        """
        return self

    def folded(self, in_front: Float, behind: Float) -> Folded:
        """behind · op(in_front · x) with as much of both factors in the weights as the map can take.

        Args:
            in_front: factor of the input with its rank, of length 1 along every axis on which it is constant.
            behind: the same of the output.
        """
        return Folded(self, rest(in_front), rest(behind))

    @property
    def column_axis(self) -> int | None:
        """Axis of x whose entry i is multiplied by weight[:, i] alone; None where inputs cannot be left out."""
        return None

    def nonzero_fan_out(self, shape: Shape) -> NDArray[np.int64]:
        """Weights other than 0 that leave each neuron of x, borders included, broadcastable to `shape`."""
        matrix = self.matrix(shape)
        counts = np.bincount(matrix.indices[matrix.data != 0], minlength=matrix.shape[1])
        return counts.astype(np.int64).reshape(shape)

    @property
    def uniform_fan_out(self) -> int | None:
        """The fan-out of every input where it is known to be the same for all, None otherwise."""
        return None

    @property
    def elementwise(self) -> bool:
        """Whether y = weight · x."""
        return False

    @property
    def single_weight(self) -> bool:
        """Whether all synapses have the same weight, which then is a 0-d array."""
        return False


def one_along(values: Float, axes: tuple[int, ...]) -> Float | None:
    """`values` with length 1 along `axes`, NaN left out; None where they differ along these."""
    low, high = np.fmin.reduce(values, axis=axes, keepdims=True), np.fmax.reduce(values, axis=axes, keepdims=True)
    same = np.allclose(np.nan_to_num(low), np.nan_to_num(high), rtol=1e-12, atol=0)
    return high if same else None


def along(factor: Float, axis: int) -> Float | None:
    """The factor as a vector along one axis; None where it varies along another."""
    return factor.ravel() if factor.size == factor.shape[axis] else None


def rest(factor: Float) -> Float | None:
    """The factor, None where it is 1."""
    return None if np.all(factor == 1) else factor


def unless(taken: Float | None, factor: Float) -> Float | None:
    """What remains of a factor: nothing where the weights have taken it."""
    return None if taken is not None else rest(factor)


def sums_of_rows(rows: Array, shape: Shape) -> RowSums:
    """Sums over the last axis of `rows`, reshaped."""
    rows = np.asarray(rows, np.float64)
    return RowSums(np.maximum(rows, 0).sum(-1).reshape(shape), np.maximum(-rows, 0).sum(-1).reshape(shape))


def assemble(
    values: list[Array], rows: list[NDArray[np.int64]], columns: list[NDArray[np.int64]], shape: Shape
) -> sp.csr_matrix:
    """A matrix in CSR from lists of entries of any shape; equal places are added up.

    Args:
        values: the weights.
        rows: post neuron of each weight.
        columns: pre neuron of each weight.
        shape: shape of the matrix.
    """
    flat = [np.concatenate([part.ravel() for part in parts]) for parts in (values, rows, columns)]
    return sp.csr_matrix((flat[0], (flat[1], flat[2])), shape=shape)
