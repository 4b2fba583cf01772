"""Max pooling moves behind the ReLU that it commutes with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.core.activations import IDENTITY, RELU, Activation
from loihi_onespike.core.graphs.ann import Activate, Affine, AnnGraph, AnnOp, Input, MaxPool, Node
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Window
from tests.support.ann_eval import nodes_after

POOL = MaxPool(Window((2,), (2,), ((0, 0),), (1,)))
ZERO = np.zeros(())


def chain(*ops: AnnOp, channels: int = 2) -> AnnGraph:
    """Input of eight places and operations one behind the other, named by letters."""
    nodes = [Node("x", Input(), (), (channels, 8))]
    for name, op in zip("abcdef", ops, strict=False):
        before = nodes[-1]
        places = before.shape[1] // 2 if isinstance(op, MaxPool) else before.shape[1]
        nodes.append(Node(name, op, (before.name,), (channels, places)))
    return verify_ann(AnnGraph("chain", tuple(nodes)))


def moved(graph: AnnGraph) -> list[str]:
    """Names of the nodes after the pass, which must compute the same."""
    return nodes_after(pool_last, graph)


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


def test_factors_that_are_positive_are_passed_too() -> None:
    norm = Affine(np.array([[2.0], [0.5]]), np.array([[-0.3], [0.3]]))
    graph = replace(chain(POOL, norm, Affine(np.array(3.0), np.array(0.1)), Activate(RELU), norm), rewrites=("first",))
    assert moved(graph) == ["x", "b", "c", "d", "a", "e"]
    assert pool_last(graph)[1] == (
        "first",
        "a: max pooling moved behind b, which it commutes with",
        "a: max pooling moved behind c, which it commutes with",
        "a: max pooling moved behind d, which it commutes with",
    )


def test_two_poolings_in_a_row_change_places_with_the_relu_one_after_the_other() -> None:
    assert moved(chain(POOL, Activate(RELU), POOL, Activate(RELU))) == ["x", "b", "d", "a", "c"]


@pytest.mark.parametrize(
    ("scale", "shift", "channels"),
    [
        (np.array([[2.0], [-1.0]]), ZERO, 2),  # turns signs
        (np.array([[2.0], [0.0]]), ZERO, 2),  # a constant channel
        (np.array([[1.0, 2.0, 3.0, 4.0]]), ZERO, 2),  # differs between places
        (np.array(1.0), np.array([[1.0, 2.0, 3.0, 4.0]]), 2),
        (np.array([1.0, 2.0, 3.0, 4.0]), ZERO, 4),  # of places, though there are as many channels
    ],
)
def test_other_factors_stay_behind_the_pooling(scale: np.ndarray, shift: np.ndarray, channels: int) -> None:
    assert moved(chain(POOL, Affine(scale, shift), Activate(RELU), channels=channels)) == ["x", "a", "b", "c"]


@pytest.mark.parametrize("function", [IDENTITY, None])
def test_without_a_relu_behind_it_pooling_stays(function: Activation | None) -> None:
    last = () if function is None else (Activate(function),)
    assert moved(chain(POOL, Affine(np.array(2.0), ZERO), *last))[:3] == ["x", "a", "b"]


def test_what_something_else_reads_too_stays() -> None:
    one, two = (Node(name, Activate(RELU), ("a",), (2, 4)) for name in ("one", "two"))
    start = chain(POOL).nodes
    two_readers = AnnGraph("twice", (*start, one, two), (), ("one", "two"), OutputForm.of_tuple(2))
    assert pool_last(verify_ann(two_readers)) == (two_readers, ())
    output_too = AnnGraph("output", (*start, one), (), ("a", "one"), OutputForm.of_tuple(2))
    assert pool_last(verify_ann(output_too)) == (output_too, ())
