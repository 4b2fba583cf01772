"""The shipped vision transformer: LayerNorm, GELU and softmax attention with one spike per neuron."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.data.digits import load_digits_data, training_part
from loihi_onespike.models.digits_vit import load_digits_vit
from loihi_onespike.models.load import load_model

pytestmark = pytest.mark.thorough


@cache
def converted() -> OneSpikeNetwork:
    return los.convert(load_digits_vit(), training_part()[0][:200], timesteps=24, objective="accuracy")


def test_it_is_a_model_by_name() -> None:
    assert type(load_model("digits-vit").model).__name__ == "DigitsViT"


def test_it_keeps_its_accuracy() -> None:
    data = load_digits_data()
    result = converted().evaluate(np.asarray(data.images), data.labels)
    assert result.loss_pp is not None and result.agreement is not None
    assert result.loss_pp <= 1.5 and result.agreement.value >= 0.96
    assert max(result.spikes_per_neuron.values()) <= 8  # the input in bits; one spike at most everywhere else
    assert all(n <= 1 for name, n in result.spikes_per_neuron.items() if name != converted().network.input.name)


def test_every_pair_of_tokens_has_neurons() -> None:
    shapes = [p.shape for p in converted().network.hidden if isinstance(p, Population) and p.product is not None]
    assert (2, 17, 17, 12) in shapes


@pytest.mark.parametrize("executor", ["reference", "lava"])
def test_executors_give_the_same_outputs(executor: str) -> None:
    if executor == "lava":
        pytest.importorskip("lava")
    few = np.asarray(load_digits_data().images)[:2]
    options: dict[str, Any] = {"processes": "whole"} if executor == "lava" else {}
    found = converted().predict(few, executor=executor, **options)
    np.testing.assert_array_equal(found, converted().predict(few))
