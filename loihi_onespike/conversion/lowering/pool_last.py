"""Pass ANN → ANN that moves max pooling behind the following ReLU.

The maximum over a window commutes with every non-decreasing function, so pool → affine (positive factors) → ReLU equals
affine → ReLU → pool. Pooling by the first spike needs the second form, in which no pooled value is negative.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.core.graphs.ann import Activate, Affine, AnnGraph, MaxPool, Node
from loihi_onespike.core.maps import Shape


def pool_last(graph: AnnGraph) -> tuple[AnnGraph, tuple[str, ...]]:
    """The rewritten graph, and a line for each rewrite, those of the front end first."""
    notes: list[str] = []
    changed = True
    while changed:
        changed = False
        for pool in graph.nodes:
            follower = _follower(graph, pool)
            if follower is not None:
                graph = _swap(graph, pool, follower)
                notes.append(f"{pool.name}: max pooling moved behind {follower.name}, which it commutes with")
                changed = True
                break
    return graph, (*graph.rewrites, *notes)


def _follower(graph: AnnGraph, pool: Node) -> Node | None:
    """The node behind the pooling if the two commute and a ReLU follows, otherwise None."""
    if not isinstance(pool.op, MaxPool):
        return None
    node, first = pool, None
    while len(graph.consumers[node.name]) == 1 and node.name not in graph.several:
        (reader,) = graph.consumers[node.name]
        node = graph.by_name[reader]
        first = first or node
        if isinstance(node.op, Activate) and node.op.function.nonnegative:
            return first
        if not (isinstance(node.op, Affine) and _per_channel(node.op, node.shape) and np.all(node.op.scale > 0)):
            return None
    return None


def _per_channel(op: Affine, shape: Shape) -> bool:
    """Whether scale and shift are constant over the spatial axes."""
    return all(a.ndim == 0 or (a.ndim == len(shape) and set(a.shape[1:]) <= {1}) for a in (op.scale, op.shift))


def _swap(graph: AnnGraph, pool: Node, follower: Node) -> AnnGraph:
    (read,) = pool.inputs
    before = graph.by_name[read]
    moved = replace(follower, inputs=pool.inputs, shape=before.shape)
    pooled = replace(pool, inputs=(follower.name,))
    readers = {
        n.name: replace(n, inputs=tuple(pool.name if i == follower.name else i for i in n.inputs))
        for n in graph.nodes
        if follower.name in n.inputs
    }
    nodes = []
    for node in graph.nodes:
        if node is pool:
            nodes += [moved, pooled]
        elif node is not follower:
            nodes.append(readers.get(node.name, node))
    return replace(graph, nodes=tuple(nodes))
