"""`convert` on networks beyond ReLU: signed, clipped and squashing populations, transposed convolution."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.options import ConversionOptions
from loihi_onespike.conversion.pipeline import plan_float
from loihi_onespike.core.trace import first_difference
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.executors.lava.availability import available
from loihi_onespike.frontend.ann_output import ann_output
from tests.support.lava_processes import forked
from tests.support.models import inputs
from tests.support.signed_models import SIGNED, make_signed
from tests.support.traces import phases_of

names = pytest.mark.parametrize("name", list(SIGNED))
T = 7


@cache
def converted(name: str, wait: int | None = None) -> OneSpikeNetwork:
    return los.convert(make_signed(name), inputs(6), timesteps=T, wait=wait, method="paper")


@names
def test_stages_without_codes_compute_the_ann(name: str) -> None:
    x, net = inputs(4), converted(name)
    assert isinstance(net.model, nn.Module)
    found = FloatExecutor(net.stages, coded=False, dtype=torch.float64).run(x)
    assert np.allclose(found, ann_output(net.model, x.numpy()), rtol=1e-4, atol=1e-5)


@names
@pytest.mark.parametrize("wait", [1, T // 2, None])
def test_fast_equals_the_reference(name: str, wait: int | None) -> None:
    x, net = inputs(2), converted(name, wait)
    assert first_difference(net.trace(x, "reference"), net.trace(x, "fast")) is None


@names
def test_coding_error_shrinks_with_the_base(name: str) -> None:
    model, x = make_signed(name), inputs(8)
    ann, errors = ann_output(model, x.numpy()), []
    for timesteps, base in ((48, 1.12), (192, 1.03)):
        stages = plan_float(
            model,
            calibration_batches(x),
            ConversionOptions(timesteps=timesteps, base=base, input_bits=10, method=Method.paper()),
        )
        errors.append(np.linalg.norm(FloatExecutor(stages).run(x) - ann) / np.linalg.norm(ann))
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.05


@names
def test_integers_follow_the_float_network(name: str) -> None:
    x = inputs(6)
    net = los.convert(make_signed(name), x, timesteps=32, base=1.19, method="paper")
    exact, integer = net.predict(x, "float"), net.predict(x, "fast")
    assert np.linalg.norm(integer - exact) < 0.1 * np.linalg.norm(exact)


SENT = {
    "bottleneck": {"clip": False, "linear": True},
    "autoencoder": {"leaky_relu": True, "relu": False},
    "dense": {"linear": True, "relu": False},
    "squashing": {"tanh": True, "sigmoid": False, "softplus": False, "elu": True},
    "slopes": {"relu": False, "clip": True, "elu": True},
    "regression": {"linear": True, "clip": False, "elu": True},
    "dips": {"silu": True, "hardswish": True, "gelu": True, "mish": True},
}


@pytest.mark.parametrize(("name", "signs"), SENT.items(), ids=SENT.keys())
def test_populations_are_signed_where_their_values_are(name: str, signs: dict[str, bool]) -> None:
    net, x = converted(name), inputs(6)
    layers = net.trace(x).layers
    for kind, signed in signs.items():
        populations = [p for p in net.network.hidden if p.kind == kind]
        assert populations, kind
        assert any(p.signed for p in populations) == signed, kind
        negative = any((phases_of(layers[p.name]) < 0).any() for p in populations)
        assert negative == signed, kind


def test_the_host_finishes_an_autoencoder() -> None:
    net = converted("autoencoder")
    assert net.network.readout.finish == "sigmoid"
    assert net.predict(inputs(2)).shape == (2, 2, 8, 8)


def test_rewrites_are_part_of_the_facts() -> None:
    facts = converted("slopes").network.facts["rewrites"]
    assert isinstance(facts, list)
    assert [line.split(":")[0] for line in facts[:4]] == ["1", "2", "5", "8"]


@names
def test_a_file_keeps_the_network(name: str, tmp_path: Path) -> None:
    net, x = converted(name), inputs(2)
    loaded = los.load(net.save(tmp_path / "net.h5"))
    assert first_difference(net.trace(x), loaded.trace(x)) is None


@forked
@pytest.mark.lava
@pytest.mark.skipif(not available(), reason="Lava is not installed")
@pytest.mark.parametrize(
    "name",
    [pytest.param("bottleneck", marks=pytest.mark.thorough), "autoencoder", "dense", "squashing", "fire", "dips"],
)
def test_lava_equals_fast(name: str) -> None:
    net, x = converted(name, 3), inputs(1)
    assert first_difference(net.trace(x, "fast"), net.trace(x, "lava")) is None
