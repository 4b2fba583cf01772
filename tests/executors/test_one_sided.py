"""Populations some of whose neurons send no negative spikes: by hand, and all executors of this process alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.codes import Codebook, ThresholdTable
from loihi_onespike.core.graphs.network import (
    NEVER_REACHED,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Readout,
    Synapse,
)
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import Trace, first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from tests.support.graph_models import TwoLayers, adjacency, with_seed
from tests.support.models import prepared

CODE = Codebook((8192, 8192))
ONE = np.ones(())
THETA = ThresholdTable((4, 2), (1, 2))
"""θ(w) = 20, 5 for a threshold of 10."""


def _network(one_sided: list[bool] | None, wait: int) -> Network:
    """An input with weights 4 and -4 onto two neurons each, of which some may send positive spikes alone."""
    membrane = Membrane(CODE.gains, 0, np.array(0), ONE)
    mask = None if one_sided is None else np.array(one_sided)
    neurons = Population(
        "neurons", (4,), "linear", membrane, wait, CODE, np.array(10), THETA, THETA, ONE, one_sided=mask
    )
    source = InputPopulation("input", (1,), CODE, ONE, np.zeros(()))
    weights = np.array([[4], [4], [-4], [-4]], np.int16)
    readout = Readout("readout", (1,), Membrane(CODE.gains, 0, np.array(0), ONE))
    synapses = (
        Synapse("neurons", "input", "neurons", Dense(weights)),
        Synapse("readout", "neurons", "readout", Dense(np.full((1, 4), 2, np.int16))),
    )
    return verify(Network("by hand", (source, neurons, readout), synapses))


@pytest.mark.parametrize("wait", [0, 2])
def test_one_sided_neurons_by_hand(wait: int) -> None:
    """A spike at phase 1 makes v ±4 and then ±8: beyond 5 in phase 2, and beyond neither threshold before."""
    codes = np.array([[1], [0]])
    for one_sided, words in ((None, [2, 2, -2, -2]), ([False, True, False, True], [2, 2, -2, 0])):
        network = _network(one_sided, wait)
        trace = reference.run(network, codes)
        found = trace.layers["neurons"].words
        assert found is not None and found.tolist() == [words, [0, 0, 0, 0]]
        for events in (True, False):
            assert first_difference(trace, FastExecutor(network, events=events).run(codes)) is None


def test_thresholds_of_negative_spikes_are_out_of_reach() -> None:
    population = _network([False, True, False, True], 0).by_name["neurons"]
    assert isinstance(population, Population) and population.threshold_shape == (4,)
    found = population.negative_thresholds((4,))
    assert found is not None and found.tolist() == [[20, NEVER_REACHED] * 2, [5, NEVER_REACHED] * 2]
    assert replace(population, negative=None, one_sided=None).negative_thresholds((4,)) is None


class _Mixed(nn.Module):
    """Layers whose channels are shifted up or down, so that half of them are mostly silent."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.BatchNorm2d(16), nn.ReLU(),
            nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * 9, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 5),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def _mixed() -> nn.Module:
    model = prepared(_Mixed(), 1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.weight.data = module.weight.data.abs() + 0.3
            module.bias.data = torch.tensor([-1.0, 1.5]).repeat(8)
    return model


def _words(trace: Trace, name: str) -> NDArray[np.integer]:
    words = trace.layers[name].words
    assert isinstance(words, np.ndarray)
    return words


@pytest.mark.parametrize(
    "options",
    [
        {"payload_bits": 0},
        pytest.param({"wait": 3, "timesteps": 8, "payload_bits": 0}, marks=pytest.mark.thorough),
        pytest.param({"timesteps": 3, "payload_bits": 2}, marks=pytest.mark.thorough),
        {"timesteps": 3, "payload_bits": 2, "wait": 1},
    ],
    ids=["full wait", "short wait", "payload", "payload, short wait"],
)
def test_converted_networks_with_both_sides(options: dict[str, Any]) -> None:
    x = torch.rand((400, 3, 6, 6), generator=torch.Generator().manual_seed(3)).numpy()
    net = los.convert(_mixed(), x, **options)
    sides = {p.name: np.broadcast_to(p.one_sided, p.shape) for p in net.network.hidden if p.one_sided is not None}
    assert sides and all(one_sided.any() and not one_sided.all() for one_sided in sides.values())
    codes = net.encode(x[:8])
    expected = reference.run(net.network, codes)
    for events in (True, False):
        executor = FastExecutor(net.network, events=events)
        assert first_difference(expected, executor.run(codes)) is None
        words = executor.run(codes, potentials=False)
        assert all(np.array_equal(_words(words, p.name), _words(expected, p.name)) for p in net.network.hidden)
    for name, one_sided in sides.items():
        sent = _words(expected, name)
        assert (sent < 0).any() and (sent[np.broadcast_to(one_sided, sent.shape)] >= 0).all()
    if "wait" not in options:
        floats = net.trace(x[:8], "float")
        assert np.mean([np.mean(_words(floats, name) != _words(expected, name)) for name in sides]) < 0.03


def test_a_graph_network_with_both_sides() -> None:
    net = los.convert(with_seed(lambda: TwoLayers(60), 1), adjacency(60))
    chance = np.random.default_rng(0)
    populations = []
    for p in net.network.populations:
        if isinstance(p, Population):
            signed = p if p.signed else replace(p, negative=p.table)
            p = replace(signed, one_sided=chance.random((1, p.shape[-1])) < 0.5)
        populations.append(p)
    network = verify(replace(net.network, populations=tuple(populations)))
    codes = net.encode(adjacency(60))
    expected = reference.run(network, codes)
    for kept in (True, False):
        found = FastExecutor(network).run(codes, potentials=kept)
        for p in network.hidden:
            sent = _words(found, p.name)
            assert np.array_equal(sent, _words(expected, p.name)) and (sent != 0).any()
