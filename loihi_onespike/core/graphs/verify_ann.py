"""The rules of an ANN graph, as something that runs. Every producer of an `AnnGraph` ends with `verify_ann`."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.graphs.ann import (
    Add,
    Affine,
    AnnGraph,
    Concat,
    Input,
    Linear,
    MaxPool,
    Multiply,
    Node,
    Reindex,
)
from loihi_onespike.core.maps import Shape
from loihi_onespike.errors import GraphError


def verify_ann(graph: AnnGraph) -> AnnGraph:
    """Check order, names and shapes; raises GraphError naming the node."""
    seen: dict[str, Shape] = {}
    for i, node in enumerate(graph.nodes):
        if node.name in seen:
            raise GraphError(f"{node.name}: name used twice")
        if (i == 0) != isinstance(node.op, Input):
            raise GraphError(f"{node.name}: exactly one input, in the first place, is supported")
        missing = [name for name in node.inputs if name not in seen]
        if missing:
            raise GraphError(f"{node.name}: reads {missing}, which do not stand before it")
        expected = _shape(node, [seen[name] for name in node.inputs])
        if expected != node.shape:
            raise GraphError(
                f"{node.name}: {type(node.op).__name__} gives shape {expected}, the node says {node.shape}"
            )
        seen[node.name] = node.shape
    _outputs(graph, seen)
    return graph


def _outputs(graph: AnnGraph, seen: dict[str, Shape]) -> None:
    missing = [name for name in graph.several if name not in seen]
    if missing or len(set(graph.several)) != len(graph.several):
        raise GraphError(f"{graph.name}: outputs must be different nodes of the graph, got {graph.several}")
    if graph.several and graph.nodes[-1].name not in graph.several:
        raise GraphError(f"{graph.name}: the last node must be an output, got {graph.nodes[-1].name}")
    if (0 if graph.form is None else graph.form.count) != len(graph.several):
        raise GraphError(f"{graph.name}: the form of the outputs must be of {len(graph.several)} outputs")


def _shape(node: Node, inputs: list[Shape]) -> Shape:
    match node.op:
        case Input():
            return node.shape
        case Linear(op=op):
            return op.output_shape(inputs[0])
        case MaxPool(window=window):
            return (inputs[0][0], *window.output(inputs[0][1:]))
        case Reindex(index=index):
            return index.shape
        case Concat(axis=axis):
            joined = list(inputs[0])
            joined[axis] = sum(shape[axis] for shape in inputs)
            return tuple(joined)
        case Add():
            if len(set(inputs)) != 1:
                raise GraphError(f"{node.name}: adds shapes {inputs}")
            return inputs[0]
        case Multiply():
            if len(inputs) != 2 or inputs[0] != inputs[1]:
                raise GraphError(f"{node.name}: must multiply two values of one shape, got shapes {inputs}")
            return inputs[0]
        case Affine(scale=scale, shift=shift):
            return np.broadcast_shapes(inputs[0], scale.shape, shift.shape)
    return inputs[0]
