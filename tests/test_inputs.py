"""Models with several inputs, from the conversion to the evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import (
    CalibrationError,
    ConfigurationError,
    FormatError,
    InputRangeWarning,
    UnsupportedModelError,
)
from loihi_onespike.frontend import as_module, trace
from loihi_onespike.frontend.importers.joined_inputs import joined_inputs_of
from tests.frontend.models import assert_close
from tests.support.ann_eval import evaluate_torch


class Fusion(nn.Module):
    """An image, and a state of another range that joins behind a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.state = nn.Conv2d(3, 4, 3, stride=2), nn.Linear(5, 8)
        self.last = nn.Linear(4 * 4 + 8 + 5, 3)

    def forward(self, image: Any, state: Any, scale: Any = None) -> Any:
        a = torch.relu(self.image(image)).flatten(1)
        b = torch.relu(self.state(state))
        return self.last(torch.cat([a, b, state / 100], dim=1))


class Siamese(nn.Module):
    """The distance of two vectors through the same layer, with a value for each."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.last = nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, left: Any, right: Any) -> Any:
        a, b = torch.relu(self.layer(left)), torch.relu(self.layer(right))
        return {"distance": self.last(torch.relu(a - b)), "left": self.last(a)}


def inputs(count: int = 16) -> dict[str, torch.Tensor]:
    """Images with the grid of 8 bits after a normalisation per channel, and states in the hundreds."""
    chance = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (count, 3, 6, 6), generator=chance).float()
    spread = torch.tensor([50.0, 60.0, 70.0]).reshape(3, 1, 1)
    return {"image": (images - 100) / spread, "state": 200 * torch.randn(count, 5, generator=chance)}


@pytest.fixture(scope="module")
def net() -> OneSpikeNetwork:
    """The converted network of image and state."""
    torch.manual_seed(0)
    return los.convert(Fusion(), inputs(), timesteps=10, objective="accuracy")


def relative(found: Any, wanted: torch.Tensor) -> float:
    """Relative error."""
    return float(np.linalg.norm(found - wanted.detach().numpy()) / wanted.detach().norm())


def test_every_form_of_the_inputs(net: OneSpikeNetwork) -> None:
    x = inputs(6)
    wanted = Fusion.forward(net.model.model, **x)  # type: ignore[union-attr]
    found = net.predict(x)
    assert relative(found, wanted) < 0.2
    for other in (tuple(x.values()), [v.numpy() for v in x.values()]):
        np.testing.assert_array_equal(net.predict(other), found)
    assert net.inputs is not None
    assert (net.inputs.names, net.inputs.shapes) == (("image", "state"), ((3, 6, 6), (5,)))


def test_every_input_has_ranges_of_its_own(net: OneSpikeNetwork) -> None:
    scale, source = net.network.input.scale, net.network.input
    assert net.inputs is not None
    image, state = (scale[place] for place in net.inputs.slices)
    assert len(np.unique(image)) == 3  # one per channel, as the normalisation has them
    assert len(np.unique(state)) == 1
    assert state[0] > 100 * image.max()
    x = inputs(4)
    codes = net.encode(x)  # type: ignore[arg-type]
    values = source.offset + source.scale * source.code.decode(codes)
    np.testing.assert_allclose(values[:, net.inputs.slices[0]].reshape(-1, 3, 6, 6), x["image"], atol=1e-4)


def test_an_input_read_beside_populations_is_sent_again_alone(net: OneSpikeNetwork) -> None:
    (recoded,) = (p for p in net.network.hidden if "recoded" in p.name)
    assert recoded.shape == (5,)


def test_executors_and_files(net: OneSpikeNetwork, tmp_path: Path) -> None:
    x: Any = inputs(2)
    expected = net.trace(x, "reference")
    for executor in ("fast", "microcode"):
        assert first_difference(expected, net.trace(x, executor)) is None, executor
    again = los.load(net.save(tmp_path / "net.h5"))
    np.testing.assert_array_equal(again.predict(x), net.predict(x))
    for damaged in ({"parts": [["image", [3, 6]]]}, {"parts": [["image", [0]]]}, {"parts": "x"}, {}):
        facts = {**net.network.facts, "inputs": damaged}
        with pytest.raises(FormatError, match="inputs must"):
            _ = OneSpikeNetwork(replace(net.network, facts=facts)).inputs


@pytest.mark.thorough
def test_float_executor_is_closer_with_finer_codes(net: OneSpikeNetwork) -> None:
    x: Any = inputs()
    model = net.model.model  # type: ignore[union-attr]
    coarse = los.convert(model, x, timesteps=4, objective="accuracy")
    wanted = model(**x)
    assert relative(net.predict(x, "float"), wanted) < 0.7 * relative(coarse.predict(x, "float"), wanted)


def test_evaluate_and_diagnose(net: OneSpikeNetwork) -> None:
    x: Any = inputs(8)
    labels = net.model.model(**x).argmax(1)  # type: ignore[union-attr]
    found = net.evaluate(x, labels)
    assert found.ann_accuracy is not None
    assert found.ann_accuracy.value == 1
    named = OneSpikeNetwork(net.network).evaluate(x, labels, model=net.model.model)  # type: ignore[union-attr]
    assert named.agreement == found.agreement
    assert los.diagnose(net, x).error.relative < 0.2


def test_several_inputs_and_outputs_by_batches() -> None:
    torch.manual_seed(1)
    model, chance = Siamese(), torch.Generator().manual_seed(1)
    batches = [tuple(torch.rand(8, 6, generator=chance) for _ in range(2)) for _ in range(2)]
    net = los.convert(model, batches, timesteps=10, objective="accuracy")
    wanted = model(*batches[0])
    found = net.predict(batches[0])
    assert list(found) == ["distance", "left"]
    assert max(relative(found[key], wanted[key]) for key in found) < 0.1
    labelled = [(batch, torch.zeros(8)) for batch in batches]
    same = los.convert(model, labelled, timesteps=10, objective="accuracy")
    np.testing.assert_array_equal(same.predict(batches[0])["left"], found["left"])
    assert first_difference(net.trace(batches[0], "reference"), net.trace(batches[0])) is None


class Sum(nn.Module):
    """Two inputs of different shapes, without arguments of a default value, as files record them."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.state = nn.Conv2d(3, 4, 3), nn.Linear(5, 4)

    def forward(self, image: Any, state: Any) -> Any:
        return torch.relu(self.image(image)) + torch.relu(self.state(state))[..., None, None]


