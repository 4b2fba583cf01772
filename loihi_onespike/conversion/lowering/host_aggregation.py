"""Rewrites of a traced graph network that concern its input: what the host aggregates, and what counts as MACs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.adjacency import PLAIN, Aggregate, Aggregation
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.ann import AnnGraph, Linear, Node
from loihi_onespike.core.maps import Sparse


def aggregate_on_host(graph: AnnGraph) -> tuple[AnnGraph, Aggregation, int, tuple[str, ...]]:
    """Take aggregations of the features, which are constants, out of the network.

    Only where everything that reads the features reads them aggregated by one matrix, which follows from the arguments
    of the model in a known form.

    Returns:
        the graph, that form, how often the features are aggregated, a line for each rewrite.
    """
    form, hops = PLAIN, 0
    notes: list[str] = []
    while True:
        source = graph.nodes[0].name
        readers = [n for n in graph.nodes if source in n.inputs]
        forms = {_form(n) for n in readers}
        found = forms.pop() if len(forms) == 1 else None
        if found is None or (hops and found != form) or any(n in graph.outputs for n in readers):
            return graph, form, hops, tuple(notes)
        form, hops = found, hops + 1
        gone = {n.name for n in readers}
        nodes = tuple(
            replace(n, inputs=tuple(source if i in gone else i for i in n.inputs))
            for n in graph.nodes
            if n.name not in gone
        )
        graph = replace(graph, nodes=nodes)
        notes.append(f"{', '.join(sorted(gone))}: computed by the host, A · X of constants is the input")


def _form(node: Node) -> Aggregation | None:
    op = node.op
    if isinstance(op, Linear) and isinstance(op.op, Aggregate) and op.bias is None and op.scale is None:
        return op.op.form
    return None


def count_stored(graph: AnnGraph, sample: NDArray[np.floating] | SparseSample) -> AnnGraph:
    """Layers that read a sparse input multiply its stored entries alone: non-zeros times outputs."""
    if not isinstance(sample, SparseSample):
        return graph
    source, count = graph.nodes[0].name, sample.nonzeros

    def counted(node: Node) -> Node:
        entry = _macs_per_entry(graph, node) if source in node.inputs else None
        if entry is None or not isinstance(node.op, Linear):
            return node
        return replace(node, op=replace(node.op, macs=count * entry))

    return replace(graph, nodes=tuple(counted(n) for n in graph.nodes))


def plain_sparse(graph: AnnGraph) -> AnnGraph:
    """Aggregations as the sparse maps they are; where their matrix came from matters no longer."""

    def plain(node: Node) -> Node:
        if isinstance(node.op, Linear) and isinstance(node.op.op, Aggregate):
            return replace(node, op=replace(node.op, op=Sparse(node.op.op.weight)))
        return node

    return replace(graph, nodes=tuple(plain(n) for n in graph.nodes))


def macs_as_written(graph: AnnGraph, nonzeros: int | None) -> int:
    """Multiply-accumulates of the model in its own order, A (x W); a sparse input counts its non-zeros."""
    total = 0
    for node in graph.nodes:
        if isinstance(node.op, Linear):
            (read,) = node.inputs
            entry = _macs_per_entry(graph, node) if read == graph.nodes[0].name else None
            if nonzeros is not None and entry is not None:
                total += nonzeros * entry
            else:
                total += node.op.op.macs(graph.by_name[read].shape)
    return total


def _macs_per_entry(graph: AnnGraph, node: Node) -> int | None:
    """MACs that every entry of the input of a linear map causes; None where they differ or are not counted."""
    if not isinstance(node.op, Linear):
        return None
    (read,) = node.inputs
    return node.op.op.uniform_fan_out if node.op.op.macs(graph.by_name[read].shape) else None
