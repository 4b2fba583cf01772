"""Every activation: what it says of itself, its thresholds, and the registries that must have an entry for it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.core.activations import (
    ACTIVATIONS,
    IDENTITY,
    RELU,
    Activation,
    Clip,
    DippedActivation,
    Elu,
    Erf,
    Exp,
    Gelu,
    Hardswish,
    LeakyRelu,
    Mish,
    Reciprocal,
    Rsqrt,
    Sigmoid,
    Silu,
    Softplus,
    Sqrt,
    Tanh,
)
from loihi_onespike.core.codes import Base, PhaseCode
from loihi_onespike.core.encoding import FINISH
from loihi_onespike.core.graphs.stage import StagePlan
from loihi_onespike.core.registry import EntryRegistry
from loihi_onespike.errors import ConfigurationError, MissingEntryError
from loihi_onespike.executors.float.float_executor import first_word, level_of
from loihi_onespike.executors.tensors.activation_functions import ACTIVATION_FUNCTIONS, activate

FUNCTIONS = [
    IDENTITY,
    RELU,
    Clip(0.0, 6.0),
    Clip(-1.0, 2.0),
    LeakyRelu(0.1),
    LeakyRelu(2.0),
    Clip(0.0, 0.25),
    Elu(1.5),
    Sigmoid(),
    Softplus(2.0),
    Tanh(),
    Erf(),
    Silu(),
    Silu(1.702),
    Gelu(),
    Gelu("tanh"),
    Hardswish(),
    Mish(),
    Exp(),
    Sqrt(),
    Reciprocal(0.05),
    Rsqrt(0.01),
]
REGISTRIES: list[EntryRegistry] = [ACTIVATION_FUNCTIONS]
"""Every registry with an entry per activation."""
Z = np.linspace(-8, 8, 1601)
ids = list(map(str, FUNCTIONS))
of_each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=ids)


def reachable(function: Activation) -> np.ndarray:
    """Positive values y that f takes on [-8, 8], its largest among them where that is a value."""
    top = float(function.value(np.array(8.0)))
    return np.linspace(top / 50, top, 50)


def test_every_activation_is_among_the_examples_and_has_a_name_of_its_own() -> None:
    assert {type(f) for f in FUNCTIONS} == set(ACTIVATIONS)
    assert len({cls.name for cls in ACTIVATIONS}) == len(ACTIVATIONS)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.place)
@pytest.mark.parametrize("cls", ACTIVATIONS)
def test_every_activation_has_an_entry_in_every_registry(cls: type[Activation], registry: EntryRegistry) -> None:
    assert registry[cls] is not None


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.place)
def test_unknown_activation_is_an_error_that_names_class_place_and_remedy(registry: EntryRegistry) -> None:
    class Cube:
        pass

    with pytest.raises(MissingEntryError, match=rf"^Cube: no entry for {registry.place}; register one in .*\.py$"):
        registry[Cube()]


@of_each_function
def test_never_falls_except_before_the_minimum_of_a_dip(function: Activation) -> None:
    steps = np.diff(function.value(Z))
    assert function.dips == isinstance(function, DippedActivation)
    if isinstance(function, DippedActivation):
        assert np.all(steps[Z[1:] <= function.lowest_at] <= 0)
        steps = steps[Z[:-1] >= function.lowest_at]
    assert np.all(steps >= 0)


@of_each_function
def test_torch_computes_the_same_values(function: Activation) -> None:
    np.testing.assert_allclose(
        activate(function, torch.from_numpy(Z)).numpy(), function.value(Z), rtol=1e-6, atol=1e-12
    )


@of_each_function
def test_threshold_is_the_smallest_z_that_reaches_the_value(function: Activation) -> None:
    y = reachable(function)
    z = function.thresholds(y)
    assert np.all(np.isfinite(z)) and np.all(np.diff(z) >= 0)
    assert np.all(function.value(z + 1e-9) >= y * (1 - 1e-12))
    assert np.all(function.value(z - 1e-6) < y)


@of_each_function
def test_negative_threshold_is_the_largest_z_that_reaches_the_value(function: Activation) -> None:
    bottom = -float(function.value(Z).min())
    y = np.linspace(bottom / 50, bottom, 50)
    negative = function.negative_thresholds(np.abs(y))
    assert (negative is None) == function.nonnegative
    if negative is not None:
        assert np.all(np.isfinite(negative)) and np.all(np.diff(negative) >= 0)
        assert np.all(function.value(-negative - 1e-9) <= -y * (1 - 1e-12))
        assert np.all(function.value(-negative + 1e-6) > -y)


@of_each_function
def test_values_beyond_the_range_have_infinite_thresholds(function: Activation) -> None:
    if np.isfinite(function.largest):
        assert np.all(np.isinf(function.thresholds(function.largest * np.array([1.001, 2.0, 1e6]))))
    lowest = -float(np.minimum(function.value(Z).min(), function.value(np.array(-1e9))))
    beyond = function.negative_thresholds(np.array([lowest * 1.001, lowest * 2]))
    if beyond is not None and lowest < 1e6:
        assert np.all(np.isinf(beyond))


@of_each_function
def test_far_threshold_is_the_smallest_z_that_reaches_the_value(function: Activation) -> None:
    y = np.linspace(0.02, 1.2, 60) * -float(function.value(Z).min())
    far = function.far_thresholds(np.abs(y))
    assert (far is not None) == function.dips
    if isinstance(function, DippedActivation) and far is not None:
        inside = y <= -function.value(np.array(function.lowest_at))
        assert np.all(np.diff(far) <= 0) and np.all(far[~inside] == -function.lowest_at)
        assert np.all(function.value(-far[inside]) <= -y[inside])
        assert np.all(function.value(-far[inside] - 1e-6) > -y[inside])


@of_each_function
def test_claims_about_sign_zero_and_largest_value(function: Activation) -> None:
    y = function.value(Z)
    assert function.nonnegative == bool(np.all(y >= 0))
    assert function.keeps_zero == (float(activate(function, torch.zeros(1))) == 0)
    far = float(function.value(np.array(1e14)))
    assert far <= function.largest and (far >= 1e6) == np.isinf(function.largest)
    near, further = function.value(np.array([0.02, 0.2]))
    bent = function.nonnegative and bool(np.all(y[Z <= 0] == 0)) and bool(np.isclose(further, 10 * near))
    assert function.rectifies == bent


@of_each_function
def test_claim_of_homogeneity(function: Activation) -> None:
    """f(a z) = a f(z), as long as the limit is not reached."""
    inside = Z[function.largest > 3 * Z]
    equal = np.allclose(function.value(3 * inside), 3 * function.value(inside))
    assert function.homogeneous == equal


@of_each_function
def test_claim_of_translation(function: Activation) -> None:
    """f(z + ln a) = a f(z)."""
    equal = np.allclose(function.value(Z + np.log(3)), 3 * function.value(Z))
    assert function.translates == equal


@of_each_function
def test_host_can_apply_what_is_left_to_it(function: Activation) -> None:
    if function.left_to_host:
        np.testing.assert_allclose(FINISH[function.name](Z), function.value(Z), rtol=1e-12)


@of_each_function
def test_equal_hashable_and_picklable(function: Activation) -> None:
    again = pickle.loads(pickle.dumps(function))
    assert again == function and hash(again) == hash(function)
    assert [f for f in FUNCTIONS if f == function] == [function]


@of_each_function
@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-8, 8), min_size=1, max_size=30), st.floats(0.3, 1.0))
def test_phases_of_z_are_phases_of_the_value(function: Activation, values: list[float], fraction: float) -> None:
    z = torch.tensor(values, dtype=torch.float64)
    code = PhaseCode(Base.nearest(1.3), 12)
    scale = np.array([fraction * min(function.largest, 8.0)])
    plan = StagePlan.of(function, code, scale, None)
    phase = first_word(z / torch.from_numpy(plan.threshold), plan.table, plan.negative, plan.far)
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
    plan = StagePlan.of(Clip(-1.0, 2.0), code, np.array([2.0]), None)
    assert plan.negative is not None
    assert np.array_equal(np.isinf(plan.negative), code.thresholds() * 2 > 1)


@pytest.mark.parametrize(
    ("cls", "parameters", "message"),
    [
        (Clip, {"low": 1.0}, "clip: limits must satisfy low ≤ 0 < high, got low=1.0, high=inf"),
        (Clip, {"high": -1.0}, "clip: limits must satisfy low ≤ 0 < high, got low=0.0, high=-1.0"),
        (LeakyRelu, {"slope": 0.0}, "leaky_relu: slope must be positive, got 0.0; use relu for slope 0"),
        (Elu, {"alpha": -1.0}, "elu: alpha must be positive, got -1.0; use relu for alpha 0"),
        (Softplus, {"beta": 0.0}, "softplus: beta must be positive, got 0.0"),
        (Silu, {"beta": 0.0}, "silu: beta must be positive, got 0.0"),
        (Reciprocal, {"least": 0.0}, "reciprocal: least must be positive, got 0.0"),
        (Gelu, {"approximate": "erf"}, "gelu: approximate must be 'none' or 'tanh', got 'erf'"),
    ],
)
def test_impossible_parameters_are_refused(cls: type[Activation], parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(**parameters)
    assert str(caught.value) == message
