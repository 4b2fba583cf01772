"""Weights that are rounded together, and weights that are fitted to the ANN."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import loihi_onespike as los
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.calibration.compensation import inverse_factor, rounded_rows
from loihi_onespike.conversion.calibration.regression import corrected, fitted
from loihi_onespike.conversion.calibration.row_inputs import row_inputs_of
from loihi_onespike.conversion.quantization.dequantize import dequantize
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.graphs.stage import Link, OutputStage, Stage
from loihi_onespike.core.maps import Dense, weight_values
from loihi_onespike.executors.tensors.tensor_maps import tensor_map
from tests.support.models import MODELS, inputs, make


def _covariance(size: int, seed: int) -> np.ndarray:
    """Of inputs that depend on each other, as those of a layer do."""
    mixed = np.random.default_rng(seed).normal(size=(4 * size, size // 4)) @ np.random.default_rng(seed + 1).normal(
        size=(size // 4, size)
    )
    return np.cov((mixed + 0.3 * np.random.default_rng(seed + 2).normal(size=mixed.shape)).T)


def test_the_factor_is_that_of_the_inverse() -> None:
    matrices = np.stack([_covariance(12, seed) for seed in (0, 7)])
    factors = inverse_factor(matrices)
    assert np.allclose(factors, np.triu(factors))
    assert np.allclose(factors.transpose(0, 2, 1) @ factors, np.linalg.inv(matrices))


@pytest.mark.parametrize("seed", range(3))
def test_rounding_together_leaves_less_error_than_rounding_to_nearest(seed: int) -> None:
    covariance = _covariance(24, seed)
    weights = np.random.default_rng(seed).normal(size=(1, 16, 24)) * 3
    whole = rounded_rows(weights, covariance[None], 10_000)

    def error(rounded: np.ndarray) -> float:
        off = (weights - rounded)[0]
        return float(((off @ covariance) * off).sum())

    assert np.array_equal(whole, np.rint(whole))
    assert error(whole) < 0.6 * error(np.rint(weights))


def test_independent_inputs_are_rounded_to_nearest() -> None:
    weights = np.random.default_rng(0).normal(size=(2, 5, 6)) * 4
    spread = np.stack([np.diag([3.0, 1, 7, 2, 5, 4]), np.zeros((6, 6))])
    assert np.array_equal(rounded_rows(weights, spread, 1000), np.rint(weights))


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
    model, x = make("plain_cnn"), inputs(64)
    with torch.no_grad():
        ann = model(x).numpy()

    def error(method: Method) -> float:
        out = los.convert(model, x, timesteps=48, weight_bits=4, method=method).predict(x)
        return float(np.linalg.norm(out - ann) / np.linalg.norm(ann))

    assert error(Method()) < 0.8 * error(Method(compensation=False, weights=False))


def _layer(weight: np.ndarray, scale: np.ndarray) -> Stage:
    link = Link("before", Dense(weight), None, scale)
    return Stage("after", (len(weight),), "relu", (link,), np.zeros(()), RELU, ())


def test_a_systematic_error_is_taken_back() -> None:
    """What the codes did to the inputs is linear here, so that other weights undo it, behind a factor per row too."""
    chance = np.random.default_rng(0)
    weight, scale = chance.normal(size=(4, 6)), np.array([1.0, 2.0, -0.5, 3.0])
    exact = chance.normal(size=(600, 6))
    mixing = np.eye(6) + 0.1 * chance.normal(size=(6, 6))
    seen = torch.from_numpy(exact @ mixing).float()
    wanted = torch.from_numpy(exact @ weight.T * scale).float()
    stage = _layer(weight, scale)
    missing = wanted - seen @ torch.from_numpy(weight.T * scale).float()
    after = corrected(stage, row_inputs_of(stage, {"before": seen}), missing)
    found = seen.numpy() @ (weight_values(after.links[0].op).T * scale)
    assert np.linalg.norm(found - wanted.numpy()) < 0.05 * np.linalg.norm(missing.numpy())


def test_chance_is_left_alone() -> None:
    chance = np.random.default_rng(1)
    stage = _layer(chance.normal(size=(4, 40)), np.ones(()))
    rows = row_inputs_of(stage, {"before": torch.from_numpy(chance.normal(size=(120, 40))).float()})
    noise = torch.from_numpy(chance.normal(size=(120, 4))).float()
    assert fitted(rows[0], rows[0].outputs(noise)) is None
    assert corrected(stage, rows, noise) is stage
