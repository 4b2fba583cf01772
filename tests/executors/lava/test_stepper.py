"""The whole network step by step, without Lava: equal to the oracle, and idle where nothing happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.executors import reference
from loihi_onespike.executors.lava import stepper as stepper_module
from loihi_onespike.executors.lava.job import LavaJob
from loihi_onespike.executors.lava.stepper import Inputs, Neurons, Stepper
from tests.strategies import random_case
from tests.support.lava_networks import chain, codes, everything, graded, sides
from tests.support.networks import products


def input_spikes(network: Network, x: NDArray[np.integer], step: int, period: int) -> NDArray[np.integer]:
    image, t = divmod(step - 1, period)
    code = network.input.code
    if image >= len(x) or t + 1 > code.timesteps:
        return np.zeros(network.input.shape, np.int8)
    return code.spikes(x[image], t + 1)


def assert_equal_to_the_oracle(folder: Path, network: Network, x: NDArray[np.integer], period: int) -> None:
    job = LavaJob("fixed_pt", "own", "whole", period, len(x))
    records = job.records(folder, network)
    for record in records.values():
        record.create()
    stepper = Stepper(network, period=period, images=len(x), records=records)
    for step in range(1, job.steps(network) + 1):
        stepper.advance(step)
        stepper.receive(step, input_spikes(network, x, step, period))
    expected = reference.run(network, x)
    for name, record in records.items():
        found, layer = record.read(), expected.layers[name]
        if layer.words is not None:
            assert found.words is not None and np.array_equal(found.words, layer.words), name
        assert found.v is not None and layer.v is not None and np.array_equal(found.v, layer.v), name
        assert (found.peak, found.input_peak) == (layer.peak, layer.input_peak), name
    v = expected.layers[network.readout.name].v
    assert v is not None and np.array_equal(stepper.output, v[-1])
    assert not stepper.under_way, "every spike has arrived, those of the last window too"


@pytest.mark.parametrize("wait", [0, 1, 3, 6])
def test_chain_of_convolutions_and_pools(tmp_path: Path, wait: int) -> None:
    network = chain(wait)
    assert_equal_to_the_oracle(tmp_path, network, codes(network, 5), network.period_steps)


@pytest.mark.parametrize("wait", [0, 1, 5])
def test_every_feature_of_the_ir(tmp_path: Path, wait: int) -> None:
    """Saturation, two-sided spikes, delays, relays, gathers, several synapses onto one population."""
    network = everything(wait)
    assert_equal_to_the_oracle(tmp_path, network, codes(network, 4), network.period_steps)


@pytest.mark.parametrize("wait", [0, 1, 3])
def test_payload(tmp_path: Path, wait: int) -> None:
    """Messages at the input, in max pooling, relays and on both sides."""
    network = graded(wait)
    assert_equal_to_the_oracle(tmp_path, network, codes(network, 4), network.period_steps)


@pytest.mark.parametrize("wait", [0, 1, 3])
def test_one_sided_neurons(tmp_path: Path, wait: int) -> None:
    network = sides(wait)
    assert_equal_to_the_oracle(tmp_path, network, codes(network, 8), network.period_steps)


def test_a_longer_period_changes_nothing(tmp_path: Path) -> None:
    network = everything(2)
    assert_equal_to_the_oracle(tmp_path, network, codes(network, 3), 3 * network.period_steps + 1)


@pytest.mark.parametrize("seed", range(30))
def test_random_networks(tmp_path: Path, seed: int) -> None:
    network, x = random_case(seed)
    assert_equal_to_the_oracle(tmp_path, network, x, network.period_steps)


@pytest.mark.parametrize("seed", range(30, 60))
def test_random_networks_with_payload_and_dips(tmp_path: Path, seed: int) -> None:
    network, x = random_case(seed, payload=80, dips=60)
    assert_equal_to_the_oracle(tmp_path, network, x, network.period_steps)


@pytest.mark.parametrize("seed", range(60, 90))
def test_random_networks_with_products(tmp_path: Path, seed: int) -> None:
    network, x = random_case(seed, payload=seed % 2 * 80, products=60)
    assert_equal_to_the_oracle(tmp_path, network, x, network.period_steps)


def test_products(tmp_path: Path) -> None:
    network = products()
    assert_equal_to_the_oracle(tmp_path, network, codes(network, 5), network.period_steps)


def test_only_open_windows_and_spikes_that_exist_cost_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images, then silence: every population steps through its two windows, kernels run for spikes alone."""
    network = chain(3)
    stepped: dict[str, int] = {}
    sums: list[int] = []
    true_step, true_sums = Neurons.step, stepper_module._Line.sums

    def step(self: Neurons, image: int, t: int, a_in: Inputs) -> NDArray[np.int8] | None:
        stepped[self.p.name] = stepped.get(self.p.name, 0) + 1
        return true_step(self, image, t, a_in)

    def count(self: stepper_module._Line, spikes: NDArray[np.int8]) -> NDArray[np.int32]:
        sums.append(int(np.abs(spikes).sum()))
        return true_sums(self, spikes)

    monkeypatch.setattr(Neurons, "step", step)
    monkeypatch.setattr(stepper_module._Line, "sums", count)
    period = network.period_steps
    stepper = Stepper(network, period=period, images=2)
    silence = np.zeros(network.input.shape, np.int8)
    for at in range(1, 20 * period):
        stepper.advance(at)
        stepper.receive(at, silence)
    # wait + T = 9 steps (conv1 too: its wait is 3); max pooling decides from its first step on; the readout integrates
    # T = 6 steps.
    assert stepped == {"conv1": 18, "max1": 12, "conv2": 18, "mean2": 18, "out": 12}
    assert min(sums, default=1) > 0


def test_without_a_number_of_images_it_goes_on() -> None:
    """Windows without input spikes are windows too: the biases run through the network, again and again."""
    network = chain(3)
    period, start = network.period_steps, network.starts["out"]
    shown = []
    for images in (None, 1):
        stepper = Stepper(network, period=period, images=images)
        for step in range(1, start + 20 * period + 1):
            stepper.advance(step)
            shown.append(stepper.output.copy())
    endless, once = np.split(np.array(shown)[:, 0], 2)
    end = reference.run(network, np.zeros((1, *network.input.shape), np.int32)).layers["out"].v
    assert end is not None and end[0, 0] != endless[start], "v moves within a window"
    assert np.array_equal(endless[start:], np.tile(endless[start : start + period], 20))
    assert endless[-1] == end[0, 0]
    assert np.array_equal(once[: start + period], endless[: start + period])
    assert (once[start + period :] == end[0, 0]).all()
