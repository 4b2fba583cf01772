"""The calibrated conversion of unusual networks, on unusual data: it converts, agrees with the oracle, and helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.conversion.calibration.row_inputs import row_inputs_of
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import CalibrationError, UnsupportedModelError
from tests.support.models import inputs, make, prepared


class Branches(nn.Module):
    """relu(a · conv(y) + b · x): a shortcut that is much stronger or much weaker than the layer beside it."""

    def __init__(self, layer: float, shortcut: float) -> None:
        super().__init__()
        self.strengths = layer, shortcut
        self.stem, self.conv = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.out = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.stem(x))
        return self.out(F.relu(self.conv(x) * self.strengths[0] + x * self.strengths[1]).mean((2, 3)))


class InputBeside(nn.Module):
    """Signed inputs read beside the layer that reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.join, self.out = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(5, 4, 3, stride=2), nn.Linear(164, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.join(torch.cat([x, F.relu(self.conv(x))], 1)))
        return self.out(torch.cat([x.flatten(1), y.flatten(1)], 1))


METHODS: tuple[Literal["calibrated"], Literal["paper"]] = ("calibrated", "paper")


def near_zero_gain() -> nn.Module:
    """Batch norm with gains of 0 and next to 0 in half of the channels, where nothing but the bias is left."""
    model = prepared(_norms())
    for norm, bias in ((model[1], (0.2, 0.0, 0.3)), (model[4], (0.0, 0.5, -0.2))):
        norm.weight.data[:3], norm.bias.data[:3] = torch.tensor([1e-6, 0.0, -1e-4]), torch.tensor(bias)
    return model


def _norms() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(24, 3)),
    )


def dead_channels() -> nn.Module:
    """Channels that are never active, and one without weights."""
    model = prepared(_norms())
    model[1].bias.data[:3], model[4].bias.data[:2] = -20.0, -20.0
    model[3].weight.data[2] = 0.0
    return model


def one_by_one() -> nn.Module:
    """Layers of one input and of one output."""
    return nn.Sequential(
        *(nn.Conv2d(2, 1, 8), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(1, 6), nn.ReLU(), nn.Linear(6, 1), nn.ReLU(), nn.Linear(1, 1)),
    )


def squashed() -> nn.Module:
    """Clipped, leaky and squashed values, a transposed convolution and pooling with padding."""
    up = nn.ConvTranspose2d(4, 3, 2, stride=2)
    model = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, stride=2, dilation=2), nn.ReLU6(), up, nn.LeakyReLU(0.1)),
        *(nn.AvgPool2d(2, padding=1), nn.Flatten(), nn.Linear(27, 6), nn.Sigmoid(), nn.Linear(6, 3)),
    )
    up.weight.data = torch.randn(up.weight.shape, generator=torch.Generator().manual_seed(0)) * 0.5
    assert up.bias is not None
    nn.init.constant_(up.bias, 0.1)
    return prepared(model)


ODD: dict[str, Callable[[], nn.Module]] = {
    "strong_shortcut": lambda: prepared(Branches(1.0, 30.0)),
    "weak_shortcut": lambda: prepared(Branches(30.0, 1.0)),
    "input_beside": lambda: prepared(InputBeside()),
    "near_zero_gain": near_zero_gain,
    "dead_channels": dead_channels,
    "one_by_one": lambda: prepared(one_by_one()),
    "squashed": squashed,
}
odd = pytest.mark.parametrize("name", ODD)


def _error(model: nn.Module, net: OneSpikeNetwork, x: torch.Tensor, executor: str = "fast") -> float:
    """Distance to the ANN over the spread of its outputs."""
    with torch.no_grad():
        ann = model(x).double().numpy()
    found = net.predict(x, executor=executor)
    assert np.isfinite(found).all()
    return float(np.linalg.norm(found - ann) / np.linalg.norm(ann - ann.mean(axis=0)))


@odd
@pytest.mark.parametrize(("timesteps", "wait"), [(1, None), (8, None), (4, 2)])
def test_odd_networks_convert_and_gain(name: str, timesteps: int, wait: int | None) -> None:
    """With a window of one phase, with one shorter than the input's, on images that the calibration has not seen."""
    model, x, unseen = ODD[name](), inputs(32), inputs(32, seed=1)
    net = los.convert(model, x, timesteps=timesteps, wait=wait, objective="accuracy")
    paper = los.convert(model, x, timesteps=timesteps, wait=wait, method="paper")
    assert first_difference(net.trace(unseen[:3], "reference"), net.trace(unseen[:3], "fast")) is None
    assert _error(model, net, unseen) < 1.1 * _error(model, paper, unseen)


