"""`convert` on whole models: what the SNN computes, what is refused, and that the model stays as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.lowering.check_lowering import check_lowering
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import CalibrationError, ConfigurationError, GraphError, HeadroomError, UnsupportedModelError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.frontend.ann_output import ann_output
from tests.support.models import MODELS, inputs, make

names = pytest.mark.parametrize("name", list(MODELS))


@names
def test_stages_without_codes_compute_the_ann(name: str) -> None:
    model, x = make(name), inputs()
    net = los.convert(model, x, timesteps=8, method="paper")  # others correct the biases
    found = FloatExecutor(net.stages, coded=False, dtype=torch.float64).run(x)
    assert np.allclose(found, ann_output(model, x.numpy()), rtol=1e-4, atol=1e-5)


@names
@pytest.mark.parametrize("wait", [1, 3, 7, None])
def test_fast_equals_the_reference_on_converted_models(name: str, wait: int | None) -> None:
    x = inputs(6)
    net = los.convert(make(name), x, timesteps=7, wait=wait, method="paper")
    assert first_difference(net.trace(x, "reference"), net.trace(x, "fast")) is None


@names
def test_coding_error_shrinks_with_the_base(name: str) -> None:
    """Halving ln(base) at the same range halves the error of a coded network; a mapping error would stay."""
    model, x = make(name), inputs(24)
    ann = ann_output(model, x.numpy())
    errors = []
    for timesteps, base in ((48, 1.12), (96, 1.06), (192, 1.03)):
        net = los.convert(model, x, timesteps=timesteps, base=base, input_bits=10, method="paper")
        found = net.predict(x, "float")
        errors.append(np.linalg.norm(found - ann) / np.linalg.norm(ann))
    assert errors[2] < 0.7 * errors[0]
    assert errors[2] < 0.05


@names
def test_integers_follow_the_float_network(name: str) -> None:
    """INT8 and fixed point cost no more than weight rounding: well below the scale of the outputs."""
    x = inputs(24)
    net = los.convert(make(name), x, timesteps=96, base=1.06, method="paper")
    exact, integer = net.predict(x, "float"), net.predict(x, "fast")
    assert np.linalg.norm(integer - exact) < 0.08 * np.linalg.norm(exact)


@names
def test_at_most_one_spike_per_hidden_neuron(name: str) -> None:
    x = inputs(4)
    net = los.convert(make(name), x, timesteps=8, wait=2, method="paper")
    rates = net.evaluate(x, np.zeros(4, int)).spikes_per_neuron
    assert all(rates[p.name] <= 1 for p in net.network.hidden)


def test_the_model_is_left_as_it_was() -> None:
    model = make("plain_cnn")
    assert isinstance(model, nn.Sequential)
    model.train()
    model[1].eval()
    flags = [m.training for m in model.modules()]
    state = copy.deepcopy(model.state_dict())
    net = los.convert(model, inputs())
    net.evaluate(inputs(), np.zeros(12, int))
    assert [m.training for m in model.modules()] == flags
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())


def test_calibration_may_be_a_loader_of_pairs() -> None:
    x = inputs()
    whole = los.convert(make("mlp"), x)
    pairs = los.convert(make("mlp"), [(x[:5], torch.zeros(5)), (x[5:], torch.zeros(7))])
    assert np.array_equal(whole.predict(x), pairs.predict(x))


def test_eight_bit_images_are_carried_exactly() -> None:
    """Per-channel normalised pixels lie on a grid that the binary code takes over, whatever mean and deviation."""
    pixels = np.random.default_rng(0).integers(0, 256, (16, 2, 8, 8))
    pixels[0, :, 0, :2] = [0, 255]
    x = ((pixels / 255 - np.array([0.4, 0.5])[:, None, None]) / np.array([0.2, 0.3])[:, None, None]).astype(np.float32)
    net = los.convert(make("plain_cnn"), x, method="paper")
    assert np.array_equal(net.encode(x), pixels)


def test_a_coarse_grid_is_subdivided() -> None:
    x = (np.random.default_rng(0).integers(0, 17, (32, 2, 8, 8)) / 16).astype(np.float32)
    net = los.convert(make("plain_cnn"), x, method="paper")
    assert isinstance(net.network.input.code, BinaryCode)
    assert np.array_equal(net.encode(x), np.rint(x * 16 * 15))


def test_first_layer_waits_for_its_own_phases_only() -> None:
    net = los.convert(make("plain_cnn"), inputs(), timesteps=16, method="paper")
    first, pool, second = net.network.hidden
    assert (first.wait, pool.wait, second.wait) == (8, 0, 16)
    assert net.period_steps == 32
    assert net.latency_steps == (8 + 1) + (0 + 1) + (16 + 1) + 1 + 16


def test_delays_line_up_a_shortcut() -> None:
    net = los.convert(make("residual"), inputs(), timesteps=16, method="paper")
    delays = {s.pre: s.axon_delay for s in net.network.synapses if s.axon_delay}
    assert delays == {net.network.hidden[0].name: 0} or all(d == 17 for d in delays.values())


def test_layerwise_normalization_uses_one_scale_per_layer() -> None:
    channel = los.convert(make("plain_cnn"), inputs(), method="paper")
    layer = los.convert(make("plain_cnn"), inputs(), normalization="layer", method="paper")
    assert channel.network.hidden[0].scale.size == 6
    assert layer.network.hidden[0].scale.size == 1
    assert layer.network.hidden[0].scale.item() == channel.network.hidden[0].scale.max()


def test_single_spike_input() -> None:
    net = los.convert(make("plain_cnn"), inputs(), input_code="single", method="paper")
    rates = net.evaluate(inputs(), np.zeros(12, int)).spikes_per_neuron
    assert rates[net.network.input.name] <= 1


def test_options_outside_their_range_are_refused() -> None:
    for wrong in (
        {"timesteps": 0},
        {"timesteps": 2.5},
        {"weight_bits": 9},
        {"input_bits": 17},
        {"wait": 17},
        {"base": 1.0},
        {"base": "best"},
        {"input_code": "rate"},
        {"normalization": "weight"},
    ):
        with pytest.raises(ConfigurationError):
            ConversionOptions(**wrong)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (torch.zeros(0, 2, 8, 8), "at least one sample, got none"),
        ([], "at least one sample, got none"),
        (3, "got int"),
        ([torch.zeros(2, 2, 8, 8), torch.zeros(2, 2, 4, 4)], "same shape, got"),
        (torch.full((2, 2, 8, 8), float("nan")), "NaN"),
        (["image"], "got str"),
    ],
)
def test_calibration_data_that_cannot_be_used(data: object, message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        los.convert(make("plain_cnn"), data)  # type: ignore[arg-type]


def test_too_wide_names_layer_bits_and_remedy() -> None:
    with pytest.raises(HeadroomError, match="fewer weight_bits") as caught:
        los.convert(make("mlp"), inputs().abs() + 5, input_bits=16)
    assert caught.value.found_bits > caught.value.limit_bits == 24


def test_a_linear_model_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="nothing to spike"):
        los.convert(nn.Sequential(nn.Flatten(), nn.Linear(128, 3)), inputs())


def test_max_pooling_of_the_input_is_refused() -> None:
    model = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))
    with pytest.raises(UnsupportedModelError, match="max pooling of values that may be negative"):
        los.convert(model, inputs())


def test_a_subclass_with_its_own_forward_is_followed() -> None:
    class Doubled(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * 2

    model = nn.Sequential(Doubled(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 2))
    net = los.convert(model, inputs(), method="paper")
    assert np.allclose(
        FloatExecutor(net.stages, coded=False).run(inputs()), ann_output(model, inputs().numpy()), atol=1e-4
    )


def test_a_graph_that_computes_something_else_is_noticed() -> None:
    stages = los.convert(make("plain_cnn"), inputs(), method="paper").stages
    with pytest.raises(GraphError, match="differs from the model"):
        check_lowering(stages, inputs().numpy(), ann_output(make("plain_cnn", seed=1), inputs().numpy()))


def test_unsupported_operations_are_reported_together() -> None:
    class Smooth(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.act = nn.Conv2d(2, 3, 3), nn.Conv2d(3, 3, 1), nn.Softsign()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.two(nn.functional.softsign(self.one(x)))).flatten(1)

    with pytest.raises(UnsupportedModelError) as caught:
        los.convert(Smooth(), inputs())
    assert len(caught.value.findings) == 2
    assert all(f.remedy and f.supported for f in caught.value.findings)
    assert all("test_conversion.py" in f.where for f in caught.value.findings)


def test_an_input_read_beside_other_layers_is_sent_again_with_one_spike() -> None:
    """One leak serves one base, so the binary coded input gets a population of its own where it joins others."""

    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.out = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(4, 3, 1), nn.Linear(192, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.relu(self.one(x))
            return self.out(torch.relu(self.two(torch.cat([x, y], 1))).flatten(1))

    x = inputs(4)
    net = los.convert(Skip(), x, timesteps=6, method="paper")
    assert any("sent again" in note for note in net.stages.rewrites)
    assert first_difference(net.trace(x, "reference"), net.trace(x, "fast")) is None
