"""Networks in which one error is provoked, and whether the diagnosis names it, where it is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.analysis.diagnosis import Cause, LayerDiagnosis, LayerStatistics, diagnose
from loihi_onespike.analysis.diagnosis.report import remedy_search
from loihi_onespike.conversion.method import Method
from loihi_onespike.core.codes import Base, PhaseCode
from loihi_onespike.errors import ConfigurationError
from tests.analysis.diagnosis.small_networks import PAPER, changed, data, mlp, names, scaled_by_images
from tests.support import models
from tests.support.facts import notes


def seen(layer: LayerDiagnosis) -> LayerStatistics:
    """Statistics of a layer, which only the input lacks."""
    assert layer.statistics is not None
    return layer.statistics


@pytest.fixture(scope="module")
def net():
    return los.convert(mlp(), data(n=64, seed=1), timesteps=24, **PAPER)


def scaled(net, name, factor):
    """The network with a code of other λ at one population: thresholds move, and its readers' weights with them."""
    return scaled_by_images(net, name, factor, data(n=16))


def named(found):
    """Layer and cause that alone make the largest error."""
    return found.ranked[0].name, found.ranked[0].main


def test_small_scale_clips(net):
    name = names(net)[1]
    found = diagnose(scaled(net, name, 0.2), data())
    assert named(found) == (name, Cause.CLIPPING) == (found.ranked[0].name, found.main)
    layer = found.ranked[0]
    assert seen(layer).clipped > 0.3 and "above the first level" in layer.remedy and "λ ×" in layer.remedy
    loss = layer.losses[Cause.CLIPPING]
    assert loss.certain and found.share(loss.value) > 0.5


@pytest.mark.thorough
def test_errors_of_a_norm_of_the_sample():
    """The mean of a factor, which falls where its sum rises, is left to its code, as the calibration leaves it."""
    model = models.prepared(nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 4)), 0)
    x = data((6,), 32)
    found = diagnose(los.convert(model, x, timesteps=8), x)
    kinds = {layer.kind: layer for layer in found.layers}
    assert {"product", "rsqrt"} <= set(kinds)
    assert all(abs(found.share(loss.alone)) < 1.5 for layer in found.layers for loss in layer.losses.values())
    assert found.everywhere[Cause.ROUNDING].value > 0 and found.share(found.everywhere[Cause.ROUNDING].value) > 0.5


def test_costs_beside_errors(net):
    x = data()
    found, evaluated = diagnose(net, x, board="nahuku_32"), net.evaluate(x, np.zeros(len(x), int), board="nahuku_32")
    assert found.costs == evaluated.populations
    assert set(found.error_shares) == {"input", *names(net)} | {net.network.readout.name}
    document: Any = found.document()
    row = document["costs"][1]
    assert row["share_of_error"] == pytest.approx(found.share(found.layers[1].total.alone)) and row["energy_nj"] > 0


def test_large_scale_underflows(net):
    name = names(net)[0]
    short = los.convert(mlp(), data(n=64, seed=1), timesteps=16, **PAPER)
    found = diagnose(scaled(short, name, 16.0), data())
    assert named(found) == (name, Cause.UNDERFLOW)
    layer = found.ranked[0]
    assert seen(layer).underflow > 0.3 and seen(layer).phases[0] > 0.3
    assert "send no spike" in layer.remedy and "T=" in layer.remedy and "base" in layer.remedy


def test_coarse_levels_are_refined_by_payload():
    model, x = mlp(), data(n=64, seed=1)
    found = diagnose(los.convert(model, x, timesteps=4, objective="accuracy"), data())
    layer = next(y for y in found.ranked if y.main is Cause.ROUNDING)
    assert "T=" in layer.remedy and "payload_bits=" in layer.remedy
    code, values = PhaseCode(Base.nearest(2.0), 2), np.linspace(0.25, 0.5, 1001)  # levels 1/2 and 1/4
    bits, left = remedy_search.payload_for_rounding(code, values) or (0, 1.0)
    assert bits == 1 and left == pytest.approx(np.mean((values - refined(values)) ** 2) / np.mean(coarse(values) ** 2))


def test_bits_that_a_layer_might_have_had_cost_a_lower_price():
    """The remedy is more than what was asked for, or what makes the bits that were asked for pay."""
    net, x = los.convert(mlp(), data(n=64, seed=1), timesteps=4, objective="accuracy"), data()

    def remedy(recorded: int) -> str:
        facts: Any = net.network.facts
        network = replace(net.network, facts={**facts, "options": {**facts["options"], "payload_bits": recorded}})
        found = diagnose(los.OneSpikeNetwork(network, net.stages, net.model), x)
        return next(y.remedy for y in found.ranked if y.main is Cause.ROUNDING)

    assert "payload_bits=2, on a board that sends payloads, would leave" in remedy(0)
    assert "a lower price, with which it takes 2 of the payload_bits=3, would leave" in remedy(3)


