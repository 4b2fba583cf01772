"""Matrices of graph convolutions, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.gnn.adjacency import PLAIN, Aggregate, Aggregation, Edges, canonical, fingerprint
from loihi_onespike.errors import ConfigurationError


def edges(source: list[int], target: list[int], weight: list[float] | None = None, nodes: int = 3) -> Edges:
    weights = None if weight is None else np.array(weight, np.float32)
    return Edges(np.array(source), np.array(target), weights, nodes)


def test_edges_add_to_their_target() -> None:
    matrix = edges([0, 0, 1], [1, 1, 2], [1, 2, 5]).matrix().toarray()
    assert matrix.tolist() == [[0, 0, 0], [3, 0, 0], [0, 5, 0]]


def test_nodes_without_a_loop_get_one() -> None:
    graph = edges([0, 1], [1, 1], [2, 7])
    assert graph.with_remaining_loops(1.0).toarray().tolist() == [[1, 0, 0], [2, 7, 0], [0, 0, 1]]


def test_normalisation() -> None:
    both = edges([0, 1], [1, 0], nodes=2)
    assert np.allclose(Aggregation(normalize=True, loops=1.0).matrix(both).toarray(), 0.5)
    matrix = both.matrix()
    assert PLAIN.matrix(matrix) is matrix
    lonely = Aggregation(normalize=True).matrix(sp.csr_matrix((2, 2), dtype=np.float32))
    assert lonely.nnz == 0


def test_sums_that_have_no_root_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="the edge weights onto node 1 must add up to 0 or more, got -2"):
        Aggregation(normalize=True).matrix(edges([0], [1], [-2]))


def test_values_must_be_finite() -> None:
    with pytest.raises(ConfigurationError, match="adjacency: values must be finite, got NaN or infinity"):
        canonical(sp.csr_matrix(np.array([[np.inf]])))


def test_fingerprints_tell_graphs_apart() -> None:
    graph = edges([0, 1], [1, 2])
    assert fingerprint(graph) == fingerprint(edges([1, 0], [2, 1]))
    assert fingerprint(graph) != fingerprint(edges([0, 1], [1, 1]))
    assert fingerprint(graph.matrix()) != fingerprint((2 * graph.matrix()).tocsr())


def test_an_aggregation_keeps_the_shape_of_a_node() -> None:
    op = Aggregate(edges([0], [1]).matrix(), PLAIN)
    assert op.output_shape((7,)) == (7,) and op.takes_leading_axis
