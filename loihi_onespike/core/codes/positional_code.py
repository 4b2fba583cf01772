"""Codes of input data that are numbers in a positional system: a spike for every digit that is not zero."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.code import Code, FloatArray
from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT
from loihi_onespike.errors import ConfigurationError

MAX_INPUT_BITS = 16


class PositionalCode(Code):
    """Integers in base D, most significant digit at phase 1: x = Σ_t digit_t D^-t, message_t = digit_t.

    The code word of a value is the integer x · D^T. D = 2^d for digits of d bits (`digit`).

    Attributes:
        bits: of the largest code word, 2^bits - 1; T is the number of digits that it takes.
    """

    bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_INPUT_BITS:
            raise ConfigurationError(f"input_bits: must be an integer in [1, {MAX_INPUT_BITS}], got {self.bits}")

    @property
    @abstractmethod
    def digit(self) -> int:
        """d, the bits of a digit."""

    # Properties and not fields: fingerprints of networks, and their pickles, are made of the fields.
    @property
    def timesteps(self) -> int:  # type: ignore[override]
        """Number of digits, ⌈bits / d⌉."""
        return -(-self.bits // self.digit)

    @property
    def gains(self) -> tuple[int, ...]:  # type: ignore[override]
        """(T,) D · 4096 for every input step."""
        return (1 << (LEAK_SHIFT + self.digit),) * self.timesteps

    @property
    def unit(self) -> int:
        """D^T, the code word of the value 1, which is the first one that the digits do not hold."""
        return 1 << (self.digit * self.timesteps)

    @property
    def multi_spike(self) -> bool:
        """True: every digit that is not zero is a spike."""
        return True

    @property
    def input_bits(self) -> int:
        """Number of bits."""
        return self.bits

    def words(self) -> NDArray[np.int64]:
        """(2^bits,) integers 0..2^bits - 1."""
        return np.arange(2**self.bits)

    def encode(self, x: NDArray[np.floating]) -> NDArray[np.int32]:
        """x · D^T, rounded to the nearest integer (halves to even) and saturated to 0..2^bits - 1."""
        return np.clip(np.rint(np.asarray(x) * self.unit), 0, 2**self.bits - 1).astype(np.int32)

    def decode(self, words: NDArray[np.integer]) -> FloatArray:
        """Integers divided by D^T."""
        return np.asarray(words) / float(self.unit)

    def spikes(self, words: NDArray[np.integer], phase: int) -> NDArray[np.int64]:
        """The digit of weight D^-phase, 0 for no spike."""
        return (np.asarray(words, dtype=np.int64) >> (self.digit * (self.timesteps - phase))) & ((1 << self.digit) - 1)

    def count_spikes(self, words: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Number of digits that are not zero."""
        phases = range(1, self.timesteps + 1)
        of_word = sum(((self.spikes(self.words(), t) != 0).astype(np.int64) for t in phases), np.zeros((), np.int64))
        return of_word.astype(np.uint8)[words]

    def scale_of_range(self, span: FloatArray) -> FloatArray:
        """Scale λ with which the integer 2^bits - 1 has the value `span`."""
        return span * self.unit / (2**self.bits - 1)

    def scale_of_step(self, step: FloatArray) -> FloatArray:
        """Scale λ with which successive integers are `step` apart."""
        return step * self.unit

    def __str__(self) -> str:
        return str(1 << self.digit)
