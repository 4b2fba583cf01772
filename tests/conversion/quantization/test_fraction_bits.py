"""As many fraction bits as fit into 22 bits; the widest tenth of the channels pays with bits of its weights."""

import numpy as np
import pytest

from loihi_onespike.conversion.quantization.fraction_bits import finest_units, fraction_bits, free_bits
from loihi_onespike.errors import HeadroomError

ALIKE = np.full(20, 2.0**10)
ONE_WIDE = np.where(np.arange(20) == 3, 2.0**20, 2.0**10)


def bits(ranges, swings=None):
    """Of a layer whose sums of inputs reach as far as its v, or less far."""
    return fraction_bits("l", ranges, lambda: ranges if swings is None else swings)


def test_channels_that_are_alike_get_all_that_is_free():
    assert free_bits(ALIKE) == 22 - 10 and bits(ALIKE) == 12
    assert bits(np.ones(20)) == 16  # the format has no more
    assert finest_units(ALIKE, np.ones(20), 12) is None  # 2^10 · 2^12 is just within 22 bits


def test_two_wide_channels_of_twenty_are_within_the_tenth():
    """The quantile is taken from above: 0.1 of 19 intervals lies between the second and the third channel."""
    two = np.where(np.arange(20) < 2, 2.0**20, 2.0**10)
    three = np.where(np.arange(20) < 3, 2.0**20, 2.0**10)
    assert (free_bits(two), free_bits(three)) == (12, 2)


def test_potentials_of_a_unit_and_less_leave_all_bits_free():
    assert free_bits(np.array([1.0])) == free_bits(np.array([0.1])) == 22


def test_a_bit_more_than_a_power_of_two_costs_a_bit():
    assert bits(ALIKE + 1) == 11
    assert finest_units((ALIKE + 1).astype(np.float64), np.ones(20), 12) is not None


def test_one_wide_channel_of_twenty_gives_way_until_the_others_have_enough():
    assert free_bits(ONE_WIDE) == 12 and bits(ONE_WIDE) == 6  # the wide one has 2 of its own
    finest = finest_units(ONE_WIDE, np.full(20, 0.5), 6)
    assert finest is not None and finest[3] == 0.5 * 2**4 and np.count_nonzero(finest) == 1


def test_a_whole_layer_gives_up_three_bits_of_its_weights_and_no_more():
    assert bits(np.full(20, 2.0**25)) == 0
    with pytest.raises(HeadroomError, match=r"^l: the membrane potential .* requires 28 bits, limit 24; use fewer"):
        bits(np.full(20, 2.0**26))


def test_a_bias_or_threshold_beyond_that_asks_for_no_precision_of_the_weights():
    assert bits(np.full(20, 2.0**26), np.full(20, 2.0**25)) == 0