@odd
def test_odd_networks_come_near_to_the_ann(name: str) -> None:
    model, x = ODD[name](), inputs(48)
    assert _error(model, los.convert(model, x, timesteps=64, objective="accuracy"), x) < 0.2


@pytest.mark.parametrize("images", [1, 2, 5])
def test_few_images_do_no_harm(images: int) -> None:
    """Of one sample there are no others on which to try a correction."""
    model, unseen = make("plain_cnn"), inputs(64, seed=1)
    errors = [_error(model, los.convert(model, inputs(images), timesteps=8, method=m), unseen) for m in METHODS]
    assert errors[0] < 1.1 * errors[1]


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_constant_inputs_give_the_output_of_the_ann(level: float) -> None:
    model, x = make("residual"), torch.full((8, 2, 8, 8), level)
    with torch.no_grad():
        ann = model(x).numpy()
    found = los.convert(model, x, timesteps=16).predict(x)
    assert np.allclose(found, ann, atol=0.03 * np.abs(ann).max())


def test_one_image_many_times_is_one_image() -> None:
    model, one = make("plain_cnn"), inputs(1)
    net = los.convert(model, one.repeat(40, 1, 1, 1), timesteps=8)
    assert _error(model, net, inputs(32, seed=1)) < 1.5 * _error(
        model, los.convert(model, one, timesteps=8), inputs(32, seed=1)
    )


def test_the_layout_of_the_data_does_not_matter() -> None:
    x = inputs(20)
    expected = los.convert(make("plain_cnn"), x, timesteps=6)
    channels_last = x.contiguous(memory_format=torch.channels_last)
    for other in (np.asfortranarray(x.numpy()), np.repeat(x.numpy(), 2, axis=0)[::2], channels_last):
        found = los.convert(make("plain_cnn"), other, timesteps=6)
        assert first_difference(expected.trace(x), found.trace(x)) is None


@pytest.mark.parametrize("scale", [2.0**-60, 2.0**66])
def test_the_unit_of_the_data_does_not_matter(scale: float) -> None:
    """Squares of such values leave the range of float32; a power of two changes nothing else."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(128, 24, bias=False), nn.ReLU(), nn.Linear(24, 4, bias=False))
    x = inputs(40)
    plain, scaled = (los.convert(prepared(model), x * s, timesteps=6) for s in (1.0, scale))
    assert np.allclose(scaled.predict(x * scale) / scale, plain.predict(x), rtol=1e-3, atol=1e-3)


def test_moments_of_huge_values_are_finite() -> None:
    link = Link("before", Dense(np.ones((3, 5))), None, np.ones(()))
    stage = Stage("after", (3,), "relu", (link,), np.zeros(()), RELU, ())
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 5))).float()
    plain, huge = (row_inputs_of(stage, {"before": x * s})[0] for s in (1.0, 2.0**70))
    assert np.array_equal(huge.covariance, plain.covariance * 2.0**140)
    found, expected = huge.products(huge.outputs(x[:, :3])), plain.products(plain.outputs(x[:, :3]))
    assert all(np.array_equal(a, b * 2.0**70) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("layer", ["0.weight", "9.bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_models_that_are_not_finite_are_refused(layer: str, value: float) -> None:
    model = make("plain_cnn")
    with torch.no_grad():
        model.get_parameter(layer).view(-1)[0] = value
    with pytest.raises((CalibrationError, UnsupportedModelError), match="NaN or infinity"):
        los.convert(model, inputs(8), timesteps=4)


@pytest.mark.parametrize("name", ["plain_cnn", "pooled_twice", "residual"])
def test_long_windows_are_no_worse_in_integers(name: str) -> None:
    """256 leaks, each rounded down, must not take away what the fine levels gained."""
    model, x = make(name), inputs(32)
    net = los.convert(model, x, timesteps=256, objective="accuracy")
    assert _error(model, net, x) < 0.01 + 1.3 * _error(model, net, x, "float")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["strong_shortcut", "weak_shortcut", "squashed"])
@pytest.mark.parametrize(("timesteps", "wait"), [(32, 4), (64, 16)])
def test_levels_for_a_short_wait_fit_into_v(name: str, timesteps: int, wait: int) -> None:
    """Steep levels carry most under a short wait, and have a gain that v may have no room for."""
    model, x = ODD[name](), inputs(48)
    net, paper = (los.convert(model, x, timesteps=timesteps, wait=wait, method=m) for m in METHODS)
    assert _error(model, net, x) < 1.1 * _error(model, paper, x)
