"""A (x W + b) = (A x) W + (A 1) b, by hand for three nodes."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from loihi_onespike.conversion.lowering.aggregate_first import aggregate_first
from loihi_onespike.core.graphs.ann import AnnGraph, Input, Linear, Node
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Dense, Sparse

A = sp.csr_matrix(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))


def test_the_aggregation_comes_before_the_layer() -> None:
    layer = Linear(Dense(np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([1.0, -1.0]))
    nodes = (
        Node("x", Input(), (), (3, 2)),
        Node("layer", layer, ("x",), (3, 2)),
        Node("sum", Linear(Sparse(A)), ("layer",), (3, 2)),
    )
    graph, notes = aggregate_first(AnnGraph("gcn", nodes))
    assert [n.name for n in verify_ann(graph).nodes] == ["x", "sum.aggregate", "sum"]
    last = graph.output.op
    assert isinstance(last, Linear) and isinstance(last.op, Dense) and last.bias is not None
    assert last.bias.tolist() == [[1, -1], [2, -2], [1, -1]]  # a row sum of A times b
    assert notes == ("sum: aggregates before layer, A (x W) = (A x) W",)


def test_values_that_are_kept_are_not_aggregated() -> None:
    nodes = (
        Node("x", Input(), (), (3, 2)),
        Node("layer", Linear(Dense(np.eye(2))), ("x",), (3, 2)),
        Node("sum", Linear(Sparse(A)), ("layer",), (3, 2)),
    )
    graph, notes = aggregate_first(AnnGraph("gcn", nodes), frozenset({"x"}))
    assert [n.name for n in graph.nodes] == ["x", "layer", "sum"] and notes == ()
