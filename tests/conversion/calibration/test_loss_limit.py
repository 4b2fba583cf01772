"""The search of a price that keeps a limit of the loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.calibration.loss_curve import FURTHEST, LossCurve
from loihi_onespike.conversion.calibration.loss_limit import MOST_TRIALS, NEAR, TRIALS, held_out, limited
from loihi_onespike.conversion.calibration.measured_loss import MeasuredLoss, OutputErrors
from loihi_onespike.core.graphs.stage import Link, OutputStage
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import ConfigurationError, MaxLossWarning
from tests.support.facts import notes

SAMPLES = 400
STAGE = OutputStage("y", (4,), (Link("x", Dense(np.eye(4)), None, np.ones(())),), np.zeros(()))


@dataclass(frozen=True)
class _Allocation:
    """Stands for one: errors in proportion to the price."""

    price: float
    error: float = field(default=0.0)


class _Allocator:
    """Allocations at any price; the prediction of their errors is right."""

    def predicted(self, tried: _Allocation) -> float:
        return tried.error

    def within(self, error: float, below: _Allocation) -> _Allocation:
        assert error <= below.error
        return _Allocation(error, error)


class _Networks:
    """Measures a network whose squared error is that of the allocation, bent and enlarged; all draws differ."""

    def __init__(self, power: float = 1.0, factor: float = 1.0, factors: dict[int, float] | None = None) -> None:
        self._power, self._factor, self._factors = power, factor, factors or {}
        self.tried: list[float] = []

    def loss(self, error: float, trial: int) -> MeasuredLoss:
        chance = np.random.default_rng(trial)
        scores, noise = 3 * np.random.default_rng(99).normal(size=(SAMPLES, 4)), chance.normal(size=(SAMPLES, 4))
        size = np.sqrt(self._factor * self._factors.get(trial, 1.0) * error**self._power)
        ann = torch.from_numpy(scores)
        return OutputErrors.of(STAGE, ann, ann + float(size) * torch.from_numpy(noise), held_out(SAMPLES, trial)).loss()

    def __call__(self, tried: Any, trial: int) -> MeasuredLoss:
        self.tried.append(tried.price)
        return self.loss(tried.error, trial)

    def true(self, error: float) -> float:
        """Mean loss of many networks in percentage points."""
        return float(np.mean([100 * self.loss(error, 100 + i).mean for i in range(8)]))


def _limited(networks: _Networks, limit: float, first: float = 1.0) -> tuple[Any, Any]:
    return limited(_Allocator(), _Allocation(first, first), limit, networks)  # type: ignore[arg-type]


def test_every_trial_holds_out_another_quarter() -> None:
    assert [int(held_out(n, 0).sum()) for n in (1, 7, 8, 512)] == [0, 0, 2, 128]
    held = np.stack([held_out(512, trial) for trial in range(4)])
    assert (held.sum(axis=0) == 1).all() and held[0, 384:].all() and (held_out(512, 4) == held[0]).all()


def test_the_price_falls_until_the_limit_is_kept() -> None:
    networks = _Networks()
    found, estimate = _limited(networks, 2.0)
    assert estimate.upper <= 2.0 and estimate.samples >= 0.75 * SAMPLES and 0 < found.price < 1
    assert TRIALS <= len(networks.tried) <= MOST_TRIALS and networks.true(found.error) <= 2.0
    assert networks.true(2 * found.error) > 1.4  # not far below the limit, which is one of 95 % confidence


@pytest.mark.parametrize("power", [0.4, 2.5])
def test_trials_come_close_where_the_loss_bends(power: float) -> None:
    """Errors that fall more slowly or faster than predicted."""
    networks = _Networks(power)
    found, estimate = _limited(networks, 2.0)
    assert len(networks.tried) <= MOST_TRIALS and networks.true(found.error) <= 2.0
    assert networks.true(found.error * 4 ** (1 / power)) > 2.0
    assert estimate.upper <= 2.0


def test_a_first_price_that_keeps_the_limit_is_taken() -> None:
    networks = _Networks()
    found, estimate = _limited(networks, 50.0, 1e-3)
    assert found.price == 1e-3 and estimate.upper <= 50 and networks.tried == [1e-3]


def test_no_trial_goes_down_further_than_the_power_law_reaches() -> None:
    """Errors that are 10^6 times as large as predicted: steps are limited, and the last network has no price."""
    networks = _Networks(factor=1e6)
    found, estimate = _limited(networks, 0.01)
    assert found.price == 0 and estimate.upper <= 0.01
    steps = np.array(networks.tried[:-1])
    assert steps == pytest.approx(np.exp(-FURTHEST * np.arange(MOST_TRIALS))) and networks.tried[-1] == 0


def test_networks_that_differ_by_chance_are_taken_together() -> None:
    """The second network is far better than its error says: alone, it would keep the limit at a much larger one."""
    lucky = _Networks(factors={1: 0.5})
    found, estimate = _limited(lucky, 2.0)
    alone = LossCurve([(lucky.tried[1], lucky.loss(lucky.tried[1], 1))]).largest_error(2.0)
    assert estimate.upper <= 2.0 and len(lucky.tried) >= TRIALS and _Networks().true(found.error) <= 2.0
    assert alone == lucky.tried[1] or found.error < alone * np.exp(NEAR)


def test_a_limit_that_cannot_be_kept_is_said() -> None:
    worst = _Networks().loss(1.0, 0)
    text = r"^max_loss: must be at least \d+\.\d\d to be kept, got 0.5; even .*; give"
    with pytest.warns(MaxLossWarning, match=text):
        found, _ = limited(_Allocator(), _Allocation(1.0, 1.0), 0.5, lambda tried, trial: worst)  # type: ignore[arg-type]
    assert found.price == 0


def test_a_conversion_keeps_the_limit_or_refuses_it() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 3)).eval()
    x = torch.rand(64, 8)
    net = los.convert(model, x, timesteps=8, objective="energy", max_loss=30.0)
    (note,) = notes(net, "max_loss")
    assert "by 16 samples" in note  # the first network keeps the limit
    with pytest.raises(ConfigurationError, match=r"^max_loss: must be None .*, got 1 score; leave it out"):
        los.convert(nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1)), x, timesteps=8, max_loss=1.0)
