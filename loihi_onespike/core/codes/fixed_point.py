"""The integer rules that every executor follows to the bit.

A membrane potential is a 24-bit signed integer that saturates. A leak is a multiplication by an integer mantissa and
an arithmetic right shift, which rounds towards minus infinity:

    leak(v)   = (v · mant) >> LEAK_SHIFT
    θ(w)      = (threshold · mant_w) >> shift_w

Thresholds are stored as two factors because this is what fits a neuromorphic core: one 24-bit word per neuron (which
carries weight scale, batch-norm gain and λ) times one short table per population (which carries the base, the
threshold shift and the gain of the input code).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

V_BITS = 24
"""Bits of a membrane potential, sign included (Loihi 2)."""
V_MAX = 2 ** (V_BITS - 1) - 1
V_MIN = -(2 ** (V_BITS - 1))
LEAK_SHIFT = 12
"""Fraction bits of a leak mantissa: 4096 is a gain of 1."""
MAX_GAIN = 16 * 2**LEAK_SHIFT
"""Largest mantissa of a gain: v of 24 bits times a mantissa of 18, both with sign, is a product of 41 bits."""
MAX_MESSAGE = 127
"""Largest |message| of a spike: 8 bits with its sign, the narrowest message of Loihi 2, which has 8 to 24 bits."""
TABLE_BITS = 15
"""Bits of a threshold mantissa; each entry is normalised, so its relative rounding is at most 2^-15."""
MAX_TABLE_SHIFT = 30

IntArray = NDArray[np.int64]


def leak(v: IntArray, mant: int) -> IntArray:
    """(v · mant) >> LEAK_SHIFT, rounded towards minus infinity, for int64 potentials of any shape."""
    return (v * mant) >> LEAK_SHIFT


def leak_loss(mants: Sequence[int]) -> float:
    """Mean loss of v by the rounding of these leaks, expressed as a change of v(0): Σ_t r(t) / Π_{s ≤ t} gain(s).

    A mantissa of f fraction bits leaves the remainders 0, 2^-f, …, 1 - 2^-f with equal probability, so the mean loss of
    one step is r = (1 - 2^-f) / 2.
    """
    mant = np.asarray(mants, np.int64)
    last_bit = np.minimum(mant & -mant, 2**LEAK_SHIFT)
    return float(np.sum((1 - last_bit / 2**LEAK_SHIFT) / 2 / np.cumprod(mant / 2**LEAK_SHIFT)))


def saturate_v(v: IntArray) -> IntArray:
    """Potentials saturated to [V_MIN, V_MAX]; a potential never wraps."""
    return np.clip(v, V_MIN, V_MAX)


def signed_bits(largest: int) -> int:
    """Width in bits, sign included, of a two's complement integer that holds ±largest."""
    return int(abs(largest)).bit_length() + 1


def largest_digit(v: IntArray, bits: int) -> IntArray:
    """Largest of the digits of `bits` bits that v ≥ 0 (any shape) holds above its lowest bit, which is always 0.

        max_i (v >> (1 + i · bits)) & (2^bits - 1)

    Max pooling of messages (docs/arithmetic.md, The neuron) gives every neuron of the window a digit of its own.
    """
    largest = np.zeros_like(v)
    for low in range(1, V_BITS - 1, bits):
        largest = np.maximum(largest, (v >> low) & (2**bits - 1))
    return largest


@dataclass(frozen=True)
class ThresholdTable:
    """Factor of the threshold for each code word of the output: θ(w) = (threshold · mant[w-1]) >> shift[w-1].

    Without payload there is one code word per phase.

    Attributes:
        mant: (L,) mantissas, |mant| < 2^15; negative where an activation's threshold is below zero.
        shift: (L,) right shifts, 0..30.
    """

    mant: tuple[int, ...]
    shift: tuple[int, ...]

    SMALLEST: ClassVar[int] = 2 ** (V_BITS - TABLE_BITS)
    """Smallest threshold for which an entry that is never sent lies beyond every potential."""

    @classmethod
    def from_gains(cls, gains: NDArray[np.float64]) -> ThresholdTable:
        """Nearest table to real factors `gains` (L,), |gain| ≤ 1 or infinite for a word that is never sent."""
        mants, shifts = [], []
        for gain in np.asarray(gains, dtype=np.float64):
            if not np.isfinite(gain):
                mants.append(2**TABLE_BITS - 1)
                shifts.append(0)
                continue
            magnitude = abs(float(gain))
            shift = (
                TABLE_BITS
                if magnitude == 0
                else int(np.clip(np.floor(TABLE_BITS - np.log2(magnitude)), 0, MAX_TABLE_SHIFT))
            )
            mant = round(magnitude * 2.0**shift)
            if mant >= 2**TABLE_BITS:
                shift -= 1
                mant = round(magnitude * 2.0**shift)
            mants.append(int(np.sign(gain)) * mant)
            shifts.append(shift)
        return cls(tuple(mants), tuple(shifts))

    @classmethod
    def constant(cls, words: int) -> ThresholdTable:
        """The factor 1 for every word."""
        return cls((2 ** (TABLE_BITS - 1),) * words, (TABLE_BITS - 1,) * words)

    @classmethod
    def of_messages(cls, messages: Sequence[int]) -> ThresholdTable:
        """The message of each word as its factor, for neurons that repeat messages; 1 … 127.

        Without payload this is the factor 1 for every word.
        """
        shift = TABLE_BITS - 1 if max(messages) == 1 else TABLE_BITS - MAX_MESSAGE.bit_length()
        return cls(tuple(message << shift for message in messages), (shift,) * len(messages))

    def gains(self) -> NDArray[np.float64]:
        """Real values of the factors, (L,)."""
        return np.array(self.mant, dtype=np.float64) / 2.0 ** np.array(self.shift)

    def thresholds(self, threshold: NDArray[np.integer]) -> IntArray:
        """θ for every word: shape (L, *threshold.shape), int64."""
        extra = (1,) * np.ndim(threshold)
        mant = np.array(self.mant, dtype=np.int64).reshape(-1, *extra)
        shift = np.array(self.shift, dtype=np.int64).reshape(-1, *extra)
        return (np.asarray(threshold, dtype=np.int64)[None] * mant) >> shift
