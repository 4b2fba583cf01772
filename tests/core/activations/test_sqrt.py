"""The square root at points that can be computed by hand."""

from __future__ import annotations

from math import inf

import numpy as np

from loihi_onespike.core.activations.sqrt import Sqrt


def test_values_and_thresholds() -> None:
    assert Sqrt().value(np.array([-1.0, 0.0, 0.25, 9.0])).tolist() == [0.0, 0.0, 0.5, 3.0]
    assert Sqrt().thresholds(np.array([0.5, 3.0])).tolist() == [0.25, 9.0]
    assert Sqrt().negative_thresholds(np.array([1.0])) is None  # type: ignore[func-returns-value]


def test_properties() -> None:
    assert (Sqrt().nonnegative, Sqrt().homogeneous, Sqrt().largest, Sqrt().keeps_zero) == (True, False, inf, True)
