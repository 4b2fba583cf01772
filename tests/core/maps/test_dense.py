"""A dense map of two inputs and three outputs, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps.dense import Dense
from loihi_onespike.errors import GraphError

OP = Dense(np.array([[1.0, -2.0], [3.0, 4.0], [0.0, 5.0]]))


def test_values_at_every_place_of_the_leading_axes() -> None:
    x = np.array([[1.0, 2.0], [10.0, 0.0]])
    assert OP.apply(x).tolist() == [[-3.0, 11.0, 10.0], [10.0, 30.0, 0.0]]
    assert (OP.matrix((2, 2)) @ x.ravel()).tolist() == [-3.0, 11.0, 10.0, 10.0, 30.0, 0.0]


def test_counts() -> None:
    assert (OP.fan_in, int(OP.fan_out((4, 2))), OP.uniform_fan_out, OP.macs((4, 2))) == (2, 3, 3, 4 * 6)
    assert OP.kernel_taps((4, 2)) is None


def test_sums_and_largest_weights() -> None:
    sums = OP.row_sums(2)
    assert sums.positive.tolist() == [[1.0, 7.0, 5.0]] and sums.negative.tolist() == [[2.0, 0.0, 0.0]]
    assert OP.largest_weights(2).tolist() == [[2.0, 4.0, 5.0]]


def test_factors_go_into_columns_and_rows() -> None:
    folded = OP.folded(np.array([10.0, 1.0]), np.array([1.0, 1.0, 2.0]))
    assert folded.op.weight.tolist() == [[10.0, -2.0], [30.0, 4.0], [0.0, 10.0]]
    assert folded.in_front is None and folded.behind is None
    per_place = np.array([[1.0], [2.0]])
    assert OP.folded(per_place, np.ones((1, 1))).in_front is per_place


def test_shapes() -> None:
    assert OP.output_shape((7, 2)) == (7, 3)
    assert (OP.input_shared_axes(3), OP.output_shared_axes(3), OP.channel_axis, OP.column_axis) == (
        (0, 1),
        (0, 1),
        -1,
        -1,
    )
    with pytest.raises(GraphError, match=r"dense map of 2 inputs over shape \(3,\)"):
        OP.output_shape((3,))
