"""The network as a torch module makes every step as the oracle does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihi_onespike.boards.sanafe.plugin import check_computable
from loihi_onespike.core.codes import Base, PayloadCode, PhaseCode
from loihi_onespike.core.graphs.network import Membrane, Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import ConfigurationError, SimulatorError
from loihi_onespike.executors import reference
from loihi_onespike.neighbours.step_module import OneSpikeNeurons, StepModule, SynapseGroup
from tests.strategies import random_case, random_codes
from tests.support.lava_networks import chain, codes, everything, source, weights
from tests.support.networks import sides


@pytest.mark.parametrize("network", [chain(6), chain(2), everything(5), everything(2)], ids=lambda n: n.name)
def test_handwritten_networks(network):
    given = codes(network, 3)
    assert first_difference(StepModule(network)(given), reference.run(network, given)) is None


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed):
    network, given = random_case(seed, dips=50, products=seed % 2 * 60)
    module = StepModule(network)
    assert first_difference(module(given), reference.run(network, given)) is None
    # A second run begins anew.
    assert first_difference(module(given[:1]), reference.run(network, given[:1])) is None


def test_neurons_that_send_no_negative_spikes():
    network = sides()
    given = random_codes(network, seed=3, images=5)
    expected = reference.run(network, given)
    assert first_difference(StepModule(network)(given), expected) is None
    words = expected.layers["channels"].words
    assert words is not None and (words[:, [0, 2]] >= 0).all() and (words[:, [1, 3]] < 0).any()


def test_weights_are_bytes_and_read_at_every_call():
    network = chain(6)
    module = StepModule(network)
    groups = [m for m in module.modules() if isinstance(m, SynapseGroup)]
    assert len(groups) == len(network.synapses)
    for group, synapse in zip(groups, network.synapses, strict=True):
        assert group.weight.dtype == torch.int8
        assert np.array_equal(2 * group.weight.numpy().astype(int), synapse.op.weight_values)
    spikes = torch.ones((1, *network.input.shape), dtype=torch.float64)
    before = groups[0](spikes)
    groups[0].weight.data = torch.ones_like(groups[0].weight)
    after = groups[0](spikes)
    # 3 × 3 kernels of ones with padding 1: 9 inside, 4 in the corners
    assert not torch.equal(before, after) and after[0, 0, 4, 4] == 9 and after[0, 0, 0, 0] == 4


def test_a_neuron_fires_once_in_a_window():
    (population, *_) = chain(6).hidden
    neurons = OneSpikeNeurons(population)
    high = torch.full((2, *population.shape), 2**23 - 1)
    for _ in range(2):
        neurons.start()
        assert neurons(high, 1).eq(1).all()
        assert neurons(high, 2).eq(0).all()


def test_a_payload_is_refused():
    network, _ = random_case(0, payload=100)
    with pytest.raises(ConfigurationError, match=r"must send no payload, got \d+ bits; convert with payload_bits=0"):
        StepModule(network)


def input_with_payload() -> Network:
    """An input that sends messages, and a readout alone."""
    code = PayloadCode.geometric(4.0, 3, 1, largest=7)
    membrane = Membrane(code.gains, 0, np.array(0, np.int64), np.array(1.0))
    populations = (source((3,), code), Readout("out", (2,), membrane))
    return verify(Network("messages", populations, (Synapse("out", "input", "out", Dense(weights(1, (2, 3)))),)))


def test_a_payload_of_the_input_is_refused():
    with pytest.raises(ConfigurationError, match="input: must send no payload, got 1 bits"):
        StepModule(input_with_payload())
    with pytest.raises(SimulatorError, match=r"input: spikes must have no payload, .*, got 1 bits"):
        check_computable(input_with_payload())


def test_a_gain_of_16():
    membrane = Membrane((4096, 65536), 0, np.array(3, np.int64), np.array(1.0))
    populations = (source((3,), PhaseCode(Base.nearest(1.5), 2)), Readout("out", (2,), membrane))
    network = verify(Network("gain", populations, (Synapse("out", "input", "out", Dense(weights(1, (2, 3)))),)))
    given = codes(network, 3)
    assert first_difference(StepModule(network)(given), reference.run(network, given)) is None
