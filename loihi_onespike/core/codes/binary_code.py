"""The binary code of input data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.base import BINARY
from loihi_onespike.core.codes.code import Code, FloatArray
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class BinaryCode(Code):
    """Binary code of integers with a spike per set bit: x = Σ_t bit_t 2^-t, most significant bit at phase 1.

    The code word of a value is the integer x · 2^bits.

    Attributes:
        bits: number of phases; code words are 0..2^bits - 1.
    """

    bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16:
            raise ConfigurationError(f"input_bits: must be an integer in [1, 16], got {self.bits}")

    # Properties and not fields: fingerprints of networks, and their pickles, are made of the fields.
    @property
    def timesteps(self) -> int:  # type: ignore[override]
        """Number of bits."""
        return self.bits

    @property
    def gains(self) -> tuple[int, ...]:  # type: ignore[override]
        """(T,) 2 · 4096 for every input step."""
        return (BINARY.mant,) * self.bits

    @property
    def multi_spike(self) -> bool:
        """True: every set bit is a spike."""
        return True

    @property
    def input_bits(self) -> int:
        """Number of bits."""
        return self.bits

    def words(self) -> NDArray[np.int64]:
        """(2^bits,) integers 0..2^bits - 1."""
        return np.arange(2**self.bits)

    def encode(self, x: NDArray[np.floating]) -> NDArray[np.int32]:
        """x · 2^bits, rounded to the nearest integer (halves to even) and saturated to 0..2^bits - 1."""
        steps = 2**self.bits
        return np.clip(np.rint(np.asarray(x) * steps), 0, steps - 1).astype(np.int32)

    def decode(self, words: NDArray[np.integer]) -> FloatArray:
        """Integers divided by 2^bits."""
        return np.asarray(words) / 2.0**self.bits

    def spikes(self, words: NDArray[np.integer], phase: int) -> NDArray[np.int64]:
        """0 or 1: the bit of weight 2^-phase."""
        return (np.asarray(words, dtype=np.int64) >> (self.bits - phase)) & 1

    def count_spikes(self, words: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Number of set bits."""
        of_word = sum((self.spikes(self.words(), t) for t in range(1, self.bits + 1)), np.zeros((), np.int64))
        return of_word.astype(np.uint8)[words]

    def scale_of_range(self, span: FloatArray) -> FloatArray:
        """Scale λ with which the integer 2^bits - 1 has the value `span`."""
        return span * 2**self.bits / (2**self.bits - 1)

    def __str__(self) -> str:
        return str(BINARY)
