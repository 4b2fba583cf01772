"""What spikes stand for, with levels 1/2 and 1/4 and thresholds 3/8 and 1/8 of λ = 4: 1.5 and 0.5, by hand."""

from __future__ import annotations

import numpy as np
import torch

from loihi_onespike.conversion.calibration.sent_levels import mean_sent_levels, sent_levels
from loihi_onespike.core.activations import IDENTITY, RELU
from loihi_onespike.core.codes import Codebook
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
    mean, active = mean_sent_levels(parts, 0 * one, 4 * one, 0 * one, PLAN)
    assert (mean.tolist(), active.tolist()) == ([(0.5 + 0.25) / 4], [2 / 4])
    mean, _ = mean_sent_levels(parts, 0 * one, 4 * one, 0 * one, SIGNED)
    assert mean.tolist() == [(0.5 + 0.25 - 0.5) / 4]
    mean, active = mean_sent_levels(parts, one, 4 * one, one, PLAN)  # 2.6, 1.6, 1, -0.6
    assert (mean.tolist(), active.tolist()) == ([(0.5 + 0.5 + 0.25) / 4], [3 / 4])
