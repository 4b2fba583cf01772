"""The binary code of input data."""

from __future__ import annotations

from dataclasses import dataclass

from loihi_onespike.core.codes.positional_code import PositionalCode
from loihi_onespike.errors import ConfigurationError

MAX_INPUT_BITS = 16


@dataclass(frozen=True)
class BinaryCode(PositionalCode):
    """Binary code of integers with a spike per set bit: x = Σ_t bit_t 2^-t, most significant bit at phase 1.

    Attributes:
        bits: number of phases; code words are 0..2^bits - 1.
    """

    bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_INPUT_BITS:
            raise ConfigurationError(f"input_bits: must be an integer in [1, {MAX_INPUT_BITS}], got {self.bits}")

    @property
    def digit(self) -> int:
        """1."""
        return 1
