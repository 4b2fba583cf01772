"""The search of a price that keeps a limit of the loss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.calibration.loss_limit import (
    CLOSE,
    ENOUGH,
    FURTHER_STEPS,
    MOST_STEP,
    MOST_TRIALS,
    TRIALS,
    held_out,
    limited,
)
from loihi_onespike.conversion.calibration.measured_loss import LossEstimate, OutputErrors
from loihi_onespike.core.graphs.stage import Link, OutputStage
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import ConfigurationError, MaxLossWarning
from tests.support.facts import notes


@dataclass(frozen=True)
class _Allocation:
    """Stands for one: errors in proportion to the price."""

    price: float
    error: float = field(default=0.0)
    codes: object = None


class _Allocator:
    def __init__(self) -> None:
        self.asked: list[float] = []

    def predicted(self, tried: _Allocation) -> float:
        return tried.error

    def within(self, error: float, below: _Allocation) -> _Allocation:
        assert error < below.error
        self.asked.append(error)
        return _Allocation(error, error)

    def at(self, price: float, codes: object) -> _Allocation:
        return _Allocation(price, price)


def _measured(tried: Any) -> OutputErrors:
    chance = np.random.default_rng(0)
    scores, noise = 3 * chance.normal(size=(200, 4)), chance.normal(size=(200, 4))
    stage = OutputStage("y", (4,), (Link("x", Dense(np.eye(4)), None, np.ones(())),), np.zeros(()))
    ann = torch.from_numpy(scores)
    return OutputErrors.of(stage, ann, ann + float(np.sqrt(tried.error)) * torch.from_numpy(noise), 50)


def test_a_share_is_held_out() -> None:
    assert [held_out(n) for n in (1, 7, 8, 512)] == [0, 0, 2, 128]


def test_the_price_falls_until_the_limit_is_kept() -> None:
    tried = []

    def measure(allocation: Any) -> OutputErrors:
        tried.append(allocation.price)
        return _measured(allocation)

    found, estimate = limited(_Allocator(), _Allocation(1.0, 1.0), 2.0, measure)  # type: ignore[arg-type]
    assert estimate.upper <= 2.0 and 0 < found.price < 1
    keeping = [p for p in tried if _measured(_Allocation(p, p)).loss().upper <= 2]
    assert len(tried) <= TRIALS and found.price == max(keeping)
    too_large = min(p for p in tried if p > found.price)
    assert _measured(_Allocation(too_large, too_large)).loss().upper > 2.0
    assert estimate.upper >= ENOUGH * 2.0 or too_large < CLOSE * found.price


@pytest.mark.parametrize("bend", [0.4, 3.0])
def test_trials_come_close_where_the_loss_bends(bend: float) -> None:
    """Errors that fall more slowly or faster than predicted: the price is near the largest one."""
    tried = []

    def measure(allocation: Any) -> OutputErrors:
        tried.append(allocation.price)
        return _measured(replace(allocation, error=allocation.price**bend))

    found, _ = limited(_Allocator(), _Allocation(1.0, 1.0), 2.0, measure)  # type: ignore[arg-type]
    prices = np.geomspace(found.price, 1, 25)
    largest = max(p for p in prices if _measured(_Allocation(p, p**bend)).loss().upper <= 2)
    assert len(tried) <= (TRIALS if bend > 1 else MOST_TRIALS) and found.price >= 0.6 * largest


def test_a_first_price_that_keeps_the_limit_is_taken() -> None:
    first = _Allocation(1e-6, 1e-6)
    found, estimate = limited(_Allocator(), first, 50.0, _measured)  # type: ignore[arg-type]
    assert found.price == first.price and estimate.upper <= 50


def test_no_trial_goes_down_further_than_the_prediction_reaches() -> None:
    """Errors that are 10^6 times as large as predicted ask for a price near 0; the steps are limited."""
    tried = []

    def measure(allocation: Any) -> OutputErrors:
        tried.append(allocation.price)
        return _measured(replace(allocation, error=1e6 * allocation.error))

    limited(_Allocator(), _Allocation(1.0, 1.0), 0.5, measure)  # type: ignore[arg-type]
    steps = [1.0, MOST_STEP, *[FURTHER_STEPS[1]] * (MOST_TRIALS - 3)]
    assert tried[:-1] == pytest.approx(1 / np.cumprod(steps)) and tried[-1] == 0


def test_a_loss_that_rises_by_chance_does_not_end_the_search_at_a_low_price() -> None:
    """The third network is worse than the second one, at half of its price; true losses follow the price."""
    uppers = iter([8.0, 2.2, 2.5])
    tried: list[float] = []

    @dataclass(frozen=True)
    class _Errors:
        upper: float

        def loss(self) -> LossEstimate:
            return LossEstimate(self.upper / 2, self.upper, 50)

        def times(self, factor: float) -> _Errors:
            return _Errors(self.upper * factor**2)

    def measure(allocation: Any) -> Any:
        tried.append(allocation.price)
        return _Errors(next(uppers, 4 * allocation.price**0.5))

    found, estimate = limited(_Allocator(), _Allocation(1.0, 1.0), 2.0, measure)  # type: ignore[arg-type]
    assert estimate.upper <= 2.0 and found.price >= tried[2] / FURTHER_STEPS[1] and len(tried) <= TRIALS + 1


def test_a_limit_that_cannot_be_kept_is_said() -> None:
    worst = _measured(_Allocation(1.0, 1.0))
    text = r"^max_loss: must be at least \d+\.\d\d to be kept, got 0.5; even .*; give"
    with pytest.warns(MaxLossWarning, match=text):
        found, _ = limited(_Allocator(), _Allocation(1.0, 1.0), 0.5, lambda tried: worst)  # type: ignore[arg-type]
    assert found.price == 0


def test_a_conversion_keeps_the_limit_or_refuses_it() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 3)).eval()
    x = torch.rand(64, 8)
    net = los.convert(model, x, timesteps=8, objective="energy", max_loss=30.0)
    (note,) = notes(net, "max_loss")
    assert "by 16 samples" in note
    with pytest.raises(ConfigurationError, match=r"^max_loss: must be None .*, got 1 score; leave it out"):
        los.convert(nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1)), x, timesteps=8, max_loss=1.0)
