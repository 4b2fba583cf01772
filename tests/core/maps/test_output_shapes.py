"""Shapes that a map does not go over are refused with both sizes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window, broadcasts_to
from loihi_onespike.core.maps.pool import as_pool
from loihi_onespike.core.maps.shapes import op_input_shape, shrink
from loihi_onespike.errors import GraphError


@pytest.mark.parametrize(
    ("op", "shape", "message"),
    [
        (Conv(np.ones((4, 2, 3)), Window.plain((3,)), 2), (3, 5), "convolution of 2·2 input channels over 3 channels"),
        (Dense(np.ones((2, 3))), (4,), r"dense map of 3 inputs over shape \(4,\)"),
        (Diagonal(np.ones((3, 1))), (2, 4), r"diagonal weight of shape \(3, 1\) over shape \(2, 4\)"),
        (Sparse(sp.csr_matrix((2, 5))), (4, 3), r"sparse map of 5 nodes over shape \(4, 3\)"),
        (Pool(Window.plain((3,)), np.ones(())), (2, 2), "does not fit into"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_wrong_shapes(op: LinearMap, shape: Shape, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        op.output_shape(shape)


def test_max_pooling_reads_through_a_window_alone() -> None:
    pool = Pool(Window.plain((2,)), np.ones(()))
    assert as_pool(pool, "pool1") is pool
    with pytest.raises(GraphError, match="pool1: max pooling must read through Pool, got Dense"):
        as_pool(Dense(np.ones((1, 1))), "pool1")


def test_helpers_of_shapes() -> None:
    assert broadcasts_to((3, 1), (3, 4)) and not broadcasts_to((3, 4), (4,)) and not broadcasts_to((2,), (3,))
    assert op_input_shape((2, 3), None) == (2, 3)
    assert op_input_shape((2, 3), np.zeros((4,), np.int32)) == (4,)
    assert shrink(np.array([[1.0, 2.0], [1.0, 2.0]])).tolist() == [[1.0, 2.0]]
