"""Estimated loss of accuracy by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import stdtrit

from loihi_onespike.conversion.calibration.loss_curve import CHANCE, CONFIDENCE, LossCurve, LossEstimate
from loihi_onespike.conversion.calibration.loss_limit import held_out
from loihi_onespike.conversion.calibration.measured_loss import OutputErrors, check_classes, class_scores
from loihi_onespike.core.graphs.stage import Link, OutputStage
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import ConfigurationError


def _output(shape: tuple[int, ...], finish: str = "identity") -> OutputStage:
    link = Link("x", Dense(np.eye(shape[-1])), None, np.ones(()))
    return OutputStage("y", shape, (link,), np.zeros(()), finish)


def _estimate(output: OutputStage, ann: torch.Tensor, snn: torch.Tensor, held: int) -> LossEstimate:
    """The loss of one network whose last `held` samples were held out."""
    mask = np.arange(len(ann)) >= len(ann) - held
    return LossCurve([(0.01, OutputErrors.of(output, ann, snn, mask).loss())]).at(0.01)


def test_the_loss_by_hand() -> None:
    """Scores ln 3 and 0 have the probabilities 0.75 and 0.25: an error of 2 towards the second loses 0.5 of them."""
    ann = torch.tensor([[np.log(3.0), 0.0], [0.0, np.log(3.0)]] * 32)
    towards = torch.tensor([[0.0, 2.0], [2.0, 0.0]] * 32)
    all_lose = _estimate(_output((2,)), ann, ann + towards, 16)
    assert all_lose.mean == pytest.approx(50) and all_lose.samples == 16
    assert all_lose.upper == pytest.approx(50 * np.exp(stdtrit(15, CONFIDENCE) * CHANCE))  # samples do not differ
    mask = np.arange(64) >= 48
    assert OutputErrors.of(_output((2,)), ann, ann + towards / 4, mask).loss().mean == 0
    none = _estimate(_output((2,)), ann, ann + towards / 4, 16)
    # A sample of margin 0.5 would lose tanh(0.25); a share of 3 / 64 of such samples could have been missed.
    assert none.upper == pytest.approx(-100 * np.log(0.05) / 64 * np.tanh(0.25))


def test_errors_of_fitted_samples_are_as_large_as_those_held_out() -> None:
    """Errors of 0.6 do not exceed the margin of ln 3, but those held out are twice as large."""
    ann = torch.tensor([[np.log(3.0), 0.0]] * 64)
    towards = torch.tensor([[0.0, 0.6]] * 48 + [[0.0, 1.2]] * 16)
    assert _estimate(_output((2,)), ann, ann + towards, 16).mean == pytest.approx(50)
    exact = torch.tensor([[0.0, 0.0]] * 48 + [[0.0, 1.2]] * 16)
    seldom = _estimate(_output((2,)), ann, ann + exact, 16)
    assert 0 <= seldom.mean < 50 and np.isfinite(seldom.upper)


def test_unsure_samples_get_the_errors_of_unsure_ones() -> None:
    """Errors of 1 where the margin is 0.5, none where it is 5: half of the samples lose tanh(0.25)."""
    ann = torch.tensor([[0.5, 0.0], [0.0, 5.0]] * 64)
    wrong = torch.tensor([[-1.0, 0.0], [0.0, 0.0]] * 64)
    found = _estimate(_output((2,)), ann, ann + wrong, 32)
    assert found.mean == pytest.approx(100 * np.tanh(0.25) / 2)


def _drawn(chance: np.random.Generator, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and errors that are larger at small margins, and whose size varies from sample to sample."""
    scores = 3 * chance.normal(size=(samples, 6))
    best = np.sort(scores, axis=1)
    size = 0.3 * np.exp(0.3 * chance.normal(size=samples) - (best[:, -1] - best[:, -2]) / 4)
    return scores, size[:, None] * chance.normal(size=(samples, 6))


def _true_loss(chance: np.random.Generator) -> float:
    """Loss on a large number of samples in percentage points."""
    scores, errors = _drawn(chance, 100_000)
    probability = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    decided = (scores + errors).argmax(axis=1)
    return float(100 * (probability.max(axis=1) - probability[np.arange(len(scores)), decided]).mean())


