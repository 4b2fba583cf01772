"""The logistic function at points that can be computed by hand, and far out."""

from __future__ import annotations

from math import inf, log

import numpy as np

from loihi_onespike.core.activations.sigmoid import Sigmoid


def test_values() -> None:
    """1 / (1 + e^-ln 3) = 1 / (1 + 1/3) = 3/4."""
    np.testing.assert_allclose(Sigmoid().value(np.array([-log(3), 0.0, log(3)])), [0.25, 0.5, 0.75], rtol=1e-15)


def test_far_out_without_overflow() -> None:
    with np.errstate(over="raise"):
        assert Sigmoid().value(np.array([-1e4, 1e4])).tolist() == [0.0, 1.0]


def test_thresholds() -> None:
    found = Sigmoid().thresholds(np.array([0.25, 0.5, 0.75, 1.0, 2.0]))
    np.testing.assert_allclose(found, [-log(3), 0.0, log(3), inf, inf], rtol=1e-14, atol=1e-15)
    assert Sigmoid().negative_thresholds(np.array([0.5])) is None  # type: ignore[func-returns-value]


def test_properties() -> None:
    sigmoid = Sigmoid()
    assert (sigmoid.nonnegative, sigmoid.homogeneous, sigmoid.largest, sigmoid.left_to_host) == (True, False, 1.0, True)
    assert not sigmoid.keeps_zero and not sigmoid.rectifies
