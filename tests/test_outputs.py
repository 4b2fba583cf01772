"""Models with several outputs, from the conversion to the evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.boards.deployment.comparison import compare_traces
from loihi_onespike.boards.mapping import layers_of
from loihi_onespike.core.graphs.network import Readout
from loihi_onespike.errors import ConfigurationError, FormatError, UnsupportedModelError


class Heads(NamedTuple):
    """Outputs of a head."""

    boxes: Any
    scores: Any


class Detector(nn.Module):
    """Two heads at two depths, a classifier, and a value that the next layer reads too."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.first, self.second = nn.Conv2d(4, 3, 1), nn.Conv2d(4, 3, 1)
        self.classify = nn.Linear(4 * 9, 5)

    def forward(self, x: Any) -> Any:
        a = torch.relu(self.a(x))
        z = self.b(a)
        b = torch.relu(z)
        scores = self.classify(b.flatten(1))
        return {
            "heads": [Heads(self.first(a), self.second(b))],
            "scores": scores,
            "probabilities": scores.softmax(1),
            "inner": (z, scores, None, 3),
        }


def images(count: int = 12) -> torch.Tensor:
    """Random images."""
    return torch.rand(count, 2, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def net() -> OneSpikeNetwork:
    """The converted detector."""
    torch.manual_seed(0)
    return los.convert(Detector(), images(), timesteps=8, objective="accuracy")


def flat(outputs: Any) -> list[Any]:
    """The outputs of the detector in a row."""
    ((boxes, scores),) = outputs["heads"]
    return [boxes, scores, outputs["scores"], outputs["probabilities"], outputs["inner"][0]]


def test_structure_and_values(net: OneSpikeNetwork) -> None:
    assert net.model is not None
    found, wanted = net.predict(images(5)), net.model(images(5))
    assert list(found) == list(wanted)
    assert found["heads"][0]._fields == ("boxes", "scores")
    assert found["inner"][2:] == (None, 3)
    assert found["inner"][1] is found["scores"]
    for ours, own in zip(flat(found), flat(wanted), strict=True):
        own = own.detach().numpy()
        assert ours.shape == own.shape
        assert np.linalg.norm(ours - own) < 0.08 * np.linalg.norm(own)


def test_float_executor_is_closer_with_finer_codes(net: OneSpikeNetwork) -> None:
    model = net.model
    assert model is not None
    fine = los.convert(model, images(), timesteps=16, base=1.2, objective="accuracy")

    def error(made: OneSpikeNetwork) -> float:
        pairs = zip(flat(made.predict(images(), "float")), flat(model(images())), strict=True)
        return max(float(np.linalg.norm(y - a.detach().numpy()) / a.norm()) for y, a in pairs)

    assert error(fine) < error(net)


def test_analog_even_where_a_population_sends_the_value(net: OneSpikeNetwork) -> None:
    (inner,) = (p for p in net.network.readouts if p.name == "b")
    assert [s.pre for s in net.network.synapses_onto(inner.name)] == ["relu"]
    macs: Any = net.network.facts["ann_macs"]
    assert macs["b"] == macs["classify.readout"] == 0  # counted where the values go on
    assert macs["relu_1"] > 0
    assert macs["classify"] > 0


def test_files_keep_the_structure(net: OneSpikeNetwork, tmp_path: Path) -> None:
    again = los.load(net.save(tmp_path / "net.h5"))
    for ours, loaded in zip(flat(net.predict(images(3))), flat(again.predict(images(3))), strict=True):
        np.testing.assert_array_equal(ours, loaded)
    assert [layer.to_host for layer in layers_of(again.network)] == [
        isinstance(p, Readout) for p in again.network.populations[1:]
    ]


def test_damaged_structure_is_refused(net: OneSpikeNetwork) -> None:
    for outputs in ({"tree": {"output": 0}}, {"tree": {"tuple": [{"output": "x"}]}}, {}):
        facts = {**net.network.facts, "outputs": outputs}
        with pytest.raises(FormatError, match=r"facts: outputs must"):
            _ = OneSpikeNetwork(replace(net.network, facts=facts)).outputs


def test_metric(net: OneSpikeNetwork) -> None:
    targets = {"scores": np.zeros((12, 5))}

    def metric(outputs: Any, y: Any) -> dict[str, float]:
        return {"squares": float(np.square(outputs["scores"] - y["scores"]).mean())}

    found = net.evaluate(images(), targets, metric=metric)  # type: ignore[arg-type]
    assert net.model is not None
    wanted = float(net.model(images())["scores"].square().mean())
    assert found.metric is not None
    assert found.ann_metric is not None
    assert found.ann_metric["squares"] == pytest.approx(wanted, rel=1e-4)
    assert found.metric["squares"] == pytest.approx(wanted, rel=0.1)
    assert (found.images, found.to_dict()["accuracy"]) == (12, None)
    assert found.synaptic_operations > 0
    whole = net.evaluate(images(), targets, metric=metric, batch=5)  # type: ignore[arg-type]
    assert whole.metric == found.metric


def test_refused(net: OneSpikeNetwork) -> None:
    with pytest.raises(ConfigurationError, match=r"must have one output .* got 5 .*pass `metric`"):
        net.evaluate(images(), np.zeros(12, int))
    with pytest.raises(ConfigurationError, match=r"^metric: must give a number"):
        net.evaluate(images(), np.zeros(12), metric=lambda outputs, y: "good")  # type: ignore[arg-type, return-value]
    with pytest.raises(ConfigurationError, match=r"^metric: must be None"):
        net.evaluate(images(), metric=lambda outputs, y: 0.0)
    with pytest.raises(ConfigurationError, match=r"must have one output for this, got 5"):
        _ = net.network.readout
    with pytest.raises(ConfigurationError, match=r"^max_loss: must be None .* got 5 outputs"):
        los.convert(net.model, images(), max_loss=1.0)  # type: ignore[arg-type]


def test_objective_counts_all_outputs(net: OneSpikeNetwork) -> None:
    assert net.model is not None
    priced = los.convert(net.model, images(), timesteps=8)  # the default objective weighs errors by gradients
    assert len(priced.network.readouts) == 5


def test_diagnose_and_comparison(net: OneSpikeNetwork) -> None:
    found = los.diagnose(net, images(6))
    assert 0 < found.error.relative < 0.1
    oracle, fast = net.trace(images(3), "reference"), net.trace(images(3))
    compared = compare_traces(net.network, oracle, fast, "fast")
    assert (compared.equal, compared.same_class) == (True, 3)


class Returns(nn.Module):
    """Returns what a function makes of a hidden value."""

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.layer, self.last, self.of = nn.Linear(3, 4), nn.Linear(4, 4), of

    def forward(self, x: Any) -> Any:
        return self.of(self.last(torch.relu(self.layer(x))))


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (lambda x: (x, torch.ones(2)), "returns a constant"),
        (lambda x: (x, x + 1, object()), "must be tensors in tuples, lists and dicts"),
        (lambda x: None, "without tensors"),
    ],
)
def test_structures_that_are_refused(of: Any, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        los.convert(Returns(of), torch.rand(4, 3))


def test_the_same_output_twice() -> None:
    net = los.convert(Returns(lambda x: (x, [x])), torch.rand(4, 3))
    assert len(net.network.readouts) == 1
    first, (second,) = net.predict(torch.rand(4, 3))
    assert first is second
    assert first.shape == (4, 4)
