"""The smooth rectified linear unit at points that can be computed by hand, and far out."""

from __future__ import annotations

from math import inf, log

import numpy as np

from loihi_onespike.core.activations.softplus import Softplus


def test_values() -> None:
    """With beta = 2: ln(1 + e^0) / 2, and ln(1 + e^ln 3) / 2 = ln 4 / 2 at z = ln(3) / 2."""
    found = Softplus(2.0).value(np.array([0.0, log(3) / 2]))
    np.testing.assert_allclose(found, [log(2) / 2, log(4) / 2], rtol=1e-15)


def test_far_out_without_overflow() -> None:
    with np.errstate(over="raise"):
        assert Softplus(2.0).value(np.array([-1e4, 1e4])).tolist() == [0.0, 1e4]


def test_thresholds() -> None:
    found = Softplus(2.0).thresholds(np.array([log(2) / 2, log(4) / 2, 500.0]))
    np.testing.assert_allclose(found, [0.0, log(3) / 2, 500.0], rtol=1e-14, atol=1e-15)
    assert Softplus(2.0).negative_thresholds(np.array([0.5])) is None  # type: ignore[func-returns-value]


def test_properties() -> None:
    softplus = Softplus(2.0)
    assert (softplus.nonnegative, softplus.homogeneous, softplus.largest) == (True, False, inf)
    assert not softplus.keeps_zero and not softplus.left_to_host
