"""The rectified linear unit has thresholds on the positive side only."""

from __future__ import annotations

from math import inf

import numpy as np

from loihi_onespike.core.activations.relu import Relu


def test_values_and_thresholds() -> None:
    relu = Relu()
    assert relu.value(np.array([-4.0, 0.0, 3.0])).tolist() == [0.0, 0.0, 3.0]
    assert relu.thresholds(np.array([0.5, 2.0])).tolist() == [0.5, 2.0]
    assert relu.negative_thresholds(np.array([0.5])) is None  # type: ignore[func-returns-value]


def test_properties() -> None:
    relu = Relu()
    assert (relu.nonnegative, relu.homogeneous, relu.largest) == (True, True, inf)
    assert relu.keeps_zero and relu.rectifies
