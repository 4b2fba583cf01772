"""Pass ANN → ANN that moves an aggregation in front of the preceding layer (docs/arithmetic.md, The neuron).

    A (x W + b) = (A x) W + (A 1) b        A (s ⊙ x + t) = s ⊙ (A x) + (A 1) t

The rewrite is exact. Without it x W would have a population of its own, whose values have both signs; with it every
population is behind a ReLU and has values that are not negative.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.ann import Affine, AnnGraph, Linear, Node
from loihi_onespike.core.maps import Dense, Sparse

Float = NDArray[np.float64]


def aggregate_first(graph: AnnGraph, keep: frozenset[str] = frozenset()) -> tuple[AnnGraph, tuple[str, ...]]:
    """The rewritten graph, and a line for each rewrite.

    Args:
        graph: the ANN.
        keep: nodes that no aggregation may read directly, such as an adjacency that is the input, since A · A would not
            be sparse.
    """
    notes: list[str] = []
    while True:
        found = next(((s, p) for s in graph.nodes if (p := _predecessor(graph, s, keep)) is not None), None)
        if found is None:
            return _live(graph), tuple(notes)
        sparse, before = found
        graph = _swapped(graph, sparse, before)
        notes.append(f"{sparse.name}: aggregates before {before.name}, A (x W) = (A x) W")


def _predecessor(graph: AnnGraph, node: Node, keep: frozenset[str]) -> Node | None:
    """The layer in front of an aggregation if the two commute, otherwise None."""
    if not isinstance(node.op, Linear) or not isinstance(node.op.op, Sparse) or node.op.scale is not None:
        return None
    (read,) = node.inputs
    before = graph.by_name[read]
    op = before.op
    if not isinstance(op, Linear | Affine) or len(before.shape) != 2:
        return None
    (inner,) = before.inputs
    if inner in keep:
        return None
    if isinstance(op, Linear):
        commutes = isinstance(op.op, Dense) and op.scale is None
    else:  # factors may differ between features, but not between nodes
        commutes = before.shape == graph.by_name[inner].shape and (op.scale.ndim < 2 or op.scale.shape[0] == 1)
    return before if commutes else None


def _swapped(graph: AnnGraph, sparse: Node, before: Node) -> AnnGraph:
    assert isinstance(sparse.op, Linear) and isinstance(sparse.op.op, Sparse)
    matrix, bias = sparse.op.op.weight, sparse.op.bias
    (inner,) = before.inputs
    aggregated = next((n for n in graph.nodes if n.inputs == (inner,) and _is_plain(n, sparse.op.op)), None)
    made = aggregated is None
    if aggregated is None:
        op = Linear(sparse.op.op)
        shape = (matrix.shape[0], *graph.by_name[inner].shape[1:])
        aggregated = Node(_fresh(graph, f"{sparse.name}.aggregate"), op, (inner,), shape, sparse.source)
    if isinstance(before.op, Linear):
        shift = _plus(_aggregated(matrix, before.op.bias, before.shape), bias)
        after = replace(sparse, op=replace(before.op, bias=shift), inputs=(aggregated.name,))
    else:
        assert isinstance(before.op, Affine)
        shift = _plus(_aggregated(matrix, before.op.shift, before.shape), bias)
        after = replace(
            sparse, op=Affine(before.op.scale, np.zeros(()) if shift is None else shift), inputs=(aggregated.name,)
        )
    nodes: list[Node] = []
    for node in graph.nodes:
        if node is sparse:
            nodes += [aggregated, after] if made else [after]
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _is_plain(node: Node, op: Sparse) -> bool:
    """Whether the node is the same aggregation without bias, which several layers on one value can share."""
    return isinstance(node.op, Linear) and node.op.op is op and node.op.bias is None and node.op.scale is None


def _aggregated(matrix: object, constant: Float | None, shape: tuple[int, ...]) -> Float | None:
    """A · constant, (nodes, features); None for a constant of zero."""
    if constant is None or not np.any(constant):
        return None
    return matrix @ np.broadcast_to(constant, shape).astype(np.float64)  # type: ignore[operator]


def _plus(a: Float | None, b: Float | None) -> Float | None:
    return b if a is None else a if b is None else a + b


def _fresh(graph: AnnGraph, name: str) -> str:
    unique, count = name, 0
    while unique in graph.by_name:
        count += 1
        unique = f"{name}_{count}"
    return unique


def _live(graph: AnnGraph) -> AnnGraph:
    """The graph without nodes that nothing reads; the input stays."""
    wanted = {node.name for node in graph.outputs}
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    return replace(graph, nodes=tuple(n for n in graph.nodes if n.name in wanted or not n.inputs))
