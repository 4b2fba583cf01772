"""Estimated loss of accuracy by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.conversion.calibration.measured_loss import OutputErrors, check_classes, class_scores
from loihi_onespike.core.graphs.stage import Link, OutputStage
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import ConfigurationError


def _output(shape: tuple[int, ...], finish: str = "identity") -> OutputStage:
    link = Link("x", Dense(np.eye(shape[-1])), None, np.ones(()))
    return OutputStage("y", shape, (link,), np.zeros(()), finish)


def test_the_loss_by_hand() -> None:
    """Scores ln 3 and 0 have the probabilities 0.75 and 0.25: an error of 2 towards the second loses 0.5 of them."""
    ann = torch.tensor([[np.log(3.0), 0.0], [0.0, np.log(3.0)]] * 4)
    towards = torch.tensor([[0.0, 2.0], [2.0, 0.0]] * 4)
    assert OutputErrors.of(_output((2,)), ann, ann + towards, 2).loss().mean == pytest.approx(50)
    none = OutputErrors.of(_output((2,)), ann, ann + towards / 4, 2).loss()
    assert none.mean == 0 and none.samples == 2
    # Two errors are added to each sample, so that they may be 1 + 1.645 / 2 times as large: 0.91, not enough; 1.28 is.
    assert none.upper == 0
    assert OutputErrors.of(_output((2,)), ann, ann + 0.35 * towards, 2).loss().upper == pytest.approx(50)


def test_unsure_samples_get_the_errors_of_unsure_ones() -> None:
    """Errors of 1 where the margin is 0.5, none where it is 5: half of the samples lose tanh(0.25)."""
    ann = torch.tensor([[0.5, 0.0], [0.0, 5.0]] * 64)
    wrong = torch.tensor([[-1.0, 0.0], [0.0, 0.0]] * 64)
    found = OutputErrors.of(_output((2,)), ann, ann + wrong, 128).loss()
    assert found.mean == pytest.approx(100 * np.tanh(0.25) / 2)


def test_few_samples_and_large_errors_raise_the_limit() -> None:
    chance = torch.Generator().manual_seed(0)
    ann = 3 * torch.randn(400, 5, generator=chance)
    noise = torch.randn(400, 5, generator=chance)
    losses = [OutputErrors.of(_output((5,)), ann, ann + size * noise, 100).loss() for size in (0.01, 0.1, 0.5)]
    assert [loss.mean for loss in losses] == sorted(loss.mean for loss in losses)
    assert all(loss.mean < loss.upper for loss in losses)
    few = OutputErrors.of(_output((5,)), ann[:40], ann[:40] + 0.5 * noise[:40], 10).loss()
    assert few.upper - few.mean > 2 * (losses[-1].upper - losses[-1].mean)


def test_errors_are_those_of_the_samples_held_out() -> None:
    ann = torch.zeros(8, 2)
    found = OutputErrors.of(_output((2,)), ann, torch.arange(16.0).reshape(8, 2), 2)
    assert found.scores.shape == (8, 1, 2) and found.errors.tolist() == [[12, 13], [14, 15]]


@pytest.mark.parametrize(
    ("shape", "finish", "scores"), [((3,), "identity", (2, 1, 3)), ((4, 3), "softmax_last", (2, 4, 3))]
)
def test_scores_of_classes(shape: tuple[int, ...], finish: str, scores: tuple[int, ...]) -> None:
    assert class_scores(_output(shape, finish), np.zeros((2, *shape))).shape == scores
    check_classes((_output(shape, finish),))


@pytest.mark.parametrize(("shape", "finish"), [((1,), "identity"), ((3,), "sigmoid")])
def test_outputs_without_classes_are_refused(shape: tuple[int, ...], finish: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^max_loss: must be None for a network .*, got .*; leave it out"):
        check_classes((_output(shape, finish),))
