"""The steps of a conversion in their order, on a model whose three neurons can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.pipeline import convert_network, lowered_stages, plan_float, source_of
from loihi_onespike.conversion.source import BatchSource, GraphSource
from loihi_onespike.errors import GraphError
from tests.support.graph_models import TwoLayers, adjacency, with_seed

OPTIONS = ConversionOptions(timesteps=4, base=2.0, input_bits=3, method="paper")
X = torch.tensor([[0.0, 1.0], [2.0, 7.0]])


class Counting(nn.Sequential):
    """Three neurons x0 + x1 + 1 each, and their sum plus 1."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        for parameter in self.parameters():
            nn.init.ones_(parameter)


def test_the_data_decide_between_samples_and_a_graph() -> None:
    assert isinstance(source_of(Counting(), X), BatchSource)
    assert isinstance(source_of(with_seed(lambda: TwoLayers(5)), (adjacency(6), torch.rand(6, 5))), GraphSource)


def test_a_planned_network_by_hand() -> None:
    """The largest value of a hidden neuron is 2 + 7 + 1; the input has the range 0 to 7 in seven steps."""
    planned = plan_float(Counting(), [X.numpy()], OPTIONS)
    (hidden,) = planned.hidden
    assert planned.plans[hidden.name].scale.tolist() == [10.0] * planned.plans[hidden.name].scale.size
    assert planned.input_plan is not None and planned.input_plan.scale.item() == 8.0  # a step is an eighth of λ


def test_the_record_in_the_network() -> None:
    seen: list[str] = []
    network, _ = convert_network(Counting(), X, OPTIONS, lambda what, done, of: seen.append(what))
    assert network.name == "Counting"
    options = network.facts["options"]
    assert isinstance(options, dict) and (options["base"], options["input_bits"], options["timesteps"]) == (2.0, 3, 4)
    assert list(dict.fromkeys(seen)) == ["calibrate", "quantize"]
    assert network.populations[0] is network.input and len(network.hidden) == 1


def test_the_stages_are_compared_with_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(Counting(), X)
    monkeypatch.setattr(BatchSource, "sample_and_output", lambda self: (X.numpy(), np.array([[7.0], [30.0]])))
    with pytest.raises(GraphError, match=r"the converted graph differs from the model by 0\.033"):
        lowered_stages(source)  # 3 · 10 + 1 = 31 in place of 30
