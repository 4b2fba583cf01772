"""Thresholds per phase under a short wait, against the plainest simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from loihi_onespike.conversion.calibration.early_thresholds import fit_early_thresholds
from loihi_onespike.conversion.calibration.sent_levels import sent_levels
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import Base, PayloadCode, PhaseCode
from loihi_onespike.core.graphs.stage import StagePlan

CODE = PhaseCode(Base.nearest(1.5), 6)


def _plan(two_sided: bool) -> StagePlan:
    plan = StagePlan.of(RELU, CODE, np.ones(1), 2)
    if not two_sided:
        return plan
    negative = np.where(np.arange(6) < 2, np.inf, CODE.thresholds())
    return StagePlan(CODE, np.ones(1), 2, np.ones(1), CODE.thresholds(), negative)


def first_levels(parts: np.ndarray, plan: StagePlan) -> np.ndarray:
    """(M,) levels of M neurons with parts (S, M)."""
    return sent_levels([torch.from_numpy(part)[:, None] for part in parts], np.zeros(()), plan)[:, 0].numpy()


def _noisy(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Parts that begin too high and come down to the value."""
    rng = np.random.default_rng(5)
    value = rng.uniform(0, 0.7, n)
    excess = rng.exponential(0.25, n)
    parts = np.stack([value + excess * share for share in (1.0, 0.6, 0.3, 0.0)])
    return parts.astype(np.float32), value.astype(np.float32)


@pytest.mark.parametrize("two_sided", [False, True])
def test_first_levels_equals_a_loop(two_sided: bool) -> None:
    plan, rng = _plan(two_sided), np.random.default_rng(0)
    parts = rng.normal(0.1, 0.4, (4, 300)).astype(np.float32)
    found = first_levels(parts, plan)
    for i in range(300):
        expected = 0.0
        for k in range(1, 7):
            z = parts[min(k, 4) - 1, i]
            if z >= plan.table[k - 1]:
                expected = CODE.levels()[k - 1]
            elif plan.negative is not None and -z >= plan.negative[k - 1]:
                expected = -CODE.levels()[k - 1]
            if expected:
                break
        assert found[i] == pytest.approx(expected)


def test_noise_spikes_raise_the_thresholds_of_early_phases_alone() -> None:
    parts, value = _noisy()
    plan, weight = _plan(False), np.ones(len(value), np.float32)
    fitted = fit_early_thresholds(parts, value, weight, plan)
    assert np.all(fitted.table[3:] == plan.table[3:])
    assert fitted.table[0] > plan.table[0]
    before = np.mean((first_levels(parts, plan) - value) ** 2)
    assert np.mean((first_levels(parts, fitted) - value) ** 2) < 0.8 * before


def test_nothing_moves_where_nothing_changes_after_the_first_decision() -> None:
    value = np.random.default_rng(1).uniform(0, 0.7, 2000).astype(np.float32)
    plan = _plan(True)
    fitted = fit_early_thresholds(np.repeat(value[None], 4, axis=0), value, np.ones(2000, np.float32), plan)
    moved = fitted.table / plan.table
    assert np.all((moved > 0.75) & (moved < 1.3))


def test_messages_get_thresholds_of_their_own_that_fall_within_a_phase() -> None:
    code = PayloadCode.geometric(2.0, 4, 2)
    plan = StagePlan.of(RELU, code, np.full(1, 1 / code.levels()[0]), 2)
    parts, value = _noisy()
    unit = np.float32(1 / code.levels()[0])
    fitted = fit_early_thresholds(parts / unit, value / unit, np.ones_like(value), plan)
    assert np.all(np.diff(fitted.table.reshape(4, 4), axis=1) <= 0)
    assert np.array_equal(fitted.table[12:], plan.table[12:]) and not np.array_equal(fitted.table, plan.table)

    def error(of: StagePlan) -> float:
        return float(((first_levels(parts / unit, replace(of, threshold=np.ones(1))) * unit - value) ** 2).mean())

    assert error(fitted) < 0.8 * error(plan)
