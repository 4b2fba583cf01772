"""Delays and relays: every branch arrives at the same step, whatever its depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.encoding import encode_input
from loihi_onespike.core.graphs.network import MAX_AXON_DELAY
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors import reference
from tests.support.models import inputs, prepared


class Deep(nn.Module):
    """One activation that a layer `depth` layers deeper and the last one read again."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 3, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(depth))
        self.last = nn.Conv2d(3, 3, 1)
        self.out = nn.Linear(3 * 64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x = torch.relu(self.stem(x))
        for layer in self.layers:
            y = torch.relu(layer(y))
        y = torch.relu(y + x)
        y = torch.relu(self.last(y) + x)
        return self.out(y.flatten(1))


class Behind(nn.Module):
    """The sum of a value and of what two layers make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Tanh(), nn.Conv2d(3, 3, 1), nn.Tanh())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) + x


@pytest.mark.parametrize(
    ("timesteps", "depth", "relays"), [(16, 3, 0), (16, 4, 1), (30, 5, 2), (62, 2, 2), (124, 1, 1)]
)
def test_long_shortcuts_share_one_chain_of_relays(timesteps: int, depth: int, relays: int) -> None:
    """A layer takes T + 1 steps; each relay carries 63 of them and the synapse itself up to 62."""
    x = inputs(3)
    net = los.convert(prepared(Deep(depth)), x, timesteps=timesteps, method="paper")
    chain = [p.name for p in net.network.hidden if p.kind == "relay"]
    longest = depth * (timesteps + 1)  # x + y is never negative, so its ReLU is no layer
    assert len(chain) == relays == max(0, -(-(longest - MAX_AXON_DELAY) // (MAX_AXON_DELAY + 1)))
    delays = [s.axon_delay for s in net.network.synapses]
    assert max(delays) <= MAX_AXON_DELAY
    assert net.latency_steps == 1 + (8 + 1) + (depth + 1) * (timesteps + 1) + timesteps
    assert first_difference(net.trace(x, "reference"), net.trace(x, "fast")) is None


def test_relays_do_not_change_the_result() -> None:
    """The same network at a short T needs none; at a long one the spikes still arrive in their phases."""
    x = inputs(6)
    net = los.convert(prepared(Deep(3)), x, timesteps=64, base=1.08, method="paper")
    assert any(p.kind == "relay" for p in net.network.hidden)
    exact, real = net.predict(x, "fast"), net.predict(x, "float")
    assert np.linalg.norm(exact - real) < 0.1 * np.linalg.norm(real)


def test_relays_repeat_one_sided_neurons_without_knowing_them() -> None:
    x = inputs(2)
    model = prepared(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), Behind(), nn.Flatten(), nn.Linear(192, 3)))
    network = los.convert(model, x, timesteps=64, base=1.08, method="paper").network
    first, *_, relay = (p for p in network.hidden if p is network.hidden[0] or p.kind == "relay")
    sides = np.array([True, False, True]).reshape(3, 1, 1)
    mixed = tuple(replace(p, one_sided=sides) if p is first else p for p in network.populations)
    network = verify(replace(network, populations=mixed))
    layers = reference.run(network, encode_input(network.input, x.numpy())).layers
    words, repeated = layers[first.name].words, layers[relay.name].words
    assert words is not None and repeated is not None
    assert relay.signed and relay.one_sided is None and np.array_equal(repeated, words)
    assert (words[:, [0, 2]] >= 0).all() and (words[:, 1] < 0).any()
