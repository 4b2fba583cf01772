"""Weights that are fitted to the ANN on the inputs that the SNN gives them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.conversion.calibration.regression import corrected, fitted, solved
from loihi_onespike.conversion.calibration.row_inputs import row_inputs_of
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Dense, weight_values


def _layer(weight: np.ndarray, scale: np.ndarray) -> Stage:
    link = Link("before", Dense(weight), None, scale)
    return Stage("after", (len(weight),), "relu", (link,), np.zeros(()), RELU, ())


def test_a_systematic_error_is_taken_back() -> None:
    """What the codes did to the inputs is linear here, so that other weights undo it, behind a factor per row too."""
    chance = np.random.default_rng(0)
    weight, scale = chance.normal(size=(4, 6)), np.array([1.0, 2.0, -0.5, 3.0])
    exact = chance.normal(size=(600, 6))
    mixing = np.eye(6) + 0.1 * chance.normal(size=(6, 6))
    seen = torch.from_numpy(exact @ mixing).float()
    wanted = torch.from_numpy(exact @ weight.T * scale).float()
    stage = _layer(weight, scale)
    missing = wanted - seen @ torch.from_numpy(weight.T * scale).float()
    after = corrected(stage, row_inputs_of(stage, {"before": seen}), missing)
    found = seen.numpy() @ (weight_values(after.links[0].op).T * scale)
    assert np.linalg.norm(found - wanted.numpy()) < 0.05 * np.linalg.norm(missing.numpy())


def test_chance_is_left_alone() -> None:
    chance = np.random.default_rng(1)
    stage = _layer(chance.normal(size=(4, 40)), np.ones(()))
    rows = row_inputs_of(stage, {"before": torch.from_numpy(chance.normal(size=(120, 40))).float()})
    noise = torch.from_numpy(chance.normal(size=(120, 4))).float()
    assert fitted(rows[0], rows[0].outputs(noise)) is None
    assert corrected(stage, rows, noise) is stage


def test_one_weight_by_hand() -> None:
    """ΔW = C_rx / (C_xx + μ) with μ the strength times the variance: 4 / (2 + 0.5 · 2); 0 where nothing arrives."""
    assert solved(np.array([[[2.0]]]), np.array([[[4.0]]]), 0.5)[0].item() == pytest.approx(4 / 3)
    assert solved(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), 0.5).item() == 0.0