def refined(values: np.ndarray) -> np.ndarray:
    """The nearest of four levels from 1/4 to 1/2 with one ratio."""
    levels = 0.25 * 2 ** (np.arange(4) / 3)
    return levels[np.abs(values[:, None] - levels).argmin(axis=1)]


def coarse(values: np.ndarray) -> np.ndarray:
    """Distance to the nearer one of 1/4 and 1/2."""
    return np.minimum(values - 0.25, 0.5 - values)


def test_coarse_weights():
    model = mlp()
    found = diagnose(los.convert(model, data(n=64, seed=1), timesteps=32, weight_bits=2, **PAPER), data())
    assert found.main is Cause.WEIGHTS and found.share(found.everywhere[Cause.WEIGHTS].value) > 0.5
    assert all(y.main is Cause.WEIGHTS for y in found.layers[1:])
    assert "2 bits: weight_bits=" in found.layers[1].remedy


@pytest.mark.thorough
def test_short_wait_lets_noise_in():
    net = los.convert(mlp(), data(n=64, seed=1), timesteps=24, wait=1, **PAPER)
    found = diagnose(net, data())
    assert found.main is Cause.NOISE
    last = next(y for y in found.layers if y.name == names(net)[1])
    assert last.main is Cause.NOISE and seen(last).noise > 0.05 and "wait=" in last.remedy
    full = diagnose(los.convert(mlp(), data(n=64, seed=1), timesteps=24, **PAPER), data())
    assert all(Cause.NOISE not in y.losses and seen(y).noise == 0 for y in full.layers[1:])


@pytest.mark.thorough
def test_pinned_potential(net):
    name = net.network.readout.name
    membrane = net.network.readout.membrane
    finer = replace(membrane, input_shift=membrane.input_shift + 4, unit=membrane.unit / 16, bias=membrane.bias * 16)
    pinned = changed(net, name, membrane=finer)
    found = diagnose(pinned, data())
    assert named(found) == (name, Cause.HEADROOM)
    assert seen(found.ranked[0]).pinned > 0 and seen(found.ranked[0]).v_bits == 24
    assert "v requires 26 bits, limit 24: " in found.ranked[0].remedy
    # real numbers follow the pinned integers
    assert found.error.relative == pytest.approx(found.integer.relative, rel=0.02)


def test_input_beyond_calibration(net):
    found = diagnose(net, data() * 2)
    assert found.layers[0].main is Cause.CLIPPING and found.share(found.layers[0].total.alone) > 0.3
    assert "outside the range of the calibration data" in found.layers[0].remedy


def test_signed_activation_and_two_sided_populations():
    model = models.prepared(nn.Sequential(nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 20), nn.ReLU(), nn.Linear(20, 5)))
    net = los.convert(model, data(n=64, seed=1), timesteps=6, method=Method())
    assert any(np.any(p.offset) for p in net.network.hidden) and net.network.hidden[0].signed
    found = diagnose(net, data())
    assert found.exact.relative < 1e-5 and found.corrected
    assert found.integer.relative == pytest.approx(found.error.relative, rel=0.2)


