"""Intervals and the evaluation record, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.evaluation import Accuracy, wilson_interval
from tests.support.models import inputs, make


def test_wilson_interval_of_a_textbook_case() -> None:
    """8 of 10: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.96."""
    low, high = wilson_interval(8, 10)
    assert low == pytest.approx(0.4902, abs=1e-4) and high == pytest.approx(0.9433, abs=1e-4)


def test_wilson_interval_at_the_ends() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(0, 50)[0] == pytest.approx(0, abs=1e-12)
    assert wilson_interval(50, 50)[1] == pytest.approx(1)
    assert wilson_interval(50, 50)[0] == pytest.approx(0.9286, abs=1e-4)


def test_accuracy_prints_percent_with_interval() -> None:
    assert str(Accuracy(8, 10)) == "80.00 % [49.02, 94.33]"


def test_evaluate_counts_what_predict_says() -> None:
    model, x = make("plain_cnn"), inputs(40)
    net = los.convert(model, x, method="paper")
    chosen = net.predict(x).argmax(1)
    labels = chosen.copy()
    labels[:10] = (labels[:10] + 1) % 4
    seen: list[tuple[int, int]] = []
    result = net.evaluate(x, labels, batch=16, progress=lambda done, of: seen.append((done, of)))
    assert (result.accuracy.correct, result.images) == (30, 40)
    assert seen == [(0, 40), (16, 40), (32, 40), (40, 40)]
    ann = model(x).argmax(1).numpy()
    assert result.agreement is not None and result.agreement.correct == int((ann == chosen).sum())
    assert result.loss_pp == pytest.approx(100 * ((ann == labels).mean() - 0.75))
    assert json.loads(json.dumps(result.to_dict()))["images"] == 40


def test_all_integer_executors_evaluate_alike() -> None:
    x, y = inputs(6), np.zeros(6, int)
    net = los.convert(make("mlp"), x, method="paper")
    fast, reference = net.evaluate(x, y).to_dict(), net.evaluate(x, y, executor="reference").to_dict()
    assert fast.pop("executor") == "fast" and reference.pop("executor") == "reference"
    assert fast == reference


def test_wrong_executor_and_labels_are_refused() -> None:
    net = los.convert(make("mlp"), inputs(), method="paper")
    with pytest.raises(
        los.errors.ConfigurationError, match="executor: must be fast, float, reference, microcode or lava, got 'gpu'"
    ):
        net.predict(inputs(), executor="gpu")
    with pytest.raises(los.errors.ConfigurationError, match="labels"):
        net.evaluate(inputs(4), np.zeros(3, int))
    with pytest.raises(los.errors.ConfigurationError, match="shape"):
        net.predict(np.zeros((2, 3, 8, 8)))


def test_without_recorded_operations_the_energy_is_not_known() -> None:
    """Files of other programs need not say how many multiply-accumulates their ANN had."""
    from math import isnan

    from loihi_onespike.evaluation.alpha import FP32, relative_efficiency
    from tests.support.networks import chain

    network = chain()
    assert "ann_macs" not in network.facts
    assert isnan(relative_efficiency(network, {p.name: 1.0 for p in network.populations}, FP32))
