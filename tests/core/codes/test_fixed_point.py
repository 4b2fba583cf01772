"""Fixed-point rules against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_onespike.core.codes import V_MAX, V_MIN, ThresholdTable, leak, leak_loss, saturate_v, signed_bits
from loihi_onespike.core.codes.fixed_point import MAX_GAIN, MAX_TABLE_SHIFT, largest_digit


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


def test_a_word_that_is_never_sent_lies_beyond_every_potential() -> None:
    table = ThresholdTable.from_gains(np.array([np.inf, -np.inf]))
    assert (table.mant, table.shift) == ((2**15 - 1,) * 2, (0, 0))
    never = table.thresholds(np.array([ThresholdTable.SMALLEST, ThresholdTable.SMALLEST // 2]))
    assert never[0].tolist() == [512 * 32767, 256 * 32767]
    assert never[0, 0] > V_MAX > never[0, 1]  # half as much would not do


def test_the_smallest_factors() -> None:
    """2^-16 still has its 15 bits; below it the shift ends, and the mantissa loses bits."""
    table = ThresholdTable.from_gains(2.0 ** -np.array([15, 16, 17, 30, 31, 40]))
    assert table.shift == (29, 30, 30, 30, 30, 30) and max(table.shift) == MAX_TABLE_SHIFT
    assert table.mant == (2**14, 2**14, 2**13, 1, 0, 0)  # 2^-31 is a tie, which goes to the even 0


def test_messages_as_factors() -> None:
    assert ThresholdTable.of_messages((1, 1)) == ThresholdTable.constant(2)
    table = ThresholdTable.of_messages((127, 2, 1))
    assert (table.mant, table.shift) == ((127 << 8, 2 << 8, 1 << 8), (8, 8, 8))
    assert table.thresholds(np.array(5)).tolist() == [635, 10, 5] and max(table.mant) < 2**15


def test_digits_begin_behind_the_lowest_bit() -> None:
    values = np.array([0b0, 0b010, 0b110, 0b01_10_11_0, 0b10_00_01_0, 3 << 21])
    assert largest_digit(values, 2).tolist() == [0, 1, 3, 3, 2, 3]
    assert largest_digit(np.array([0b0111_0101_0]), 4).tolist() == [7]


def test_ends_of_the_ranges() -> None:
    assert (V_MIN, V_MAX, MAX_GAIN) == (-8_388_608, 8_388_607, 65_536)


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
