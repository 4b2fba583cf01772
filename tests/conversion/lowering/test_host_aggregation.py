"""Aggregations of the features that the host computes, and what counts as multiplications, by hand for three nodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.conversion.lowering.host_aggregation import (
    aggregate_on_host,
    count_stored,
    macs_as_written,
    plain_sparse,
)
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.gnn.adjacency import PLAIN, Aggregate, Aggregation
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, Input, Linear, Node
from loihi_onespike.core.graphs.output_form import OutputForm
from loihi_onespike.core.maps import Dense, Diagonal, LinearMap, Sparse

A = sp.csr_matrix(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))
"""Four edges."""
NORMALIZED = Aggregation(normalize=True, loops=1.0)
W = Dense(np.ones((5, 2)))


def graph(*ops: tuple[str, LinearMap, str]) -> AnnGraph:
    """Linear maps (name, map, name of its input) of features (3, 2), and a ReLU of the last one."""
    nodes = [Node("x", Input(), (), (3, 2))]
    for name, op, read in ops:
        width = 5 if isinstance(op, Dense) else 2
        nodes.append(Node(name, Linear(op), (read,), (3, width)))
    nodes.append(Node("relu", Activate(RELU), (nodes[-1].name,), nodes[-1].shape))
    return AnnGraph("gcn", tuple(nodes))


def test_an_aggregation_of_the_features_is_taken_out() -> None:
    rest, form, hops, notes = aggregate_on_host(graph(("sum", Aggregate(A, NORMALIZED), "x"), ("fc", W, "sum")))
    assert [(n.name, n.inputs) for n in rest.nodes] == [("x", ()), ("fc", ("x",)), ("relu", ("fc",))]
    assert (form, hops) == (NORMALIZED, 1)
    assert notes == ("sum: computed by the host, A · X of constants is the input",)


def test_two_in_a_row_are_taken_out_where_they_are_of_one_form() -> None:
    same = (("one", Aggregate(A, NORMALIZED), "x"), ("two", Aggregate(A, NORMALIZED), "one"), ("fc", W, "two"))
    assert aggregate_on_host(graph(*same))[1:3] == (NORMALIZED, 2)
    other = (same[0], ("two", Aggregate(A, PLAIN), "one"), same[2])
    rest, form, hops, _ = aggregate_on_host(graph(*other))
    assert (form, hops, [n.name for n in rest.nodes]) == (NORMALIZED, 1, ["x", "two", "fc", "relu"])


def test_features_that_are_read_otherwise_too_stay() -> None:
    before = graph(("sum", Aggregate(A, NORMALIZED), "x"), ("fc", W, "x"))
    rest, form, hops, notes = aggregate_on_host(before)
    assert rest is before and (form, hops, notes) == (PLAIN, 0, ())


def test_a_matrix_of_unknown_form_stays() -> None:
    assert aggregate_on_host(graph(("sum", Aggregate(A, None), "x"), ("fc", W, "sum")))[2] == 0


def test_a_sparse_input_counts_its_entries() -> None:
    """Two stored entries times five outputs, not six values times five."""
    sample = SparseSample(sp.csr_matrix(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]])))
    before = graph(("fc", W, "x"))
    counted = count_stored(before, sample).by_name["fc"].op
    assert isinstance(counted, Linear) and counted.macs == 10
    assert count_stored(before, np.ones((1, 3, 2))) is before


def test_multiplications_as_the_model_was_written() -> None:
    """A (x W): 30 for the layer, or 10 of two stored entries, and four edges times five features."""
    written = graph(("fc", W, "x"), ("sum", Sparse(A), "fc"))
    assert macs_as_written(written, None) == 3 * 2 * 5 + 4 * 5
    assert macs_as_written(written, 2) == 2 * 5 + 4 * 5


def test_afterwards_an_aggregation_is_a_plain_sparse_map() -> None:
    op = plain_sparse(graph(("sum", Aggregate(A, NORMALIZED), "x"))).by_name["sum"].op
    assert isinstance(op, Linear) and type(op.op) is Sparse and op.op.weight is A


@pytest.mark.parametrize(("bias", "scale"), [(np.ones(()), None), (None, np.array(2.0))])
def test_an_aggregation_with_a_bias_or_a_factor_stays(bias: np.ndarray | None, scale: np.ndarray | None) -> None:
    before = graph(("sum", Aggregate(A, NORMALIZED), "x"), ("fc", W, "sum"))
    op = Linear(Aggregate(A, NORMALIZED), bias, scale)
    nodes = tuple(replace(n, op=op) if n.name == "sum" else n for n in before.nodes)
    assert aggregate_on_host(replace(before, nodes=nodes))[2] == 0


def test_several_readers_of_one_form_are_taken_out_together() -> None:
    rest, form, hops, notes = aggregate_on_host(
        graph(("b", Aggregate(A, PLAIN), "x"), ("a", Aggregate(A, PLAIN), "x"), ("fc", W, "a"), ("out", W, "b"))
    )
    assert [(n.name, n.inputs) for n in rest.nodes if n.inputs] == [("fc", ("x",)), ("out", ("x",)), ("relu", ("out",))]
    assert (form, hops, notes) == (PLAIN, 1, ("a, b: computed by the host, A · X of constants is the input",))


def test_an_aggregation_that_is_an_output_stays() -> None:
    nodes = graph(("sum", Aggregate(A, NORMALIZED), "x"), ("fc", W, "sum")).nodes
    both = AnnGraph("gcn", nodes, (), ("sum", "relu"), OutputForm.of_tuple(2))
    assert aggregate_on_host(both)[1:3] == (PLAIN, 0)


def test_only_layers_that_read_the_sparse_input_count_its_entries() -> None:
    """Two layers read it, a factor per value is not counted, an aggregation has another count for every entry."""
    sample = SparseSample(sp.csr_matrix(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]])))
    factor = Diagonal(np.ones(()))
    before = graph(("a", W, "x"), ("b", factor, "x"), ("c", Sparse(A), "x"), ("d", W, "c"), ("e", W, "x"))
    after = count_stored(before, sample)
    found = {n.name: n.op.macs for n in after.nodes if isinstance(n.op, Linear)}
    assert found == {"a": 10, "b": None, "c": None, "d": None, "e": 10}
    assert macs_as_written(before, 2) == 10 + 0 + 4 * 2 + 30 + 10


def test_other_nodes_stay_as_they_are() -> None:
    before = graph(("fc", W, "x"), ("sum", Aggregate(A, NORMALIZED), "fc"))
    after = plain_sparse(before)
    assert [a is b for a, b in zip(after.nodes, before.nodes, strict=True)] == [True, True, False, True]
