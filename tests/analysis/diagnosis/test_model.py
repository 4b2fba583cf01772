"""The model of a diagnosis codes and sums as the network does, and as the ANN where all causes are off."""

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.analysis.diagnosis import Cause, diagnose
from loihi_onespike.analysis.diagnosis.measuring.batch_runs import SwitchedRuns
from loihi_onespike.analysis.diagnosis.model.build import ann_stages, build_layers
from loihi_onespike.analysis.diagnosis.model.input_model import InputModel
from loihi_onespike.core.encoding import encode_input
from loihi_onespike.executors import reference
from tests.analysis.diagnosis.small_networks import PAPER, changed, data, names, scaled_by_images
from tests.support import models


@pytest.mark.thorough
@pytest.mark.parametrize("options", [{"timesteps": 12}, {"timesteps": 5, "payload_bits": 2}], ids=str)
def test_products_are_modelled_as_they_are(options):
    """The model with every error on is the integer network, and a coarse gate is found where it is."""
    model, x = models.prepared(models.Gated()), models.inputs(24)
    net = los.convert(model, x, **options)
    found = diagnose(net, x)
    with torch.no_grad():
        ann = model(x).numpy()
    error = np.linalg.norm(net.predict(x) - ann) / np.linalg.norm(ann)
    assert found.error.relative == pytest.approx(error, rel=0.05)
    (product,) = (p.name for p in net.network.hidden if p.product is not None)
    layer = next(layer for layer in found.layers if layer.name == product)
    assert set(layer.losses) >= {Cause.ROUNDING, Cause.WEIGHTS} and 0 < layer.total.alone < 10 * error**2
    coarse = diagnose(scaled_by_images(net, "sigmoid", 4.0, x), x)
    assert coarse.ranked[0].name == "sigmoid" and coarse.error.relative > found.error.relative


@pytest.mark.parametrize("wait", [None, 2])
def test_one_sided_neurons_are_modelled_as_they_are(wait):
    """Words of the model are those of the oracle, and silence in the place of a negative spike is an underflow."""
    layers = nn.Sequential(nn.Conv2d(2, 8, 3), nn.Tanh(), nn.Conv2d(8, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(96, 3))
    model, x = models.prepared(layers, 3), data((2, 8, 8), 24)
    converted = los.convert(model, x, timesteps=6, wait=wait, **PAPER)
    first, second = names(converted)
    channels, neurons = (np.arange(8) % 3 == 0).reshape(8, 1, 1), np.arange(96).reshape(6, 4, 4) % 4 == 1
    network = changed(changed(converted, first, one_sided=channels), second, one_sided=neurons).network
    trace = reference.run(network, encode_input(network.input, x))
    built = build_layers(network, converted.stages, ann_stages(model, x, 0), 8)
    run = SwitchedRuns(built, InputModel(network.input), x, frozenset())
    run.start()
    by_name = {layer.name: layer for layer in built.layers}
    for name, one_sided in ((first, channels), (second, neurons)):
        found, expected = run.decision(by_name[name]).words, trace.layers[name].words
        assert found is not None and expected is not None
        of_one_sided = np.broadcast_to(one_sided, expected.shape)
        assert (found.numpy()[of_one_sided] >= 0).all() and (found.numpy() < 0).any()
        assert np.array_equal(found.numpy(), expected)
        layer = by_name[name]
        assert layer.coder is not None
        torch.testing.assert_close(run.baseline[name].values, layer.coder.coded(torch.from_numpy(expected)))
        assert Cause.UNDERFLOW in layer.causes(run.decision(layer), False)
    assert run.baseline_output() == pytest.approx(trace.output, abs=0.02 * np.abs(trace.output).max())


def test_samples_of_channels_keep_their_sides():
    layers = nn.Sequential(nn.Conv2d(2, 8, 3), nn.Tanh(), nn.Flatten(), nn.Linear(288, 3))
    model, x = models.prepared(layers, 3), data((2, 8, 8), 24)
    net = los.convert(model, x, timesteps=6, **PAPER)
    sides = (np.arange(8) % 3 == 0).reshape(8, 1, 1)
    network = changed(net, names(net)[0], one_sided=sides).network
    layer = build_layers(network, net.stages, ann_stages(model, x, 0), 8).layers[0]
    assert layer.coder is not None
    coder = layer.coder.of_samples(layer.channels)
    words = coder.words(torch.full((5, 8), -0.5))
    assert (words[:, sides.ravel()] == 0).all() and (words[:, ~sides.ravel()] < 0).all()


@pytest.mark.parametrize("bits", [0, 2])
def test_windows_that_were_pooled_axis_after_axis(bits):
    """A window without room for its messages is two populations of the network, and so of the model."""
    layers = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(96, 5)
    )
    net = los.convert(models.prepared(layers, 3), models.inputs(64), timesteps=4, payload_bits=bits)
    found = diagnose(net, models.inputs(24).numpy())
    assert [y.name for y in found.layers[1:-1]] == names(net) and ("2.axis1" in names(net)) == (bits == 2)
    assert found.integer.relative == pytest.approx(found.error.relative, rel=0.01)


def test_thresholds_of_every_place():
    """Average pooling over a padded border has a unit, and so a threshold, per place of a channel."""
    net = los.convert(models.make("pooled_twice"), models.inputs(64), timesteps=6)
    assert any(p.threshold.shape == p.shape for p in net.network.hidden)
    found = diagnose(net, models.inputs(24).numpy())
    assert found.exact.relative < 1e-5
    assert found.integer.relative == pytest.approx(found.error.relative, rel=0.05)


@pytest.mark.parametrize(
    ("name", "method"), [("plain_cnn", "calibrated"), ("residual", "calibrated"), ("branches", "paper")]
)
def test_all_off_is_the_ann_and_sums_agree(name, method):
    model = models.prepared(models.MODELS[name](), 1)
    x = data((2, 8, 8), 24)
    net = los.convert(model, x, timesteps=6, method=method)
    found = diagnose(net, x[:12])
    assert found.exact.relative < 1e-5 and found.exact.kl < 1e-9 and found.exact.agreement == 1
    assert found.total == pytest.approx(found.error.relative**2, rel=1e-6)
    everywhere = sum(y.value for y in found.everywhere.values())
    assert found.interaction_of_causes == pytest.approx(found.total - everywhere)
    assert found.interaction_of_layers == pytest.approx(found.total - sum(y.total.value for y in found.layers))
    for layer in found.layers:
        assert all(y.without.relative >= 0 and y.alone >= 0 for y in layer.losses.values())
        if layer.kind == "max_pool":
            assert not layer.losses and layer.total.value == 0
    assert abs(found.integer.relative - found.error.relative) < 0.3 * found.integer.relative
