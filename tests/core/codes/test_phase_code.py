"""The code of the paper: thresholds of Eq. 3 and 4 (rounding), and the base with the least error (Eq. 5)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_onespike.core.codes import Base, BinaryCode, PhaseCode, best_base, percentage_error
from loihi_onespike.errors import ConfigurationError

bases = st.floats(1.02, 3.0).map(Base.nearest)


@given(bases, st.integers(1, 40), st.floats(0, 2))
def test_the_shifted_threshold_rounds_to_the_nearest_level(base: Base, timesteps: int, x: float) -> None:
    code = PhaseCode(base, timesteps)
    sent = float(code.decode(code.encode(np.array(x))))
    values = np.concatenate([code.levels(), [0.0]])
    smallest = code.thresholds()[-1]
    if x < smallest * (1 - 1e-12):
        assert sent == 0
    elif x >= smallest * (1 + 1e-12):
        assert abs(sent - x) <= np.abs(values[:-1] - x).min() + 1e-9


@given(bases, st.integers(1, 40), st.floats(0, 2))
def test_without_the_shift_the_level_below_is_sent(base: Base, timesteps: int, x: float) -> None:
    code = PhaseCode(base, timesteps, threshold_shift=False)
    sent = float(code.decode(code.encode(np.array(x))))
    below = [level for level in code.levels() if level <= x]
    assert sent == max(below, default=0.0)


def test_levels_of_equation_4_by_hand() -> None:
    code = PhaseCode(Base.nearest(2.0), 4)  # levels 8, 4, 2, 1 sixteenths; thresholds at 6, 3, 1.5, 0.75
    sixteenths = np.array([16, 8, 6, 5.9, 3, 2.9, 1.5, 1.4, 0.75, 0.7, 0]) / 16
    assert (code.decode(code.encode(sixteenths)) * 16).tolist() == [8, 8, 8, 4, 4, 2, 2, 1, 1, 0, 0]


def test_negative_phases_decode_to_negative_levels() -> None:
    code = PhaseCode(Base.nearest(2.0), 3)
    assert code.decode(np.array([-1, 0, 2])).tolist() == [-0.5, 0.0, 0.25]


@given(st.integers(1, 16), st.data())
def test_binary_spikes_add_up_to_the_code(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, 2**bits - 1))
    code = BinaryCode(bits)
    assert sum(int(code.spikes(np.array(value), t)) * 2 ** (bits - t) for t in range(1, bits + 1)) == value


@pytest.mark.parametrize("value", [1.0, 0.5, 4.5, float("nan"), float("inf")])
def test_a_base_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(ConfigurationError, match=r"base: must be in \(1, 4\], got"):
        Base.nearest(value)


@pytest.mark.parametrize("bits", [0, 17])
def test_input_bits_outside_their_range_are_refused(bits: int) -> None:
    with pytest.raises(ConfigurationError, match=r"input_bits: must be an integer in \[1, 16\], got"):
        BinaryCode(bits)


def test_a_code_without_phases_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="timesteps: must be an integer of at least 1, got 0"):
        PhaseCode(Base.nearest(1.3), 0)


def test_best_base_is_near_the_papers() -> None:
    assert best_base(16).value == pytest.approx(1.3, abs=0.025)  # Fig. 6
    assert best_base(24).value == pytest.approx(1.2, abs=0.025)


def test_percentage_error_of_a_coarse_code_by_hand() -> None:
    """Base 4 and one phase: everything from 5/32 up is sent as 1/4 and the rest is lost; the integral by quadrature."""
    x = (np.arange(200_000) + 0.5) / 200_000
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    sent = np.where(x >= 0.25 * (1 + 0.25) / 2, 0.25, 0.0)
    expected = np.mean(np.abs(x - sent) / x * density)
    assert percentage_error(Base.nearest(4.0), 1) == pytest.approx(expected, rel=1e-4)


def test_percentage_error_for_another_distribution() -> None:
    """As above with the density of a normal distribution of mean 0.2 and deviation 0.5."""
    x = (np.arange(200_000) + 0.5) / 200_000
    density = np.exp(-2 * (x - 0.2) ** 2) / (0.5 * np.sqrt(2 * np.pi))
    sent = np.where(x >= 0.25 * (1 + 0.25) / 2, 0.25, 0.0)
    expected = np.mean(np.abs(x - sent) / x * density)
    assert percentage_error(Base.nearest(4.0), 1, mean=0.2, deviation=0.5) == pytest.approx(expected, rel=1e-4)
