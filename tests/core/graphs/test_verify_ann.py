"""Each rule of an ANN graph, broken once: the error names the node."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.ann import (
    Activate,
    Add,
    Affine,
    AnnGraph,
    Concat,
    Input,
    Linear,
    MaxPool,
    Node,
    Reindex,
)
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Conv, Window
from loihi_onespike.errors import GraphError

X = Node("x", Input(), (), (2, 4))
CONV = Linear(Conv(np.ones((3, 2, 2)), Window.plain((2,))))
VALID = (
    X,
    Node("conv", CONV, ("x",), (3, 3)),
    Node("scaled", Affine(np.ones((3, 1)), np.zeros(())), ("conv",), (3, 3)),
    Node("relu", Activate(RELU), ("scaled",), (3, 3)),
    Node("pool", MaxPool(Window.plain((2,))), ("relu",), (3, 2)),
    Node("part", Reindex(np.zeros((1, 2), np.int32)), ("x",), (1, 2)),
    Node("joined", Concat(0), ("pool", "part"), (4, 2)),
    Node("sum", Add(), ("joined", "joined"), (4, 2)),
)


def test_every_operation_with_the_shape_that_follows_by_hand() -> None:
    graph = AnnGraph("valid", VALID)
    assert verify_ann(graph) is graph


@pytest.mark.parametrize("place", range(1, len(VALID)))
def test_a_shape_that_does_not_follow(place: int) -> None:
    node = VALID[place]
    wrong = Node(node.name, node.op, node.inputs, (9, 9))
    with pytest.raises(
        GraphError, match=rf"^{node.name}: \w+ gives shape \({node.shape[0]}, {node.shape[1]}\), the node"
    ):
        verify_ann(AnnGraph("wrong", (*VALID[:place], wrong)))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((X, X), "^x: name used twice"),
        ((VALID[1],), "^conv: exactly one input, in the first place"),
        ((X, Node("y", Input(), (), (2, 4))), "^y: exactly one input, in the first place"),
        ((X, VALID[3]), r"^relu: reads \['scaled'\], which do not stand before it"),
        ((X, VALID[5], Node("sum", Add(), ("x", "part"), (2, 4))), r"^sum: adds shapes \[\(2, 4\), \(1, 2\)\]"),
    ],
)
def test_order_names_and_sums(nodes: tuple[Node, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        verify_ann(AnnGraph("wrong", nodes))
