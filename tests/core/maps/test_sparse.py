"""A sparse matrix over three nodes, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.maps.sparse import Sparse
from loihi_onespike.errors import GraphError

OP = Sparse(sp.csr_matrix(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, -3.0]])))
"""Two nodes from three; node 0 and node 2 have one reader each, as node 1 has."""
nan = float("nan")


def test_every_feature_by_itself() -> None:
    x = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    assert OP.apply(x).tolist() == [[4.0, 40.0], [-11.0, -110.0]]
    assert (OP.matrix((3, 2)) @ x.ravel()).tolist() == [4.0, 40.0, -11.0, -110.0]


def test_counts() -> None:
    star = Sparse(sp.csr_matrix(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])))
    assert star.fan_out((3, 4)).tolist() == [[2], [1], [0]]
    assert (star.fan_in, star.macs((3, 4)), OP.fan_in) == (2, 12, 2)


def test_sums_and_largest_weights() -> None:
    sums = OP.row_sums(2)
    assert sums.positive.tolist() == [[2.0], [1.0]] and sums.negative.tolist() == [[0.0], [3.0]]
    assert OP.largest_weights(2).tolist() == [[2.0], [3.0]]


def test_one_scale_per_feature() -> None:
    """A feature that nothing reads takes the largest λ that occurs."""
    found = OP.input_scale(np.array([[2.0, nan, 5.0], [nan, nan, 5.0], [2.0, nan, nan]]))
    assert found is not None and found.tolist() == [[2.0, 5.0, 5.0]]
    assert OP.input_scale(np.array([[1.0], [2.0], [1.0]])) is None


def test_weights_by_their_entries() -> None:
    assert OP.weight_values.tolist() == [2.0, 1.0, -3.0]
    assert OP.with_weight_values(np.array([5, 6, 7])).weight.toarray().tolist() == [[0, 5, 0], [6, 0, 7]]
    assert OP.output_factor(np.array([[10.0], [1.0]])).tolist() == [10.0, 1.0, 1.0]


def test_one_number_goes_into_the_weights_and_a_factor_per_feature_behind_the_map() -> None:
    folded = OP.folded(np.full((1, 1), 2.0), np.full((1, 1), 5.0))
    assert folded.op.weight.toarray().tolist() == [[0.0, 20.0, 0.0], [10.0, 0.0, -30.0]]
    assert folded.in_front is None and folded.behind is None
    folded = OP.folded(np.array([[2.0, 3.0]]), np.ones((1, 1)))
    assert folded.op is OP and folded.behind is not None and folded.behind.tolist() == [[2.0, 3.0]]
    per_node = np.array([[1.0], [2.0], [3.0]])
    assert OP.folded(per_node, np.ones((1, 1))).in_front is per_node


def test_shapes() -> None:
    assert OP.output_shape((3, 7)) == (2, 7)
    assert (OP.input_shared_axes(2), OP.output_shared_axes(2), OP.scale_axes(2)) == ((0,), (1,), (0,))
    with pytest.raises(GraphError, match=r"sparse map of 3 nodes over shape \(2, 7\)"):
        OP.output_shape((2, 7))
