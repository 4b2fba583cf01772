"""Sums over windows of two places, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps.conv import Conv
from loihi_onespike.core.maps.dense import Dense
from loihi_onespike.core.maps.pool import Pool, as_pool
from loihi_onespike.core.maps.window import Window
from loihi_onespike.errors import GraphError

PAIRS = Window((2,), (2,), ((0, 0),), (1,))
OP = Pool(PAIRS, np.array(0.5))


def test_every_channel_by_itself() -> None:
    x = np.array([[1.0, 2.0, 3.0, 5.0], [10.0, 20.0, 30.0, 50.0]])
    assert OP.apply(x).tolist() == [[1.5, 4.0], [15.0, 40.0]]


def test_a_place_behind_the_last_window_is_read_by_none() -> None:
    assert OP.output_shape((2, 5)) == (2, 2)
    assert OP.fan_out((2, 5)).tolist() == [1, 1, 1, 1, 0]


def test_counts_and_sums() -> None:
    assert (OP.fan_in, OP.macs((2, 4)), OP.kernel_taps((2, 4)), OP.single_weight) == (2, 0, 2, True)
    falling = Pool(PAIRS, np.array(-3.0)).row_sums(2)
    assert falling.positive.tolist() == [[0.0]] and falling.negative.tolist() == [[6.0]]


def test_a_factor_per_channel_passes_through_the_sum() -> None:
    folded = OP.folded(np.array([[2.0], [3.0]]), np.array([[1.0], [10.0]]))
    assert folded.op is OP and folded.in_front is None
    assert folded.behind is not None and folded.behind.tolist() == [[2.0], [30.0]]
    per_place = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert OP.folded(per_place, np.ones((1, 1))).in_front is per_place
    factor = OP.input_factor(np.array([2.0, 3.0]), 2)
    assert factor.on_weights is None
    assert factor.behind is not None and factor.behind.tolist() == [[2.0], [3.0]]


def test_as_a_depthwise_convolution() -> None:
    conv = OP.with_row_weights(2)
    assert isinstance(conv, Conv) and conv.groups == 2
    x = np.array([[1.0, 2.0, 3.0, 5.0], [10.0, 20.0, 30.0, 50.0]])
    assert conv.apply(x).tolist() == [[1.5, 4.0], [15.0, 40.0]]


def test_max_pooling_reads_through_windows_only() -> None:
    assert as_pool(OP, "pool1") is OP
    with pytest.raises(GraphError, match=r"^pool1: max pooling must read through Pool, got Dense$"):
        as_pool(Dense(np.ones((1, 1))), "pool1")
