"""Threshold tables of monotone activations: comparing z with them is comparing f(z) with the code's thresholds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loihi_onespike.core.activations import IDENTITY, RELU, Activation
from loihi_onespike.core.codes import Base, PhaseCode
from loihi_onespike.core.graphs.stage import StagePlan
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.float.float_executor import activate, first_phase, level_of

FUNCTIONS = [
    IDENTITY,
    RELU,
    Activation("clip", 0.0, 6.0),
    Activation("clip", -1.0, 2.0),
    Activation("leaky_relu", slope=0.1),
    Activation("clip", 0.0, 0.25),
    Activation("elu", alpha=1.5),
    Activation("sigmoid"),
    Activation("softplus", beta=2.0),
    Activation("tanh"),
]
ids = [f"{f.kind}{(f.low, f.high) if f.kind == 'clip' else ''}" for f in FUNCTIONS]


@pytest.mark.parametrize("function", FUNCTIONS, ids=ids)
@given(st.lists(st.floats(-8, 8), min_size=1, max_size=30), st.floats(0.3, 1.0))
def test_phases_of_z_are_phases_of_the_value(function: Activation, values: list[float], fraction: float) -> None:
    z = torch.tensor(values, dtype=torch.float64)
    code = PhaseCode(Base.nearest(1.3), 12)
    bound = {"sigmoid": 1.0, "tanh": 1.0, "clip": min(function.high, 8.0)}.get(function.kind, 8.0)
    scale = np.array([fraction * bound])
    plan = StagePlan.of(function, code, scale, None)
    phase = first_phase(z / torch.from_numpy(plan.threshold), plan.table, plan.negative)
    value = activate(function, z).numpy()
    expected = np.sign(value) * code.encode(np.abs(value) / scale)
    relative = np.abs(value)[:, None] / scale / code.thresholds()
    doubtful = np.isclose(relative, 1, rtol=1e-9, atol=0).any(axis=1)  # on a threshold, rounding may go either way
    assert np.array_equal(phase.numpy()[~doubtful], expected[~doubtful])
    sent = level_of(phase, code, scale, torch.float64).numpy()
    assert np.all(np.abs(sent) <= np.abs(value).max() * 1.3 + 1e-9)


def test_unreachable_phases_are_never_sent() -> None:
    """A lower limit of -1 with λ = 2: negative levels above the limit have an infinite threshold."""
    code = PhaseCode(Base.nearest(1.3), 8)
    plan = StagePlan.of(Activation("clip", -1.0, 2.0), code, np.array([2.0]), None)
    assert plan.negative is not None
    assert np.array_equal(np.isinf(plan.negative), code.thresholds() * 2 > 1)


@pytest.mark.parametrize("function", FUNCTIONS, ids=ids)
def test_facts_about_each_function(function: Activation) -> None:
    z = torch.linspace(-5, 5, 1001, dtype=torch.float64)
    y = activate(function, z)
    assert bool((torch.diff(y) >= 0).all()), "not monotone"
    assert function.nonnegative == bool((y >= 0).all())
    assert function.keeps_zero == (float(activate(function, torch.zeros(1))) == 0)
    if function.homogeneous and function.kind != "clip":
        assert torch.allclose(activate(function, 3 * z), 3 * y)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gelu"},
        {"kind": "clip", "low": 1.0},
        {"kind": "clip", "high": -1.0},
        {"kind": "leaky_relu", "slope": 0.0},
    ],
)
def test_impossible_activations_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigurationError, match="supported"):
        Activation(**wrong)
