"""SiLU at points that can be computed by hand, and far out."""

from __future__ import annotations

from math import log

import numpy as np

from loihi_onespike.core.activations.silu import Silu


def test_values() -> None:
    """At z = ln 3 the sigmoid is 3/4, at -ln 3 it is 1/4; with beta = 2 at half of them."""
    np.testing.assert_allclose(Silu().value(np.array([0.0, log(3), -log(3)])), [0, 0.75 * log(3), -0.25 * log(3)])
    np.testing.assert_allclose(Silu(2.0).value(np.array([log(3) / 2])), [0.375 * log(3)])


def test_far_out_without_overflow() -> None:
    with np.errstate(over="raise"):
        assert Silu().value(np.array([-1e4, 1e4])).tolist() == [0.0, 1e4]


def test_minimum_where_the_derivative_is_zero() -> None:
    at = Silu(2.0).lowest_at
    assert abs(1 + np.exp(2 * at) + 2 * at) < 1e-12
