"""A factor per neuron or per channel, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps.diagonal import Diagonal
from loihi_onespike.errors import GraphError

OP = Diagonal(np.array([[2.0], [-3.0]]))
nan = float("nan")


def test_values() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert OP.apply(x).tolist() == [[2.0, 4.0], [-9.0, -12.0]]
    assert OP.matrix((2, 2)).toarray().tolist() == np.diag([2.0, 2.0, -3.0, -3.0]).tolist()


def test_counts() -> None:
    assert (OP.fan_in, int(OP.fan_out((2, 2))), OP.macs((2, 2))) == (1, 1, 0)
    assert OP.kernel_taps((2, 5)) == 1
    assert Diagonal(np.ones((2, 5))).kernel_taps((2, 5)) is None


def test_sums_and_largest_weights() -> None:
    sums = OP.row_sums(3)
    assert sums.positive.tolist() == [[[2.0], [0.0]]] and sums.negative.tolist() == [[[0.0], [3.0]]]
    assert OP.largest_weights(2).tolist() == [[2.0], [3.0]]


def test_scales_that_vary_from_neuron_to_neuron() -> None:
    """An unread place takes the λ of its channel, a channel that nothing reads takes 1."""
    found = OP.input_scale(np.array([[4.0, nan], [nan, nan]]))
    assert found is not None and found.tolist() == [[4.0], [1.0]]
    varying = np.array([[4.0, 5.0], [6.0, 7.0]])
    found = OP.input_scale(varying)
    assert found is not None and found.tolist() == varying.tolist()


def test_both_factors_go_into_the_weights() -> None:
    folded = OP.folded(np.array([[1.0, 2.0]]), np.array([[10.0], [1.0]]))
    assert folded.op.weight.tolist() == [[20.0, 40.0], [-3.0, -6.0]]
    assert folded.in_front is None and folded.behind is None


def test_shapes() -> None:
    assert OP.output_shape((2, 7)) == (2, 7)
    assert OP.elementwise and OP.scale_axes(3) == (0,) and OP.input_shared_axes(3) == ()
    with pytest.raises(GraphError, match=r"diagonal weight of shape \(2, 1\) over shape \(3, 7\)"):
        OP.output_shape((3, 7))
