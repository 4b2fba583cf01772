"""Convolutions along one axis, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps.conv import Conv
from loihi_onespike.core.maps.window import Window
from loihi_onespike.errors import GraphError

PADDED = Window((2,), (1,), ((1, 0),), (1,))
ONE = Conv(np.array([[[1.0, 10.0]]]), PADDED)
GROUPED = Conv(np.array([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), Window.plain((1,)), groups=2)
"""Outputs 0 and 1 read channel 0, outputs 2 and 3 channel 1."""


def test_cross_correlation_with_padding_in_front() -> None:
    """y[i] = x[i - 1] + 10 x[i]."""
    assert ONE.apply(np.array([[1.0, 2.0, 3.0]])).tolist() == [[10.0, 21.0, 32.0]]


def test_groups_read_their_own_channels() -> None:
    assert GROUPED.apply(np.array([[1.0], [100.0]])).tolist() == [[1.0], [2.0], [300.0], [400.0]]


def test_stride_and_dilation() -> None:
    """y[i] = x[2 i] + 10 x[2 i + 2]."""
    op = Conv(np.array([[[1.0, 10.0]]]), Window((2,), (2,), ((0, 0),), (2,)))
    assert op.apply(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])).tolist() == [[31.0, 53.0]]


def test_counts() -> None:
    """The last place is read by one window only: there is no padding behind it."""
    assert ONE.fan_out((1, 3)).tolist() == [2, 2, 1]
    assert GROUPED.fan_out((2, 3)).tolist() == [2, 2, 2]
    assert (ONE.fan_in, ONE.macs((1, 3)), ONE.kernel_taps((1, 3))) == (2, 6, 2)
    assert (GROUPED.fan_in, GROUPED.macs((2, 3))) == (1, 12)


def test_sums_and_largest_weights() -> None:
    op = Conv(np.array([[[1.0, -5.0]], [[0.0, 3.0]]]), PADDED)
    sums = op.row_sums(2)
    assert sums.positive.tolist() == [[1.0], [3.0]] and sums.negative.tolist() == [[5.0], [0.0]]
    assert op.largest_weights(2).tolist() == [[5.0], [3.0]]


def test_factors_per_channel_go_into_the_weights() -> None:
    folded = GROUPED.folded(np.array([[10.0], [100.0]]), np.array([[1.0], [1.0], [1.0], [2.0]]))
    assert folded.op.weight.ravel().tolist() == [10.0, 20.0, 300.0, 800.0]
    assert folded.in_front is None and folded.behind is None
    per_place = np.array([[1.0, 2.0, 3.0]])
    assert ONE.folded(per_place, np.ones((1, 1))).in_front is per_place


def test_inputs_can_be_left_out_without_groups_only() -> None:
    assert (ONE.column_axis, GROUPED.column_axis) == (0, None)


def test_shapes() -> None:
    assert ONE.output_shape((1, 3)) == (1, 3) and GROUPED.output_shape((2, 9)) == (4, 9)
    with pytest.raises(GraphError, match="convolution of 1·2 input channels over 3 channels"):
        GROUPED.output_shape((3, 9))
