"""Spikes where they count: additions by hand, and objectives in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.calibration.allocation import (
    additions_of_a_spike_per_neuron,
    estimated_loss,
    input_additions,
)
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.core.codes import PhaseCode
from loihi_onespike.errors import ConfigurationError
from tests.support.stage_graphs import two_layers


def _with_macs() -> object:
    graph = two_layers()
    macs = {"hidden": 6, "signed": 6, "output": 4}
    stages = [graph.input]
    for stage in graph.stages[1:]:
        links = tuple(replace(link, macs=macs[stage.name]) for link in stage.links)  # type: ignore[union-attr]
        stages.append(replace(stage, links=links))  # type: ignore[arg-type]
    return replace(graph, stages=tuple(stages))


def test_additions_by_hand() -> None:
    """16 multiply-accumulates: 6 read the input, 6 the hidden and 4 the signed population. 0.75 is 110 in 3 bits."""
    graph = _with_macs()
    assert additions_of_a_spike_per_neuron(graph) == {"hidden": 6 / 16, "signed": 4 / 16}  # type: ignore[arg-type]
    x = np.array([[0.75, 0.75], [0.0, 0.5]])
    assert input_additions(graph, x) == pytest.approx(6 / 16 * 5 / 4)  # type: ignore[arg-type]


def test_the_estimated_loss_grows_with_the_error() -> None:
    outputs = np.random.default_rng(0).normal(scale=3.0, size=(100, 5))
    losses = [estimated_loss(outputs, error) for error in (0.0, 0.001, 0.01, 0.1)]
    assert losses[0] == 0 and losses == sorted(losses) and 0.2 < losses[-1] < 20


def test_objectives_spend_fewer_spikes_in_their_order() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU6(), nn.Conv2d(16, 8, 3),
        nn.ReLU(), nn.Flatten(), nn.Linear(128, 5),
    ).eval()  # fmt: skip
    x = torch.rand(96, 2, 6, 6)
    spikes = []
    for objective in ("accuracy", "balanced", "energy"):
        net = los.convert(model, x, objective=objective)
        layers = net.trace(x[:32].numpy()).layers
        spikes.append(np.mean([float(np.mean(np.asarray(layers[p.name].words) != 0)) for p in net.network.hidden]))
    assert spikes[0] > spikes[1] > spikes[2] > 0
    given = los.convert(model, x, objective="energy", base=1.3)
    assert all(isinstance(p.code, PhaseCode) for p in given.network.hidden)


@pytest.mark.parametrize("options", [{"method": "paper"}, {"threshold_shift": False}])
def test_objectives_need_scales_and_rounding_to_the_nearest_level(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"objective: must be 'accuracy' with .*, got 'balanced'; leave"):
        ConversionOptions(objective="balanced", **options)


@pytest.mark.parametrize("name", ["price", "max_loss"])
def test_the_objective_of_accuracy_has_no_price(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: must be None with objective='accuracy', got 2.0; use"):
        ConversionOptions(objective="accuracy", **{name: 2.0})  # type: ignore[arg-type]
