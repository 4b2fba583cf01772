"""As many bits as the input needs; on a graph one range per feature, with zero in it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import loihi_onespike as los
from loihi_onespike.conversion.calibration.input_code import INPUT_ERROR, enough_bits, plan_graph_input, plan_input
from loihi_onespike.conversion.codes_of_options import EnoughBits
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.maps import Dense, Diagonal
from loihi_onespike.errors import CalibrationError, ConfigurationError
from tests.support.models import inputs, make

CHANCE = np.random.default_rng(3)


def _planned(x: np.ndarray) -> tuple[int, float]:
    """Bits that "auto" takes, and the rounding error over the deviation of the values."""
    link = Link("x", Diagonal(np.ones(1)), None, np.ones(()))
    stages = (InputStage("x", x.shape[1:]), OutputStage("y", x.shape[1:], (link,), np.zeros(())))
    plan = plan_input(StageGraph("any", stages), [x], EnoughBits()).input_plan
    assert plan is not None and isinstance(plan.code, BinaryCode)
    found = encode_values(plan, x) * plan.scale / 2**plan.code.bits + plan.offset
    spread = x - x.mean(axis=(0, *range(2, x.ndim)), keepdims=True) if x.ndim > 2 else x - x.mean()
    return plan.code.bits, float(np.sqrt(np.square(found - x).sum() / np.square(spread).sum()))


def test_pictures_take_eight_bits_and_lose_nothing() -> None:
    pictures = CHANCE.integers(0, 256, (20, 3, 8, 8)) / 255
    normalised = ((pictures - [[[0.4]], [[0.5]], [[0.3]]]) / [[[0.2]], [[0.3]], [[0.25]]]).astype(np.float32)
    bits, error = _planned(normalised)
    assert bits == 8
    assert error < 1e-6


@pytest.mark.parametrize("tail", [1.0, 2.0, 2.6])
def test_long_tails_take_as_many_bits_as_the_error_asks_for(tail: float) -> None:
    values = np.exp(tail * CHANCE.normal(size=(400, 50))).astype(np.float32)
    bits, error = _planned(values)
    coarser = enough_bits(np.array(float(np.ptp(values))), np.array(float(values.var())))
    assert bits == coarser
    assert bits in range(8, 13)
    if bits < 12:
        assert error <= INPUT_ERROR
    if bits > 8:
        step = float(np.ptp(values)) / (2 ** (bits - 1) - 1)
        assert step / np.sqrt(12) > INPUT_ERROR * values.std()


def test_bits_by_hand() -> None:
    """step / √12 ≤ 1 % of a deviation of 1: a span of 8 takes 8 bits (0.9 %), of 17 takes 9, of 10⁶ the most."""
    one = np.array(1.0)
    assert [enough_bits(np.array(span), one) for span in (8.0, 17.0, 1e6)] == [8, 9, 12]
    assert enough_bits(np.array(1.0), np.array(0.0)) == 8


def test_the_network_says_how_many_it_took() -> None:
    x = torch.exp(2.5 * torch.randn(64, 6, generator=torch.Generator().manual_seed(0)))
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    net = los.convert(model, x, timesteps=8, method="paper")
    code = net.network.input.code
    assert isinstance(code, BinaryCode) and code.bits > 8
    assert net.network.facts["options"]["input_bits"] == code.bits  # type: ignore[index]
    assert los.convert(model, x, timesteps=8, method="paper", input_bits=5).network.input.timesteps == 5


def test_other_words_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="input_bits: must be 'auto' or an integer in \\[1, 16\\], got 'many'"):
        los.convert(make("mlp"), inputs(4), input_bits="many")  # type: ignore[arg-type]


def _graph() -> StageGraph:
    one, zero, eye = np.ones(()), np.zeros(()), Dense(np.eye(2))
    hidden = Stage("hidden", (3, 2), "relu", (Link("x", eye, None, one),), zero, RELU, (0,))
    output = OutputStage("output", (3, 2), (Link("hidden", eye, None, one),), zero)
    return StageGraph("graph", (InputStage("x", (3, 2)), hidden, output))


def test_range_per_feature() -> None:
    sample = np.array([[[0.0, 1.0], [3.0, -2.0], [1.5, 0.5]]])
    plan = plan_graph_input(_graph(), sample, BinaryCode(2)).input_plan
    assert plan is not None and plan.code == BinaryCode(2)
    np.testing.assert_allclose(plan.scale, [[4.0, 4.0]])  # a range of 3 in 3 steps of 1, times 2²
    np.testing.assert_allclose(plan.offset, [[0.0, -2.0]])


def test_nothing_but_zero() -> None:
    with pytest.raises(CalibrationError, match="zero"):
        plan_graph_input(_graph(), np.zeros((1, 3, 2)), BinaryCode(2))