@pytest.mark.parametrize("form", ["onnx", "onnx_of_one_batch_size", "program"])
def test_files_and_programs_of_several_inputs(form: str, tmp_path: Path) -> None:
    model, x = Sum().eval(), inputs(5)
    few = tuple(values[:2] for values in x.values())
    source: Any = tmp_path / "net.onnx"
    if form == "program":
        source = torch.export.export(model, few)
    else:
        pytest.importorskip("onnx2torch")
        axes = {name: {0: "n"} for name in x} if form == "onnx" else None
        torch.onnx.export(model, few, str(source), input_names=list(x), dynamic_axes=axes, opset_version=17)
    given = tuple(x.values()) if form == "program" else x
    joined, flat = joined_inputs_of(as_module(source), given)
    graph = trace(joined, torch.as_tensor(flat))
    assert_close(evaluate_torch(graph, flat), model(**x).detach().numpy())
    with pytest.raises(UnsupportedModelError, match="a model of 2 inputs"):
        trace(as_module(source), x["image"])
    with pytest.raises(CalibrationError, match="must have the entries"):
        joined_inputs_of(as_module(source), {"image": x["image"]})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"image": torch.zeros(2, 3, 6, 6)}, "must have the entries image, state, got image"),
        ((torch.zeros(2, 3, 6, 6),), "must be a tuple or mapping of 2 inputs"),
        ((torch.zeros(2, 3, 6, 6), torch.zeros(3, 5)), "same number of samples"),
        ((torch.zeros(2, 3, 6, 6), torch.zeros(2, 4)), r"x\['state'\]: must have shape \(N, 5\), got \(2, 4\)"),
    ],
)
def test_inputs_that_do_not_fit(net: OneSpikeNetwork, x: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        net.predict(x)


def test_clipped_values_are_told(net: OneSpikeNetwork) -> None:
    x: Any = {name: 20 * values for name, values in inputs(3).items()}
    with pytest.warns(InputRangeWarning, match="input values"):
        net.predict(x)


def test_calibration_data_that_do_not_fit() -> None:
    with pytest.raises(UnsupportedModelError, match=r"a model of 2 inputs \(left, right\)"):
        los.convert(Siamese(), torch.rand(8, 6))
    with pytest.raises(CalibrationError, match="batches must be tuples or mappings of the inputs left, right"):
        los.convert(Siamese(), [torch.rand(8, 6)])
    with pytest.raises(CalibrationError, match=r"calibration\['left'\]: values must be finite"):
        los.convert(Siamese(), (torch.full((8, 6), torch.nan), torch.rand(8, 6)))
