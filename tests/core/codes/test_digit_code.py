"""Digits as messages, word by word: 5 bits in digits of 2, the first of which has one bit left."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes import DigitCode
from loihi_onespike.errors import ConfigurationError

CODE = DigitCode(5, 2)


def test_digits_the_most_significant_first() -> None:
    words = np.array([0b00000, 0b10110, 0b11111, 0b01100])
    assert [CODE.spikes(words, phase).tolist() for phase in (1, 2, 3)] == [[0, 1, 1, 0], [0, 1, 3, 3], [0, 2, 3, 0]]
    assert CODE.count_spikes(words).tolist() == [0, 3, 3, 1]


def test_steps_gains_and_messages() -> None:
    assert (CODE.timesteps, CODE.gains, CODE.unit) == (3, (4 * 4096,) * 3, 64)
    assert (CODE.payload_bits, CODE.largest_message, CODE.additions_per_spike) == (2, 3, 2)
    assert (CODE.multi_spike, CODE.input_bits, CODE.even_steps) == (True, 5, 31)


def test_values_in_sixty_fourths_up_to_thirty_one() -> None:
    assert CODE.decode(np.array([0, 1, 31])).tolist() == [0.0, 1 / 64, 31 / 64]
    assert CODE.encode(np.array([-1.0, 0.5 / 64, 1.6 / 64, 1.0])).tolist() == [0, 0, 2, 31]
    assert CODE.scale_of_range(np.array([31.0])).tolist() == [64.0]
    assert CODE.scale_of_step(np.array([0.5])).tolist() == [32.0]


@pytest.mark.parametrize(
    ("bits", "digit", "message"),
    [
        (0, 4, r"^input_bits: must be an integer in \[1, 16\], got 0$"),
        (17, 4, r"^input_bits: must be an integer in \[1, 16\], got 17$"),
        (8, 1, "^digit code: digits must have 2 to 4 bits, since the gain per step is at most 16, got 1$"),
        (8, 5, "^digit code: digits must have 2 to 4 bits, since the gain per step is at most 16, got 5$"),
    ],
)
def test_widths_outside_the_range(bits: int, digit: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DigitCode(bits, digit)
