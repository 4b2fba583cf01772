"""Weights that are rounded together: each makes up for the errors of those before it."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.compensation import Compensation, inverse_factor, rounded_rows


def _covariance(size: int, seed: int) -> np.ndarray:
    """Of inputs that depend on each other, as those of a layer do."""
    mixed = np.random.default_rng(seed).normal(size=(4 * size, size // 4)) @ np.random.default_rng(seed + 1).normal(
        size=(size // 4, size)
    )
    return np.cov((mixed + 0.3 * np.random.default_rng(seed + 2).normal(size=mixed.shape)).T)


def test_the_factor_is_that_of_the_inverse() -> None:
    matrices = np.stack([_covariance(12, seed) for seed in (0, 7)])
    factors = inverse_factor(matrices)
    assert np.allclose(factors, np.triu(factors))
    assert np.allclose(factors.transpose(0, 2, 1) @ factors, np.linalg.inv(matrices))


@pytest.mark.parametrize("seed", range(3))
def test_rounding_together_leaves_less_error_than_rounding_to_nearest(seed: int) -> None:
    covariance = _covariance(24, seed)
    weights = np.random.default_rng(seed).normal(size=(1, 16, 24)) * 3
    whole = rounded_rows(weights, covariance[None], 10_000)

    def error(rounded: np.ndarray) -> float:
        off = (weights - rounded)[0]
        return float(((off @ covariance) * off).sum())

    assert np.array_equal(whole, np.rint(whole))
    assert error(whole) < 0.6 * error(np.rint(weights))


def test_independent_inputs_are_rounded_to_nearest() -> None:
    weights = np.random.default_rng(0).normal(size=(2, 5, 6)) * 4
    spread = np.stack([np.diag([3.0, 1, 7, 2, 5, 4]), np.zeros((6, 6))])
    assert np.array_equal(rounded_rows(weights, spread, 1000), np.rint(weights))


def test_a_link_without_rows_is_rounded_to_nearest() -> None:
    assert Compensation({}, {})(0, np.array([[0.4, 1.6]]), np.ones(1)).tolist() == [[0.0, 2.0]]


def test_the_next_weight_makes_up_for_the_one_before() -> None:
    """Two inputs that are always the same: 0.4 + 0.4 = 0.8 is rounded to 0 + 1, not to 0 + 0."""
    together = np.ones((1, 2, 2))
    assert rounded_rows(np.array([[[0.4, 0.4]]]), together, 10**6).tolist() == [[[0.0, 1.0]]]
