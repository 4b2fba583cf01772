"""Helpers of shapes: broadcasting, the shape behind a gather, and constant axes."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.maps.shapes import aligned, broadcasts_to, op_input_shape, shrink


def test_broadcasting_to_exactly_a_shape() -> None:
    assert broadcasts_to((3, 1), (3, 4)) and broadcasts_to((), (2,)) and broadcasts_to((4,), (3, 4))
    assert not broadcasts_to((3,), (3, 4))  # does not fit
    assert not broadcasts_to((3, 4), (1, 4))  # fits, and gives a larger shape


def test_the_gather_decides_what_a_map_sees() -> None:
    assert op_input_shape((3, 4), None) == (3, 4)
    assert op_input_shape((3, 4), np.zeros((2, 5), np.int32)) == (2, 5)


def test_one_axis_per_axis_of_a_shape() -> None:
    assert aligned(np.array([[2.0], [3.0]]), (5, 2, 4)).tolist() == [[[2.0], [3.0]]]
    assert aligned(np.full((2, 4), 7), (2, 4)).tolist() == [[7.0]]
    assert aligned(np.array(7.0), ()).shape == ()


def test_constant_axes_shrink() -> None:
    assert shrink(np.array([[1.0, 1.0], [2.0, 2.0]])).tolist() == [[1.0], [2.0]]
    assert shrink(np.array([[1.0, 2.0], [1.0, 2.0]])).tolist() == [[1.0, 2.0]]
    assert shrink(np.full((2, 3), 5.0)).tolist() == [[5.0]]
    assert shrink(np.array([[1.0, 2.0], [2.0, 1.0]])).shape == (2, 2)
