"""Weights of the calibration and those of the integer network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import loihi_onespike as los
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.quantization.dequantize import dequantize
from loihi_onespike.core.graphs.stage import OutputStage, Stage
from loihi_onespike.executors.tensors.tensor_maps import tensor_map
from tests.support.models import MODELS, inputs, make


@pytest.mark.parametrize("name", MODELS)
def test_integer_weights_are_those_of_the_calibration(name: str) -> None:
    """Rounded once: quantization finds the grid again wherever the head-room does not take bits of a channel."""
    net = los.convert(make(name), inputs(24), timesteps=8)
    kept = 0
    found, planned = dequantize(net.network), net.stages
    for stage in planned.stages[1:]:
        assert isinstance(stage, Stage | OutputStage)
        if stage.kind == "max_pool":
            continue
        membrane = net.network.by_name[stage.name].membrane  # type: ignore[union-attr]
        same = np.isclose(membrane.unit * 2.0**membrane.input_shift, stage.grid.unit)  # type: ignore[union-attr]
        same = np.broadcast_to(same, stage.shape)
        kept += int(same.sum())
        for a, b in zip(stage.links, found.by_name[stage.name].links, strict=True):  # type: ignore[union-attr]
            x = torch.randn(2, *planned.by_name[a.pre].shape, dtype=torch.float64)
            sums = [tensor_map(k.op, k.index, torch.float64)(x).numpy() * k.scale for k in (a, b)]
            assert np.allclose(sums[0][:, same], sums[1][:, same], rtol=1e-9, atol=1e-9), (stage.name, a.pre)
    sizes = [np.zeros(s.shape).size for s in planned.stages[1:] if not (isinstance(s, Stage) and s.kind == "max_pool")]
    assert kept > 0.8 * sum(sizes)


def test_few_bits_lose_less() -> None:
    """On average over networks: the luck of rounding moves the error of a network with few weights by a tenth."""

    def error(seed: int, method: Method) -> float:
        model, x = make("plain_cnn", seed), inputs(64, seed)
        with torch.no_grad():
            ann = model(x).numpy()
        net = los.convert(model, x, timesteps=48, weight_bits=4, method=method, objective="accuracy")
        return float(np.linalg.norm(net.predict(x) - ann) / np.linalg.norm(ann))

    plain = Method(compensation=False, weights=False)
    ratios = [error(seed, Method()) / error(seed, plain) for seed in range(4)]
    assert np.exp(np.mean(np.log(ratios))) < 0.9
