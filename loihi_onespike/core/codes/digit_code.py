"""Digits of several bits as the messages of spikes: input data in fewer steps than its bits."""

from __future__ import annotations

from dataclasses import dataclass

from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT, MAX_GAIN
from loihi_onespike.core.codes.positional_code import PositionalCode
from loihi_onespike.errors import ConfigurationError

MAX_DIGIT = (MAX_GAIN >> LEAK_SHIFT).bit_length() - 1
"""Bits of the largest digit: the gain per step is 2^d."""


@dataclass(frozen=True)
class DigitCode(PositionalCode):
    """Integers of `bits` bits in digits of d bits, the payload of the spikes: x = Σ_t digit_t 2^(-d t).

    8-bit data takes two steps with d = 4, three with d = 3, and eight in binary. Code words, potentials after the last
    step and their range are those of the binary code where d divides the number of bits.

    Attributes:
        bits: code words are 0..2^bits - 1.
        digit_bits: d, 2 or more; a digit of one bit is the `BinaryCode`.
    """

    bits: int
    digit_bits: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.digit_bits <= MAX_DIGIT:
            raise ConfigurationError(
                f"digit code: digits must have 2 to {MAX_DIGIT} bits, since the gain per step is at most "
                f"{MAX_GAIN >> LEAK_SHIFT}, got {self.digit_bits}"
            )

    @property
    def digit(self) -> int:
        """d."""
        return self.digit_bits

    @property
    def payload_bits(self) -> int:
        """d: the message of a spike is the digit."""
        return self.digit_bits

    @property
    def largest_message(self) -> int:
        """2^d - 1, or the largest word where that is less."""
        return (1 << min(self.digit_bits, self.bits)) - 1

    @property
    def additions_per_spike(self) -> int:
        """d: a weight times a digit is at most that many shifted additions."""
        return self.digit_bits

    def __str__(self) -> str:
        return f"{1 << self.digit} (digits of {self.digit} bits)"
