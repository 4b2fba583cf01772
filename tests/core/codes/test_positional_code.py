"""What codes of digits of any width have in common."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.codes import BinaryCode, DigitCode


def test_whole_digits_have_the_words_and_values_of_the_binary_code() -> None:
    digits, binary = DigitCode(8, 4), BinaryCode(8)
    assert np.array_equal(digits.words(), binary.words())
    assert np.array_equal(digits.decode(digits.words()), binary.decode(binary.words()))
    assert (digits.timesteps, binary.timesteps, digits.largest_message) == (2, 8, 15)
