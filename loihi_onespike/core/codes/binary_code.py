"""The binary code of input data."""

from __future__ import annotations

from dataclasses import dataclass

from loihi_onespike.core.codes.positional_code import PositionalCode


@dataclass(frozen=True)
class BinaryCode(PositionalCode):
    """Binary code of integers with a spike per set bit: x = Σ_t bit_t 2^-t, most significant bit at phase 1.

    Attributes:
        bits: number of phases; code words are 0..2^bits - 1.
    """

    bits: int

    @property
    def digit(self) -> int:
        """1."""
        return 1