def test_zeros_of_two_sided_populations_do_not_clip():
    """The value of no spike is a level, so that a rectified 0 is the outermost negative one, up to float32."""
    layers = nn.Sequential(
        nn.Conv2d(2, 16, 3), nn.ReLU(), nn.Conv2d(16, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )
    model = models.prepared(layers, 3)
    net = los.convert(model, data((2, 8, 8), seed=1), timesteps=6, objective="accuracy")
    x = data((2, 8, 8), 16) * np.float32(0.25)  # no value comes near to the largest of the calibration
    zeros = np.mean(torch.relu(model[0](torch.from_numpy(x))).detach().numpy() == 0)
    first = net.network.hidden[0]
    assert first.signed and np.all(first.offset) and first.scale.size == 16 and zeros > 0.3
    for layer in diagnose(net, x).layers[1:3]:
        assert seen(layer).active == 1 and seen(layer).clipped == 0
        assert Cause.CLIPPING not in layer.losses and Cause.ROUNDING in layer.losses


def test_clipped_share_of_both_sides():
    """z = 2x - 1 exactly in 8-bit weights, a slope of 1/2 below zero: counted here beside the first level."""
    model = nn.Sequential(nn.Linear(12, 12), nn.LeakyReLU(0.5), nn.Linear(12, 3)).eval()
    with torch.no_grad():
        model[0].weight.copy_(2 * torch.eye(12))
        model[0].bias.fill_(-1.0)
    converted = los.convert(model, data(n=64, seed=1), timesteps=12, **PAPER)
    net = scaled(converted, names(converted)[0], 0.4)
    population, x = net.network.hidden[0], data()
    z = 2 * x.astype(np.float64) - 1
    value, first = np.where(z > 0, z, z / 2), float(population.scale[0] * population.code.levels()[0])
    above, below = np.mean(value > first), np.mean(value < -first)
    found = diagnose(net, x).layers[1]
    assert population.signed and 0.1 < below < above
    assert seen(found).active == 1 and seen(found).clipped == pytest.approx(above + below, abs=1e-12)
    assert found.main is Cause.CLIPPING


def test_data_of_double_precision(net):
    found, same = diagnose(net, data(n=4).astype(np.float64)), diagnose(net, data(n=4))
    assert found.error.relative == pytest.approx(same.error.relative) and named(found) == named(same)


def test_loaded_network_tells_the_same(net, tmp_path):
    there = diagnose(los.load(net.save(tmp_path / "n.h5")), data(), model=net.model)
    here = diagnose(net, data())
    assert there.error.relative == pytest.approx(here.error.relative, rel=1e-3)
    assert there.main is here.main and [y.name for y in there.layers] == [y.name for y in here.layers]


def test_single_spike_input():
    net = los.convert(mlp(), data(n=64, seed=1), timesteps=8, input_code="single", **PAPER)
    found = diagnose(net, data())
    assert Cause.ROUNDING in found.layers[0].losses and found.exact.relative < 1e-5
    assert found.layers[0].losses[Cause.ROUNDING].alone > 0


def test_interruption_keeps_whole_batches(net, monkeypatch):
    from loihi_onespike.analysis.diagnosis import run_diagnosis as run

    monkeypatch.setattr(run, "BATCH", 16)
    whole = diagnose(net, data()[:16])

    def stop(done, of):
        if done > of // 2:
            raise KeyboardInterrupt

    part = diagnose(net, data(), progress=stop)
    assert (part.images, part.requested, part.interrupted) == (16, 48, True)
    assert part.error == whole.error and part.everywhere == whole.everywhere
    with pytest.raises(KeyboardInterrupt):
        diagnose(net, data()[:16], progress=stop)


def test_document_has_labels_and_shares(net):
    x = data()
    labels = net.model(torch.from_numpy(x)).argmax(1)
    document: dict[str, Any] = diagnose(net, x, labels, measure="kl").document()
    assert document["measure"] == "kl" and document["error_without_any_cause"]["accuracy"] == 1
    assert document["causes"]["rounding"]["share"] <= 1 and document["layers"][1]["statistics"]["v_bits"] <= 24


def test_what_cannot_be_diagnosed(net, tmp_path):
    with pytest.raises(ConfigurationError, match="requires the model that it was converted from, got none"):
        diagnose(los.load(net.save(tmp_path / "n.h5")), data())
    with pytest.raises(
        ConfigurationError, match=r"x: must have shape .* with N ≥ 1, got \(0, .*give at least one sample"
    ):
        diagnose(net, data()[:0])
    by_place = changed(net, net.network.input.name, dithered=True)
    with pytest.raises(ConfigurationError, match="must round its input to the nearest level, got an input"):
        diagnose(by_place, data())
    with pytest.raises(ConfigurationError, match="measure: must be 'relative' or 'kl', got 'l1'"):
        diagnose(net, data(), measure="l1")  # type: ignore[arg-type]
    other = nn.Sequential(nn.Linear(12, 23), nn.ReLU(), nn.Linear(23, 20), nn.ReLU(), nn.Linear(20, 5))
    with pytest.raises(ConfigurationError, match="was converted from"):
        diagnose(net, data(), model=other)


@pytest.mark.parametrize("wait", [pytest.param(None, marks=pytest.mark.thorough), 1])
def test_payload(wait):
    """Messages within a phase are decided, counted and switched off as phases are; max pooling passes the largest."""
    options = {"timesteps": 4, "wait": wait, "payload_bits": 2, "objective": "accuracy"}
    net = los.convert(models.make("plain_cnn"), models.inputs(64), **options)
    assert all(p.code.payload_bits for p in net.network.hidden)
    assert any(p.digit_bits for p in net.network.hidden)
    found = diagnose(net, models.inputs(24).numpy())
    assert found.exact.relative < 1e-5
    assert found.integer.relative == pytest.approx(found.error.relative, rel=1e-3)
    assert found.main is (Cause.ROUNDING if wait is None else Cause.NOISE)
    for layer in found.layers[1:-1]:
        assert len(seen(layer).phases) == 5 and sum(seen(layer).phases) == pytest.approx(1)


def test_removed_weights_are_errors_of_weights_and_not_of_the_head_room():
    """Some weights are coarser for the head-room; what they are compared with has the pruned ones removed as well."""
    net = los.convert(models.make("plain_cnn"), models.inputs(64), timesteps=4, payload_bits=2, price=20.0)
    assert notes(net, "pruning")
    found = diagnose(net, models.inputs(24).numpy())
    assert found.main is Cause.WEIGHTS and Cause.HEADROOM in found.everywhere
    assert found.everywhere[Cause.HEADROOM].value < 0.3 * found.everywhere[Cause.WEIGHTS].value
