"""What has been received by a phase: spikes and bits so far."""

from __future__ import annotations

import numpy as np
import torch

from loihi_onespike.conversion.calibration.sequential import input_received_by_phase, levels_received_by_phase
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.stage import InputPlan
from tests.support.stage_graphs import two_layers


def test_later_spikes_are_still_missing() -> None:
    plan = two_layers().plans["signed"]
    levels = torch.tensor([[0.5, 0.25, -0.125, 0.0]])
    assert levels_received_by_phase(levels, plan, 2).tolist() == [[0.5, 0.25, 0.0, 0.0]]
    assert levels_received_by_phase(levels, plan, 9).tolist() == levels.tolist()


def test_bits_come_one_after_the_other() -> None:
    plan = InputPlan(BinaryCode(3), np.array(2.0), np.zeros(()))
    received = [input_received_by_phase(torch.tensor([[1.25]]), plan, t).item() for t in (1, 2, 3)]
    assert received == [1.0, 1.0, 1.25]  # 5/8 of 2 is 0.101 in binary
