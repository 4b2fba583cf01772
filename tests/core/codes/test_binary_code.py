"""The binary code of three bits, word by word."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes.binary_code import BinaryCode
from loihi_onespike.errors import ConfigurationError

CODE = BinaryCode(3)


def test_words_are_multiples_of_an_eighth() -> None:
    assert CODE.words().tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert CODE.decode(np.array([0, 1, 5, 7])).tolist() == [0.0, 0.125, 0.625, 0.875]


def test_encoding_rounds_and_saturates() -> None:
    """In eighths: -2, 0.5 (to the even 0), 0.992, 1.5 (to the even 2), 5 and 16."""
    assert CODE.encode(np.array([-0.25, 0.0625, 0.124, 0.1875, 0.625, 2.0])).tolist() == [0, 0, 1, 2, 5, 7]


def test_a_spike_for_every_set_bit_the_most_significant_first() -> None:
    words = np.array([0b101, 0b011])
    assert [CODE.spikes(words, phase).tolist() for phase in (1, 2, 3)] == [[1, 0], [0, 1], [1, 1]]
    assert CODE.count_spikes(np.arange(8)).tolist() == [0, 1, 1, 2, 1, 2, 2, 3]


def test_a_range_ends_at_the_largest_word() -> None:
    """Seven eighths of the scale are the range."""
    assert CODE.scale_of_range(np.array([7.0, 3.5])).tolist() == [8.0, 4.0]


def test_properties() -> None:
    assert (CODE.timesteps, CODE.gains, CODE.multi_spike, CODE.input_bits) == (3, (8192,) * 3, True, 3)


@pytest.mark.parametrize("bits", [0, 17])
def test_widths_outside_the_range(bits: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"^input_bits: must be an integer in \[1, 16\], got {bits}$"):
        BinaryCode(bits)
