"""Activations with a dip: bisection against inverses in closed form, and the order of the intervals."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.activations import Hardswish, Silu


def test_both_ends_of_hardswish_in_closed_form() -> None:
    """z (z + 3) / 6 = -y at z = (-3 ± √(9 - 24 y)) / 2, which meet at y = 3/8."""
    y = np.array([0.375, 0.3, 0.01])
    root = np.sqrt(9 - 24 * y)
    np.testing.assert_allclose(Hardswish().negative_thresholds(y), (3 - root) / 2, rtol=1e-7)
    np.testing.assert_allclose(Hardswish().far_thresholds(y), (3 + root) / 2, rtol=1e-7)


def test_values_that_are_not_reached() -> None:
    assert Hardswish().negative_thresholds(np.array([0.376])).tolist() == [np.inf]
    assert Hardswish().far_thresholds(np.array([0.376])).tolist() == [1.5]


def test_intervals_of_smaller_values_contain_those_of_larger_ones() -> None:
    y = np.geomspace(0.27, 1e-6, 40)
    near, far = Silu().negative_thresholds(y), Silu().far_thresholds(y)
    assert np.all(np.diff(near) < 0) and np.all(np.diff(far) > 0) and np.all(near < far)


def test_small_values_far_out() -> None:
    """For z → -∞ SiLU is z e^z: at z = -30 it is -30 e^-30."""
    np.testing.assert_allclose(Silu().far_thresholds(np.array([30 * np.exp(-30.0)])), [30.0], rtol=1e-12)