@pytest.mark.parametrize(("held", "repetitions", "width"), [(16, 120, 3.3), (32, 80, 2.2), (128, 40, 1.55)])
def test_the_limit_is_above_the_true_loss_in_95_percent_of_all_draws(held: int, repetitions: int, width: float) -> None:
    """A quarter of the samples is held out; the errors of the others are made smaller, as a fit makes them."""
    chance = np.random.default_rng(held)
    true = _true_loss(chance)
    found = []
    for _ in range(repetitions):
        scores, errors = _drawn(chance, 4 * held)
        errors[:-held] /= 1.3
        ann = torch.from_numpy(scores)
        found.append(_estimate(_output((6,)), ann, ann + torch.from_numpy(errors), held))
    uppers = np.array([each.upper for each in found])
    assert np.mean([each.mean for each in found]) == pytest.approx(true, rel=0.1)
    assert (uppers >= true).mean() >= 0.9 and np.median(uppers) < width * true


def test_the_limit_of_three_networks_is_closer_and_holds() -> None:
    """Each has other samples held out, and errors that are larger or smaller by chance."""
    chance, held, stage = np.random.default_rng(5), 32, _output((6,))
    true, uppers, alone = _true_loss(chance), [], []
    for _ in range(60):
        measured = []
        scores, _ = _drawn(chance, 4 * held)
        margins = np.diff(np.sort(scores, axis=1)[:, -2:], axis=1)
        for trial in range(3):
            size = 0.3 * np.exp(0.3 * chance.normal(size=(4 * held, 1)) - margins / 4 + 0.15 * chance.normal())
            errors, mask = size * chance.normal(size=(4 * held, 6)), held_out(4 * held, trial)
            errors[~mask] /= 1.3
            ann = torch.from_numpy(scores)
            measured.append((0.01, OutputErrors.of(stage, ann, ann + torch.from_numpy(errors), mask).loss()))
        uppers.append(LossCurve(measured).at(0.01).upper)
        alone.append(LossCurve(measured[:1]).at(0.01).upper)
    assert (np.array(uppers) >= true).mean() >= 0.9 and np.median(uppers) < 0.9 * np.median(alone)


def test_larger_errors_raise_the_estimate() -> None:
    chance = torch.Generator().manual_seed(0)
    ann, noise = 3 * torch.randn(400, 5, generator=chance), torch.randn(400, 5, generator=chance)
    losses = [_estimate(_output((5,)), ann, ann + size * noise, 100) for size in (0.01, 0.1, 0.5)]
    assert [loss.mean for loss in losses] == sorted(loss.mean for loss in losses)
    assert all(loss.mean < loss.upper for loss in losses)


def test_places_of_a_sample_are_not_samples() -> None:
    """Places that repeat each other say no more than one of them."""
    ann = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    snn = ann + 0.4 * torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    once = _estimate(_output((3,)), ann, snn, 16)
    ann, snn = (z[:, None].expand(64, 16, 3) for z in (ann, snn))
    found = _estimate(_output((16, 3), "softmax_last"), ann, snn, 16)
    assert found.mean == pytest.approx(once.mean, rel=0.3) and found.upper > 0.7 * once.upper > once.mean


def test_samples_held_out_may_be_anywhere() -> None:
    """Where the same samples stand, those held out among them, changes nothing but the groups of the jackknife."""
    chance = np.random.default_rng(0)
    scores, errors = (torch.from_numpy(z) for z in _drawn(chance, 256))
    held = np.arange(256) >= 192
    last = OutputErrors.of(_output((6,)), scores, scores + errors, held).loss()
    first = OutputErrors.of(
        _output((6,)), scores.roll(64, 0), (scores + errors).roll(64, 0), np.roll(held, 64)
    ).loss()  # fmt: skip
    assert first.held[:64].all() and not first.held[64:].any() and first.mean == pytest.approx(last.mean)
    others = OutputErrors.of(_output((6,)), scores, scores + errors, np.roll(held, 64)).loss()
    assert others.mean != pytest.approx(last.mean)


def test_the_nodes_of_a_graph_are_its_samples() -> None:
    ann = torch.randn(1, 40, 3, generator=torch.Generator().manual_seed(0))
    found = OutputErrors.of(_output((40, 3), "softmax_last"), ann, ann + 0.1, np.zeros(1, np.bool_)).loss()
    assert found.held.shape == (40,) and found.held.all()


def test_a_single_sample_has_no_upper_limit() -> None:
    ann = torch.tensor([[1.0, 0.0]])
    assert _estimate(_output((2,)), ann, ann, 0).upper == 100


def test_errors_follow_the_order_of_the_scores() -> None:
    ann = torch.tensor([[0.0, 1.0], [1.0, 0.0]] * 4)
    found = OutputErrors.of(_output((2,)), ann, ann + torch.arange(16.0).reshape(8, 2), np.arange(8) > 5)
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
