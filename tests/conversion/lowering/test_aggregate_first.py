"""A (x W + b) = (A x) W + (A 1) b, by hand for three nodes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.conversion.lowering.aggregate_first import aggregate_first
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.ann import Activate, Add, Affine, AnnGraph, AnnOp, Input, Linear, Node
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Conv, Dense, Sparse, Window
from tests.support.ann_eval import nodes_after

A = sp.csr_matrix(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))

SUM = Sparse(A)
W = Dense(np.array([[1.0, 2.0], [3.0, 4.0]]))


def chain(*ops: tuple[str, AnnOp], shape: tuple[int, ...] = (3, 2)) -> AnnGraph:
    """Named operations one behind the other, all of one shape, behind the input."""
    nodes = [Node("x", Input(), (), shape)]
    for name, op in ops:
        nodes.append(Node(name, op, (nodes[-1].name,), shape))
    return verify_ann(AnnGraph("gcn", tuple(nodes)))


def rewritten(graph: AnnGraph) -> list[str]:
    """Names of the nodes after the pass, which must compute the same."""
    return nodes_after(aggregate_first, graph)


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


@pytest.mark.parametrize("bias", [None, np.zeros(2), np.array([1.0, -1.0])])
@pytest.mark.parametrize("own", [None, np.array([[0.5], [0.0], [2.0]])])
def test_the_biases_of_layer_and_aggregation_add_up(bias: np.ndarray | None, own: np.ndarray | None) -> None:
    graph = chain(("layer", Linear(W, bias)), ("sum", Linear(SUM, own)))
    assert rewritten(graph) == ["x", "sum.aggregate", "sum"]
    last = aggregate_first(graph)[0].output.op
    assert isinstance(last, Linear) and (last.bias is None) == (own is None and (bias is None or not np.any(bias)))


@pytest.mark.parametrize("scale", [np.array(2.0), np.array([2.0, -1.0]), np.array([[2.0, -1.0]])])
@pytest.mark.parametrize("shift", [np.zeros(2), np.array([1.0, 3.0])])
def test_factors_of_the_features_are_passed(scale: np.ndarray, shift: np.ndarray) -> None:
    assert rewritten(chain(("norm", Affine(scale, shift)), ("sum", Linear(SUM)))) == ["x", "sum.aggregate", "sum"]
    with_bias = chain(("norm", Affine(scale, shift)), ("sum", Linear(SUM, np.array([0.5, -0.5]))))
    assert rewritten(with_bias) == ["x", "sum.aggregate", "sum"]


def test_a_chain_is_passed_to_its_start() -> None:
    graph = chain(("norm", Affine(np.array(2.0), np.ones(()))), ("layer", Linear(W)), ("sum", Linear(SUM)))
    assert rewritten(graph) == ["x", "sum.aggregate.aggregate", "sum.aggregate", "sum"]
    assert aggregate_first(graph)[1] == (
        "sum: aggregates before layer, A (x W) = (A x) W",
        "sum.aggregate: aggregates before norm, A (x W) = (A x) W",
    )


@pytest.mark.parametrize(
    ("in_front", "behind"),
    [
        (Linear(W, None, np.array([1.0, 2.0])), Linear(SUM)),
        (Linear(W), Linear(SUM, None, np.array(2.0))),
        (Linear(SUM), Linear(SUM)),
        (Linear(W), Linear(W)),
        (Affine(np.array([[1.0], [2.0], [3.0]]), np.zeros(())), Linear(SUM)),  # a factor per node
        (Activate(RELU), Linear(SUM)),
    ],
)
def test_what_does_not_commute_stays(in_front: AnnOp, behind: AnnOp) -> None:
    graph = chain(("first", in_front), ("second", behind))
    found, notes = aggregate_first(graph)
    assert found.nodes == graph.nodes and notes == ()


def test_other_shapes_stay() -> None:
    """A constant for every node of one value is no factor per feature, and neither nodes nor features are an image."""
    wider = AnnGraph(
        "wider",
        (
            Node("x", Input(), (), (3, 1)),
            Node("first", Affine(np.ones((1, 2)), np.zeros(())), ("x",), (3, 2)),
            Node("sum", Linear(SUM), ("first",), (3, 2)),
        ),
    )
    kernel = Linear(Conv(np.ones((3, 3, 1, 1)), Window.plain((1, 1))))
    image = chain(("first", kernel), ("sum", Linear(SUM)), shape=(3, 2, 2))
    deeper = chain(("first", Linear(W)), ("sum", Linear(SUM)), shape=(3, 2, 2))
    flat = chain(("first", Affine(np.array(2.0), np.zeros(()))), ("sum", Linear(SUM)), shape=(3,))
    for graph in (verify_ann(wider), image, deeper, flat):
        assert aggregate_first(graph)[0].nodes == graph.nodes


def test_an_aggregation_onto_other_nodes() -> None:
    nodes = chain(("layer", Linear(W, np.array([1.0, -1.0])))).nodes
    onto_two = Node("sum", Linear(Sparse(A[:2])), ("layer",), (2, 2))
    assert rewritten(verify_ann(AnnGraph("gcn", (*nodes, onto_two)))) == ["x", "sum.aggregate", "sum"]


def test_a_sum_of_two_values_stays() -> None:
    nodes = chain(("one", Activate(RELU))).nodes
    added = Node("added", Add(), ("x", "one"), (3, 2))
    graph = verify_ann(AnnGraph("gcn", (*nodes, added, Node("sum", Linear(SUM), ("added",), (3, 2)))))
    assert rewritten(graph) == ["x", "one", "added", "sum"]


def test_layers_on_one_value_share_its_aggregation() -> None:
    """Only that of the same matrix without bias, and names that are taken stay those of others."""
    shape = (3, 2)
    nodes = [Node("x", Input(), (), shape)]
    for name, op in (("a", SUM), ("b", SUM), ("c", Sparse(A))):
        nodes.append(Node(f"layer_{name}", Linear(W, np.array([1.0, 2.0])), ("x",), shape))
        nodes.append(Node(f"sum_{name}", Linear(op, np.array([0.5, 0.0])), (f"layer_{name}",), shape))
    nodes.append(Node("sum_c.aggregate", Activate(RELU), ("sum_a",), shape))
    nodes.append(Node("sum_c.aggregate_1", Activate(RELU), ("sum_b",), shape))
    nodes.append(Node("last", Add(), ("sum_c.aggregate", "sum_c.aggregate_1", "sum_c"), shape))
    graph = verify_ann(AnnGraph("gcn", tuple(nodes)))
    assert rewritten(graph) == [
        "x", "sum_a.aggregate", "sum_a", "sum_b", "sum_c.aggregate_2", "sum_c",
        "sum_c.aggregate", "sum_c.aggregate_1", "last",
    ]  # fmt: skip


@pytest.mark.parametrize("other", [Linear(SUM, np.ones(2)), Linear(SUM, None, np.array(2.0)), Linear(Sparse(A))])
def test_another_aggregation_of_the_same_value_is_not_shared(other: Linear) -> None:
    shape = (3, 2)
    nodes = (
        Node("x", Input(), (), shape),
        Node("other", other, ("x",), shape),
        Node("layer", Linear(W), ("x",), shape),
        Node("sum", Linear(SUM), ("layer",), shape),
        Node("last", Add(), ("other", "sum"), shape),
    )
    assert rewritten(verify_ann(AnnGraph("gcn", nodes))) == ["x", "other", "sum.aggregate", "sum", "last"]


def test_a_layer_that_is_an_output_stays_beside_the_rewritten_one() -> None:
    nodes = chain(("layer", Linear(W)), ("sum", Linear(SUM))).nodes
    graph = verify_ann(AnnGraph("gcn", nodes, (), ("layer", "sum"), OutputForm.of_tuple(2)))
    found, _ = aggregate_first(graph)
    assert [n.name for n in verify_ann(found).nodes] == ["x", "layer", "sum.aggregate", "sum"]
