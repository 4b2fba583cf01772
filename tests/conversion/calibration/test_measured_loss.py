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
    ann = torch.tensor([[np.log(3.0), 0.0], [0.0, np.log(3.0)]] * 32)
    towards = torch.tensor([[0.0, 2.0], [2.0, 0.0]] * 32)
    all_lose = OutputErrors.of(_output((2,)), ann, ann + towards, 16).loss()
    assert all_lose.mean == pytest.approx(50) and all_lose.upper == pytest.approx(50)
    none = OutputErrors.of(_output((2,)), ann, ann + towards / 4, 16).loss()
    assert none.mean == 0 and none.samples == 16
    # A sample of margin 0.5 would lose tanh(0.25); a share of 3 / 64 of such samples could have been missed.
    assert none.upper == pytest.approx(-100 * np.log(0.05) / 64 * np.tanh(0.25))


def test_errors_of_fitted_samples_are_as_large_as_those_held_out() -> None:
    """Errors of 0.6 do not exceed the margin of ln 3, but those held out are twice as large."""
    ann = torch.tensor([[np.log(3.0), 0.0]] * 64)
    towards = torch.tensor([[0.0, 0.6]] * 48 + [[0.0, 1.2]] * 16)
    assert OutputErrors.of(_output((2,)), ann, ann + towards, 16).loss().mean == pytest.approx(50)
    exact = torch.tensor([[0.0, 0.0]] * 48 + [[0.0, 1.2]] * 16)
    seldom = OutputErrors.of(_output((2,)), ann, ann + exact, 16).loss()
    assert 0 <= seldom.mean < 50 and np.isfinite(seldom.upper)


def test_unsure_samples_get_the_errors_of_unsure_ones() -> None:
    """Errors of 1 where the margin is 0.5, none where it is 5: half of the samples lose tanh(0.25)."""
    ann = torch.tensor([[0.5, 0.0], [0.0, 5.0]] * 64)
    wrong = torch.tensor([[-1.0, 0.0], [0.0, 0.0]] * 64)
    found = OutputErrors.of(_output((2,)), ann, ann + wrong, 32).loss()
    assert found.mean == pytest.approx(100 * np.tanh(0.25) / 2)


def _drawn(chance: np.random.Generator, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and errors that are larger at small margins, and whose size varies from sample to sample."""
    scores = 3 * chance.normal(size=(samples, 6))
    best = np.sort(scores, axis=1)
    size = 0.3 * np.exp(0.3 * chance.normal(size=samples) - (best[:, -1] - best[:, -2]) / 4)
    return scores, size[:, None] * chance.normal(size=(samples, 6))


@pytest.mark.parametrize(("held", "repetitions", "width"), [(16, 120, 3.0), (32, 80, 2.2), (128, 40, 1.5)])
def test_the_limit_is_above_the_true_loss_in_95_percent_of_all_draws(held: int, repetitions: int, width: float) -> None:
    """A quarter of the samples is held out; the errors of the others are made smaller, as a fit makes them."""
    chance = np.random.default_rng(held)
    scores, errors = _drawn(chance, 100_000)
    probability = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    decided = (scores + errors).argmax(axis=1)
    true = 100 * (probability.max(axis=1) - probability[np.arange(len(scores)), decided]).mean()
    found = []
    for _ in range(repetitions):
        scores, errors = _drawn(chance, 4 * held)
        errors[:-held] /= 1.3
        ann = torch.from_numpy(scores)
        found.append(OutputErrors.of(_output((6,)), ann, ann + torch.from_numpy(errors), held).loss())
    uppers = np.array([each.upper for each in found])
    assert np.mean([each.mean for each in found]) == pytest.approx(true, rel=0.1)
    assert (uppers >= true).mean() >= 0.9 and np.median(uppers) < width * true


def test_larger_errors_raise_the_estimate() -> None:
    chance = torch.Generator().manual_seed(0)
    ann, noise = 3 * torch.randn(400, 5, generator=chance), torch.randn(400, 5, generator=chance)
    losses = [OutputErrors.of(_output((5,)), ann, ann + size * noise, 100).loss() for size in (0.01, 0.1, 0.5)]
    assert [loss.mean for loss in losses] == sorted(loss.mean for loss in losses)
    assert all(loss.mean < loss.upper for loss in losses)


def test_places_of_a_sample_are_not_samples() -> None:
    """Places that repeat each other say no more than one of them."""
    ann = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    snn = ann + 0.4 * torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    once = OutputErrors.of(_output((3,)), ann, snn, 16).loss()
    ann, snn = (z[:, None].expand(64, 16, 3) for z in (ann, snn))
    found = OutputErrors.of(_output((16, 3), "softmax_last"), ann, snn, 16).loss()
    assert found.mean == pytest.approx(once.mean, rel=0.3) and found.upper > 0.7 * once.upper > once.mean


def test_a_single_sample_has_no_upper_limit() -> None:
    ann = torch.tensor([[1.0, 0.0]])
    assert OutputErrors.of(_output((2,)), ann, ann, 0).loss().upper == 100


def test_errors_follow_the_order_of_the_scores() -> None:
    ann = torch.tensor([[0.0, 1.0], [1.0, 0.0]] * 4)
    found = OutputErrors.of(_output((2,)), ann, ann + torch.arange(16.0).reshape(8, 2), 2)
    assert found.scores.shape == (8, 1, 2) and found.errors[:2, 0].tolist() == [[1, 0], [2, 3]]


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
