"""Fixed-point rules against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_onespike.core.codes import V_MAX, V_MIN, ThresholdTable, leak, leak_loss, saturate_v, signed_bits


@given(st.integers(V_MIN, V_MAX), st.integers(4096, 4 * 4096))
def test_leak_is_the_floor_of_the_exact_product(v: int, mant: int) -> None:
    assert leak(np.array(v, np.int64), mant) == floor(Fraction(v) * mant / 4096)


def test_v_is_pinned_and_never_wraps() -> None:
    values = np.array([V_MAX + 1, 2**40, V_MIN - 1, -(2**40), 5], np.int64)
    assert saturate_v(values).tolist() == [V_MAX, V_MAX, V_MIN, V_MIN, 5]


@pytest.mark.parametrize(("largest", "bits"), [(0, 1), (1, 2), (127, 8), (128, 9), (V_MAX, 24), (V_MAX + 1, 25)])
def test_signed_bits_is_enough_and_not_one_less(largest: int, bits: int) -> None:
    assert signed_bits(largest) == bits
    assert largest <= 2 ** (bits - 1) - 1
    assert bits == 1 or largest > 2 ** (bits - 2) - 1


@given(st.lists(st.floats(1e-4, 1.0), min_size=1, max_size=20), st.integers(1, V_MAX))
def test_threshold_table_keeps_every_gain_to_15_bits(gains: list[float], threshold: int) -> None:
    table = ThresholdTable.from_gains(np.array(gains))
    assert all(abs(m) < 2**15 for m in table.mant)
    assert np.allclose(table.gains(), gains, rtol=2.0**-14, atol=0)
    exact = [floor(Fraction(threshold) * m / 2**s) for m, s in zip(table.mant, table.shift, strict=True)]
    assert table.thresholds(np.array(threshold)).tolist() == exact


def test_threshold_table_keeps_signs_and_zero() -> None:
    table = ThresholdTable.from_gains(np.array([0.5, 0.0, -0.25]))
    assert np.allclose(table.gains(), [0.5, 0.0, -0.25])


def test_constant_table_gives_the_threshold_itself() -> None:
    assert ThresholdTable.constant(3).thresholds(np.array([2, 7])).tolist() == [[2, 7]] * 3


def test_what_leaks_lose() -> None:
    """Doubling is exact; halves are lost by 1.5 every other time; v · 1.25 loses 0, 1/4, 2/4 or 3/4."""
    assert leak_loss((2 * 4096,) * 8) == 0
    assert leak_loss((6144, 2 * 4096)) == pytest.approx(0.25 / 1.5)
    assert leak_loss((5120, 6144)) == pytest.approx(0.375 / 1.25 + 0.25 / (1.25 * 1.5))


def test_what_leaks_lose_is_their_mean_error() -> None:
    mants = (4301, 4507, 5000, 4200) * 4
    v = np.random.default_rng(0).integers(-200_000, 200_000, 5000)
    gain, exact = np.prod(np.array(mants) / 4096), v
    for mant in mants:
        v = leak(v, mant)
    assert np.mean(exact * gain - v) / gain == pytest.approx(leak_loss(mants), rel=0.02)
