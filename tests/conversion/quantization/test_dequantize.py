"""A loaded network in real numbers: the stages that its integers stand for."""

from __future__ import annotations

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.conversion.quantization.dequantize import dequantize
from loihi_onespike.executors.float.float_executor import FloatExecutor
from tests.support.models import MODELS, inputs, make
from tests.support.networks import sides


@pytest.mark.parametrize("wait", [None, 3])
@pytest.mark.parametrize("name", list(MODELS))
def test_real_arithmetic_on_integer_weights_is_close_to_the_integers(name: str, wait: int | None) -> None:
    """With a full wait only the rounding of the leak separates the two: a few neurons near a threshold differ."""
    x = inputs(16)
    net = los.convert(make(name), x, timesteps=24, base=1.2, wait=wait, method="paper")
    real = FloatExecutor(dequantize(net.network)).trace(x)
    full = net if wait is None else los.convert(make(name), x, timesteps=24, base=1.2, method="paper")
    exact = full.trace(x)
    for population in net.network.hidden:
        equal = exact.layers[population.name].words == real.layers[population.name].words
        assert np.mean(equal) > 0.9, population.name
    assert np.linalg.norm(real.output - exact.output) < 0.05 * np.linalg.norm(exact.output)


@pytest.mark.parametrize("name", ["plain_cnn", "branches"])
def test_messages_and_their_max_pooling(name: str) -> None:
    """The digits of a window become one pooling window again; with a full wait the words are those of the integers."""
    x = inputs(16)
    net = los.convert(make(name), x, timesteps=4, payload_bits=2, objective="accuracy")
    assert any(p.digit_bits for p in net.network.hidden)
    real, exact = FloatExecutor(dequantize(net.network)).trace(x), net.trace(x)
    for population in net.network.hidden:
        equal = exact.layers[population.name].words == real.layers[population.name].words
        assert np.mean(equal) > 0.999, population.name
    assert np.linalg.norm(real.output - exact.output) < 1e-3 * np.linalg.norm(exact.output)


def test_words_differ_only_where_a_potential_lies_on_a_threshold() -> None:
    """A channel that is constant may lie on one, where real numbers round to either side of it."""
    x = inputs(16)
    net = los.convert(make("branches"), x, timesteps=4, payload_bits=2)
    assert any(p.one_sided is not None for p in net.network.hidden)
    real, exact = FloatExecutor(dequantize(net.network)).trace(x), net.trace(x)
    for p in net.network.hidden:
        found, v = exact.layers[p.name].words, exact.layers[p.name].v
        assert v is not None
        differs = found != real.layers[p.name].words
        sides = [p.table.thresholds(np.broadcast_to(p.threshold, p.shape)), p.negative_thresholds(p.shape)]
        near = [np.abs(np.abs(v) - theta[:, None]).min(axis=0) for theta in sides if theta is not None]
        assert np.mean(differs) < 0.01 and np.all(np.min(near, axis=0)[differs] <= 1), p.name


def test_sides_of_neurons_stay() -> None:
    network = sides()
    stages = dequantize(network)
    for population in network.hidden:
        found = stages.plans[population.name].one_sided
        assert found is not None and population.one_sided is not None
        assert np.array_equal(found, population.one_sided)
