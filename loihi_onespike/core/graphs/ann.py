"""The ANN as a graph of ten operations on real numbers, the result of the front end.

The front end expresses every supported operation of torch, torch.export or ONNX by these ten; later code knows nothing
of torch modules. Batch norm becomes `Affine`; dropout and identity disappear; flatten, reshape, permute, slice, zero
padding, channel shuffle, split and nearest upsampling become `Reindex`. A matrix product of two activations is a
`Reindex` of each, a `Multiply` and a sum. Shapes are those of one sample, without the batch axis: (C, H, W) for feature
maps, (features,) for vectors, (nodes, features) for graphs. Weights are numpy arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import Activation
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.core.maps import LinearMap, Shape, Window


@dataclass(frozen=True)
class Input:
    """The input of the network; its node has the shape of one sample."""


@dataclass(frozen=True, eq=False)
class Linear:
    """y = scale · op(x) + bias: convolution, fully connected layer, average pooling, sparse aggregation.

    Attributes:
        op: the linear map, with float weights.
        bias: broadcastable to the output shape; None for no bias.
        scale: factor per output, broadcastable to the output shape; None for 1. Average pooling is a `Pool` with
            weight 1 and the scale 1 / (size of the window).
        macs: multiply-accumulates of the layer in the user's model where those of `op` differ (transposed convolution);
            None where they do not.
    """

    op: LinearMap
    bias: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None
    macs: int | None = None


@dataclass(frozen=True, eq=False)
class Affine:
    """y = scale · x + shift (batch norm with running statistics, multiplication and addition of constants).

    Attributes:
        scale, shift: broadcastable to the shape of x.
    """

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]


@dataclass(frozen=True)
class Activate:
    """y = f(x), elementwise, for a non-decreasing f such as ReLU.

    Attributes:
        function: f.
    """

    function: Activation


@dataclass(frozen=True)
class MaxPool:
    """y[c, p] = maximum of x[c] over the window at output place p; padded places are not in the maximum.

    Attributes:
        window: kernel, stride, padding and dilation of the window.
    """

    window: Window


@dataclass(frozen=True)
class Add:
    """y = Σ x_i, where all inputs have one shape."""


@dataclass(frozen=True)
class Multiply:
    """y = x_1 · x_2, elementwise, where both inputs have one shape; a `Reindex` broadcasts a smaller factor first."""


@dataclass(frozen=True)
class Concat:
    """y = concatenation of the inputs.

    Attributes:
        axis: axis of the sample along which the inputs are joined; 0 is the channel axis.
    """

    axis: int


@dataclass(frozen=True, eq=False)
class Reindex:
    """y[i] = x.ravel()[index[i]], 0 where index[i] is -1: a gather.

    Attributes:
        index: indices into the flat input, int32, with the shape of the output.
    """

    index: NDArray[np.int32]


@dataclass(frozen=True)
class Finish:
    """Last operation of the network, which the host computes from the values of the readout.

    Attributes:
        kind: sigmoid, tanh, or softmax and log_softmax with the ending of their axis (`core.encoding.SOFTMAX_AXES`),
            none for the first axis of the sample.
    """

    kind: str


AnnOp: TypeAlias = Input | Linear | Affine | Activate | MaxPool | Add | Multiply | Concat | Reindex | Finish


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of the graph.

    Attributes:
        name: unique name; populations take their names from nodes.
        op: the operation.
        inputs: names of the nodes that it reads.
        shape: shape of its value for one sample.
        source: source line of the user's code, for messages; empty when unknown.
    """

    name: str
    op: AnnOp
    inputs: tuple[str, ...]
    shape: Shape
    source: str = ""


@dataclass(frozen=True, eq=False)
class AnnGraph:
    """The ANN as nodes in topological order; the rules are those of `verify_ann`.

    Attributes:
        name: name of the network.
        nodes: the single `Input` first, an output last.
        rewrites: a line per exact rewrite of the front end, for the report.
        several: names of the nodes whose values are the outputs, where there is more than one, in the order of their
            numbers in `form`; empty for one output, which is then the last node.
        form: what the model returns around several outputs; None for one output.
    """

    name: str
    nodes: tuple[Node, ...]
    rewrites: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    form: OutputForm | None = None

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
        """The node whose value is the output, in a graph with one."""
        (only,) = self.outputs
        return only

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The nodes whose values are the outputs."""
        return tuple(self.by_name[name] for name in self.several) or (self.nodes[-1],)
