"""Loss over the error of several networks, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from loihi_onespike.conversion.calibration.loss_curve import CHANCE, CONFIDENCE, DEVIATION, FURTHEST, SLOPE, LossCurve
from loihi_onespike.conversion.calibration.measured_loss import MeasuredLoss

GROUPS = 32
ALL = np.ones(64, np.bool_)
T = float(stdtrit(GROUPS - 1, CONFIDENCE))


def _loss(mean: float, without: np.ndarray | None = None, least: float = 1e-6, held: np.ndarray = ALL) -> MeasuredLoss:
    return MeasuredLoss(mean, np.full(GROUPS, mean) if without is None else without, least, held)


def test_one_network_by_hand() -> None:
    """At its error, the loss is what was measured; elsewhere, that times the error to the power SLOPE."""
    without = 0.01 * np.exp(0.02 * np.random.default_rng(0).normal(size=GROUPS))
    curve = LossCurve([(0.02, _loss(0.01, without))])
    logs = np.log(without)
    of_samples = (GROUPS - 1) / GROUPS * np.square(logs - logs.mean()).sum()
    here = curve.at(0.02)
    assert here.mean == pytest.approx(1.0) and here.upper == pytest.approx(
        np.exp(T * np.hypot(of_samples**0.5, CHANCE))
    )
    below = curve.at(0.01)
    away = DEVIATION * np.log(2)
    assert below.mean == pytest.approx(0.5**SLOPE)
    assert below.upper == pytest.approx(below.mean * np.exp(T * np.sqrt(of_samples + CHANCE**2 + away**2)))
    assert curve.at(0.01, certain=False).upper == pytest.approx(here.upper / 2**SLOPE)


def test_networks_of_one_error_count_alike() -> None:
    """The mean is that of the logarithms, and the chance of four networks is half that of one."""
    curve = LossCurve([(0.01, _loss(loss)) for loss in (0.005, 0.02, 0.005, 0.02)])
    found = curve.at(0.01)
    assert found.mean == pytest.approx(1.0) and found.upper == pytest.approx(np.exp(T * CHANCE / 2))


def test_near_networks_count_more() -> None:
    curve = LossCurve([(0.01, _loss(0.01)), (0.1, _loss(0.3))])
    assert curve.at(0.01).mean == pytest.approx(1.0, rel=0.1) and curve.at(0.1).mean == pytest.approx(30, rel=0.1)
    weights = 1 / (CHANCE**2 + np.square(DEVIATION * np.log([1.5, 10 / 1.5])))
    expected = weights @ np.log([0.015, 0.3 * 0.15]) / weights.sum()
    assert curve.at(0.015).mean == pytest.approx(100 * np.exp(expected))


def test_samples_that_are_left_out_are_left_out_of_all_networks() -> None:
    """Deviations of the same samples add up, opposite ones cancel."""
    up = 0.01 * np.exp(np.linspace(-0.05, 0.05, GROUPS))
    same = LossCurve([(0.01, _loss(0.01, up)), (0.01, _loss(0.01, up))]).at(0.01)
    opposite = LossCurve([(0.01, _loss(0.01, up)), (0.01, _loss(0.01, up[::-1]))]).at(0.01)
    assert opposite.upper == pytest.approx(np.exp(T * CHANCE / np.sqrt(2))) and same.upper > 1.05 * opposite.upper


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("limit", [1.0, 5.0, 20.0])
def test_the_largest_error_keeps_the_limit_and_hardly_more(limit: float, certain: bool) -> None:
    curve = LossCurve([(0.01, _loss(0.01)), (0.1, _loss(0.3))])
    error = curve.largest_error(limit, certain)
    assert curve.at(error, certain).upper == pytest.approx(limit, rel=1e-3)
    assert curve.at(error, certain).upper <= limit
    assert curve.distance(error) == pytest.approx(np.abs(np.log([error / 0.01, error / 0.1])).min())


def test_no_error_far_from_the_measured_ones_is_taken() -> None:
    assert LossCurve([(0.01, _loss(0.001))]).largest_error(50.0) == pytest.approx(0.01)
    assert LossCurve([(0.01, _loss(0.5))]).largest_error(0.001) == pytest.approx(0.01 * np.exp(-FURTHEST), rel=1e-5)


def test_the_power_is_as_uncertain_with_many_networks() -> None:
    """At a quarter of the error, all of them are wrong together."""
    one, many = (LossCurve([(0.04, _loss(0.01))] * count) for count in (1, 100))
    away = DEVIATION * np.log(4)
    assert many.at(0.01).mean == pytest.approx(one.at(0.01).mean)
    for curve, chance in ((one, CHANCE), (many, CHANCE / 10)):
        found = curve.at(0.01)
        assert found.upper == pytest.approx(found.mean * np.exp(T * np.hypot(chance, away)))


def test_networks_without_a_loss_may_have_missed_three_samples_in_n() -> None:
    """By the rule of three, with 95 % confidence."""
    found = LossCurve([(0.01, _loss(0.0, least=0.001))]).at(0.01)
    assert found.mean == pytest.approx(0.1) and found.upper == pytest.approx(-100 * np.log(0.05) * 0.001)
    exact = LossCurve([(0.0, _loss(0.0, least=0.0))]).at(0.0)
    assert exact.upper == pytest.approx(0, abs=1e-5)


def test_samples_held_out_from_some_network_are_counted_once() -> None:
    first, second = np.arange(64) < 16, np.arange(64) % 2 == 0
    curve = LossCurve([(0.01, _loss(0.01, held=first)), (0.02, _loss(0.02, held=second))])
    assert curve.at(0.01).samples == 40
    assert str(curve.at(0.01)).endswith("by 40 samples")


def test_a_single_group_has_no_upper_limit() -> None:
    assert LossCurve([(0.01, MeasuredLoss(0.01, np.ones(1), 1e-6, ALL[:1]))]).at(0.01).upper == 100
