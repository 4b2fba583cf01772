"""The ANN as the front ends deliver it: a graph of few operations over one sample, weights as numpy arrays.

Front ends (torch.fx today) rewrite everything a user may write into these operations; nothing behind this module knows
about torch modules. Batch norm is an `Affine`; dropout and identity do not appear; flatten, reshape, permute, slice,
zero padding, channel shuffle, split and nearest upsampling are all `Reindex`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import Activation
from loihi_onespike.core.maps import LinearMap, Shape, Window


@dataclass(frozen=True)
class Input:
    """The input of the network, one sample of the node's shape."""


@dataclass(frozen=True, eq=False)
class Linear:
    """y = op(x) + bias (convolution, fully connected, average pooling, sparse aggregation).

    Attributes:
        op: the linear map, float weights.
        bias: broadcastable to the output shape, None for none.
        scale: factor per output place, broadcastable to the output shape, None for 1: y = scale · op(x) + bias.
            Average pooling is Pool with weight 1 and scale 1 / count.
        macs: multiply-accumulates of the layer that the user wrote, where `op` is a rewrite that counts differently
            (transposed convolution); None for those of `op`.
    """

    op: LinearMap
    bias: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None
    macs: int | None = None


@dataclass(frozen=True, eq=False)
class Affine:
    """y = scale · x + shift (batch norm with running statistics, multiplication and addition of constants).

    Attributes:
        scale, shift: broadcastable to the shape.
    """

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]


@dataclass(frozen=True)
class Activate:
    """y = f(x) for a monotone f, ReLU above all."""

    function: Activation


@dataclass(frozen=True)
class MaxPool:
    """y[c] = max over the window of x[c]; padded places never win."""

    window: Window


@dataclass(frozen=True)
class Add:
    """y = Σ x_i, all of one shape."""


@dataclass(frozen=True)
class Concat:
    """Join along an axis of the sample (0 is the channel axis)."""

    axis: int


@dataclass(frozen=True, eq=False)
class Reindex:
    """y[i] = x.ravel()[index[i]], 0 where index is -1.

    Attributes:
        index: int array of the output shape.
    """

    index: NDArray[np.int32]


@dataclass(frozen=True)
class Finish:
    """Last operation, applied by the host to the values read: softmax, log_softmax, sigmoid or tanh."""

    kind: str


AnnOp: TypeAlias = Input | Linear | Affine | Activate | MaxPool | Add | Concat | Reindex | Finish


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of the graph.

    Attributes:
        name: unique; names become names of populations.
        op: the operation.
        inputs: names of the nodes it reads.
        shape: shape of its value for one sample.
        source: source line of the user's code, for messages.
    """

    name: str
    op: AnnOp
    inputs: tuple[str, ...]
    shape: Shape
    source: str = ""


@dataclass(frozen=True, eq=False)
class AnnGraph:
    """Nodes in topological order: one Input first, the last node is the output.

    Attributes:
        rewrites: what the front end rewrote into what, for the report; every rewrite is exact.
    """

    name: str
    nodes: tuple[Node, ...]
    rewrites: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """The nodes by their names."""
        return {n.name: n for n in self.nodes}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the nodes that read each node."""
        readers: dict[str, list[str]] = {n.name: [] for n in self.nodes}
        for node in self.nodes:
            for name in node.inputs:
                readers[name].append(node.name)
        return {name: tuple(r) for name, r in readers.items()}

    @property
    def output(self) -> Node:
        """The node whose value is the output."""
        return self.nodes[-1]
