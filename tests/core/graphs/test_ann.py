"""Who reads whom in an ANN graph."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.ann import Activate, Add, AnnGraph, Input, Linear, Node
from loihi_onespike.core.maps import Dense

GRAPH = AnnGraph(
    "residual",
    (
        Node("x", Input(), (), (2,)),
        Node("fc", Linear(Dense(np.eye(2))), ("x",), (2,)),
        Node("relu", Activate(RELU), ("fc",), (2,)),
        Node("sum", Add(), ("relu", "x"), (2,)),
    ),
)


def test_consumers_in_the_order_of_the_nodes() -> None:
    assert GRAPH.consumers == {"x": ("fc", "sum"), "fc": ("relu",), "relu": ("sum",), "sum": ()}


def test_a_node_that_reads_a_value_twice_is_named_twice() -> None:
    doubled = AnnGraph("doubled", (GRAPH.nodes[0], Node("sum", Add(), ("x", "x"), (2,))))
    assert doubled.consumers["x"] == ("sum", "sum")


def test_nodes_by_name_and_the_output() -> None:
    assert GRAPH.by_name["relu"] is GRAPH.nodes[2]
    assert GRAPH.output is GRAPH.nodes[3]
