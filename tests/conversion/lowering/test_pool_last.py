"""Max pooling moves behind the ReLU that it commutes with."""

from __future__ import annotations

from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, Input, MaxPool, Node
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Window

POOL = MaxPool(Window((2,), (2,), ((0, 0),), (1,)))


def test_pool_and_relu_change_places() -> None:
    nodes = (
        Node("x", Input(), (), (1, 4)),
        Node("pool", POOL, ("x",), (1, 2)),
        Node("relu", Activate(RELU), ("pool",), (1, 2)),
    )
    graph, notes = pool_last(verify_ann(AnnGraph("pooled", nodes)))
    assert [(n.name, n.inputs, n.shape) for n in verify_ann(graph).nodes] == [
        ("x", (), (1, 4)),
        ("relu", ("x",), (1, 4)),
        ("pool", ("relu",), (1, 2)),
    ]
    assert notes == ("pool: max pooling moved behind relu, which it commutes with",)


def test_pooling_behind_the_relu_stays() -> None:
    nodes = (
        Node("x", Input(), (), (1, 4)),
        Node("relu", Activate(RELU), ("x",), (1, 4)),
        Node("pool", POOL, ("relu",), (1, 2)),
    )
    graph = AnnGraph("pooled", nodes)
    assert pool_last(graph) == (graph, ())
