"""What spikes stand for, with levels 1/2 and 1/4 and thresholds 3/8 and 1/8 of λ = 4: 1.5 and 0.5, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.sent_levels import lowest_sum, mean_sent_levels, sent_levels
from loihi_onespike.core.activations import IDENTITY, RELU
from loihi_onespike.core.codes import Codebook, PayloadCode
from loihi_onespike.core.graphs.stage import StagePlan

PLAN, SIGNED = (StagePlan.of(f, Codebook((8192, 8192)), np.full(1, 4.0), None) for f in (RELU, IDENTITY))
ZERO = np.zeros(())


def test_full_wait() -> None:
    z = torch.tensor([[1.6, 1.4], [0.6, 0.4], [-1.6, 0.0]])
    assert sent_levels([z], ZERO, PLAN).tolist() == [[0.5, 0.25], [0.25, 0.0], [0.0, 0.0]]
    assert sent_levels([z], ZERO, SIGNED)[2].tolist() == [-0.5, 0.0]


def test_a_bias_is_added_in_front_of_the_thresholds() -> None:
    z = torch.tensor([[1.4, 0.4]])
    assert sent_levels([z], np.array([0.2, 0.2]), PLAN).tolist() == [[0.5, 0.25]]


def test_the_first_phase_is_decided_on_the_first_part() -> None:
    """What reaches the first threshold later takes the second phase; an early spike is never taken back."""
    first, last = torch.tensor([[1.6, 0.0, 0.6]]), torch.tensor([[0.0, 1.6, 0.0]])
    assert sent_levels([first, last], ZERO, PLAN).tolist() == [[0.5, 0.25, 0.0]]


def test_means_of_a_channel() -> None:
    parts, one = np.array([[[1.6, 0.6, 0.0, -1.6]]]), np.ones(1)
    mean, active = mean_sent_levels(parts, 0 * one, 4 * one, -np.inf * one, 0 * one, PLAN)
    assert (mean.tolist(), active.tolist()) == ([(0.5 + 0.25) / 4], [2 / 4])
    mean, _ = mean_sent_levels(parts, 0 * one, 4 * one, -np.inf * one, 0 * one, SIGNED)
    assert mean.tolist() == [(0.5 + 0.25 - 0.5) / 4]
    mean, active = mean_sent_levels(parts, one, 4 * one, -np.inf * one, one, PLAN)  # 2.6, 1.6, 1, -0.6
    assert (mean.tolist(), active.tolist()) == ([(0.5 + 0.5 + 0.25) / 4], [3 / 4])


def test_messages_of_a_phase_are_decided_on_the_same_part() -> None:
    """Messages 2, 1 in two phases with levels 2, 1, 2/3, 1/3 and thresholds 3/2, 5/6, 1/2, 1/6 of λ = 1."""
    plan = StagePlan.of(RELU, PayloadCode((4096, 3 * 4096), (2, 1, 2, 1)), np.ones(1), None)
    levels = [2.0, 1.0, 2 / 3, 1 / 3]
    z = torch.tensor([[1.6, 0.9, 0.6, 0.2, 0.1]])
    whole = sent_levels([z], ZERO, plan)
    assert np.allclose(whole, [[*levels, 0.0]], rtol=1e-6)
    early = sent_levels([z * 0, z], ZERO, plan)  # nothing has arrived at phase 1: the largest message of phase 2
    assert np.allclose(early, [[levels[2], levels[2], levels[2], levels[3], 0.0]], rtol=1e-6)
    parts, one = np.stack([z.numpy() * 0, z.numpy()]).astype(np.float64), np.ones(1)
    mean, _ = mean_sent_levels(parts, 0 * one, one, -np.inf * one, 0 * one, plan)
    assert np.allclose(mean, early.mean(), rtol=1e-6)


def test_one_sided_neurons_send_no_negative_levels() -> None:
    plan = replace(SIGNED, one_sided=np.array([True, False]))
    z = torch.tensor([[-1.6, -1.6], [1.6, 0.6]])
    wanted = [[0.0, -0.5], [0.5, 0.25]]
    assert sent_levels([z], ZERO, plan).tolist() == wanted
    assert sent_levels([z, 0 * z], ZERO, plan).tolist() == [[0.0, -0.5], [0.5, 0.0]]  # 0.6 is below the first threshold
    parts, two = z.numpy().T[None].astype(np.float64), np.ones(2)
    mean, _ = mean_sent_levels(parts, 0 * two, 4 * two, np.array([0, -np.inf]), 0 * two, plan)
    assert mean.tolist() == [0.25, -0.125]
    assert lowest_sum(plan).tolist() == [0, -np.inf] and lowest_sum(SIGNED) == -np.inf


def _mean_by_hand(parts: NDArray[np.float64], plan: StagePlan, lowest: float) -> float:
    """Mean level that the values (S, n) of one channel send, word by word."""
    total = 0.0
    for seen in parts.T:
        for k, level in enumerate(plan.code.levels()):
            z = np.float32(max(seen[min(k // plan.code.words_per_phase, len(seen) - 1)], lowest))
            if z >= plan.table[k]:
                total += level
                break
            if plan.negative is not None and (np.inf if plan.far is None else plan.far[k]) >= -z >= plan.negative[k]:
                total -= level
                break
    return total / parts.shape[1]


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("dip", [False, True])
def test_means_equal_the_decisions_word_by_word(steps: int, dip: bool) -> None:
    """With early thresholds in any order, a word that is never sent, a dip, and more parts than phases."""
    chance = np.random.default_rng(steps)
    plan = StagePlan.of(IDENTITY, PayloadCode.geometric(2.0, 3, 2), np.ones(1), None)
    assert plan.negative is not None
    table, negative = plan.table * chance.uniform(0.7, 1.4, 12), plan.negative * chance.uniform(0.7, 1.4, 12)
    table[5] = negative[3] = np.inf
    plan = replace(plan, table=table, negative=negative, far=1.5 * negative if dip else None)
    parts = np.cumsum(chance.standard_normal((steps, 2, 500)) / 2, axis=0)
    lowest, two = np.array([0.0, -np.inf]), np.ones(2)
    mean, _ = mean_sent_levels(parts, 0 * two, two, lowest, 0 * two, plan)
    assert mean.tolist() == [_mean_by_hand(parts[:, c], plan, lowest[c]) for c in range(2)]
