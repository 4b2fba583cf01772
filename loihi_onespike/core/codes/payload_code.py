"""Codes of one spike that carries a few bits of payload: the phase is an exponent, the message a mantissa."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.code import FloatArray
from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT, MAX_GAIN, MAX_MESSAGE
from loihi_onespike.core.codes.single_spike_code import MAX_WORDS, SingleSpikeCode
from loihi_onespike.errors import ConfigurationError

TOLERANCE = 0.1
"""Distance of a level from the wanted one, in parts of the step to its neighbour, at which integers are fine enough.

Levels that are all displaced by this much raise the mean square of the rounding error, 1/12 of a squared step, by 12 %;
the mean over levels is a third of this.
"""


@dataclass(frozen=True)
class PayloadCode(SingleSpikeCode):
    """One spike with an integer message: level(w) = message(w) / (gain_1 · … · gain_phase(w)), relative to λ.

    Each phase has M = 2^b words, those of larger messages first. With the threshold shift threshold(w) is the middle of
    level(w) and level(w+1), the last that of level(L) and 0. Without it threshold(w) = level(w).

    Attributes:
        gains: (T,) mantissas, 4096 (a gain of 1) up to 16 · 4096.
        payloads: (L,) integers 1..127 by word, the messages of positive spikes (`messages`).
        threshold_shift: whether values round to the nearest level (True) or to the level below (False).
        timesteps: T, the number of gains, set from them.
    """

    gains: tuple[int, ...]
    payloads: tuple[int, ...]
    threshold_shift: bool = True
    timesteps: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps, words = len(self.gains), len(self.payloads)
        if not steps or words % steps or (words // steps) not in (2**b for b in range(1, MAX_WORDS.bit_length())):
            raise ConfigurationError(
                f"payload code: must have 2, 4, 8, … messages for each of its phases, got {words} for {steps} phases"
            )
        if words > MAX_WORDS:
            raise ConfigurationError(f"payload code: must have at most {MAX_WORDS} words, got {words}")
        if min(self.gains) < 2**LEAK_SHIFT or max(self.gains) > MAX_GAIN:
            raise ConfigurationError(
                f"payload code: gains must be in [1, {MAX_GAIN >> LEAK_SHIFT}], got "
                f"{min(self.gains) / 2**LEAK_SHIFT:.4g} to {max(self.gains) / 2**LEAK_SHIFT:.4g}"
            )
        if min(self.payloads) < 1 or max(self.payloads) > MAX_MESSAGE:
            raise ConfigurationError(
                f"payload code: messages must be integers in [1, {MAX_MESSAGE}], got {min(self.payloads)} to "
                f"{max(self.payloads)}"
            )
        object.__setattr__(self, "timesteps", steps)
        rising = np.flatnonzero(np.diff(self.levels()) >= 0)
        if rising.size:
            w, levels = int(rising[0]) + 1, self.levels()
            raise ConfigurationError(
                f"payload code: levels must decrease from word to word, got {levels[w - 1]:.4g} for word {w} and "
                f"{levels[w]:.4g} for word {w + 1}"
            )

    @classmethod
    def nearest(
        cls,
        levels: NDArray[np.floating],
        timesteps: int,
        threshold_shift: bool = True,
        largest: int = MAX_MESSAGE,
        tolerance: float = TOLERANCE,
    ) -> PayloadCode:
        """Code with the decreasing `levels` (L,) up to a common factor, which λ has to take, in small integers.

        The phases are fitted one after the other. For each one the smallest integers are taken that come as near to the
        levels as `tolerance` says, or else the nearest ones.

        Args:
            levels: positive and decreasing, L = timesteps · 2^b of them.
            timesteps: T.
            threshold_shift: as of the class.
            largest: largest message; those that max pooling reads need small ones (docs/arithmetic.md, The neuron).
            tolerance: allowed distance from a level in parts of the smaller of its steps to the neighbours.

        Raises:
            ConfigurationError: the levels cannot be told apart with messages up to `largest` and gains up to 16.
        """
        wanted = np.asarray(levels, np.float64)
        if not wanted.size or not np.all(np.isfinite(wanted)) or wanted[-1] <= 0 or np.any(np.diff(wanted) >= 0):
            raise ConfigurationError("payload code: levels must be positive and decreasing")
        if timesteps < 1 or len(wanted) % timesteps:
            raise ConfigurationError(
                f"payload code: must have the same number of levels for each of its {timesteps} phases, "
                f"got {len(wanted)}"
            )
        step = -np.diff(wanted, append=0.0)
        step = np.minimum(step, np.append(np.inf, step[:-1])).reshape(timesteps, -1)
        gains: list[int] = []
        messages: list[int] = []
        unit, above = None, np.inf
        for k, (level, near) in enumerate(zip(wanted.reshape(timesteps, -1), step, strict=True), 1):
            best = _nearest_of_phase(level, near * tolerance, unit, above, min(largest, MAX_MESSAGE))
            if best is None:
                raise ConfigurationError(
                    f"payload code: levels {level[0]:.4g} to {level[-1]:.4g} of phase {k} need messages above "
                    f"{largest} or a gain outside [1, {MAX_GAIN >> LEAK_SHIFT}]; take levels further apart, or more "
                    "phases"
                )
            gain, unit, found = best
            gains.append(gain)
            messages += found.tolist()
            above = messages[-1] * unit
        return cls(tuple(gains), tuple(messages), threshold_shift)

    @classmethod
    def geometric(
        cls,
        ratio: float,
        timesteps: int,
        payload_bits: int,
        threshold_shift: bool = True,
        largest: int = MAX_MESSAGE,
    ) -> PayloadCode:
        """Code nearest to Q^-k · (1 + (Q - 1) · m / 2^b), m = 2^b - 1 … 0 at each phase, up to a common factor.

        Args:
            ratio: Q, of successive phases, above 1.
            timesteps: T.
            payload_bits: b, 1 or more.
            threshold_shift, largest: as of `nearest`.

        Raises:
            ConfigurationError: as `nearest`, or `ratio` is not above 1, or there are no bits.
        """
        if not ratio > 1 or payload_bits < 1:
            raise ConfigurationError(
                f"payload code: ratio must be above 1 and payload_bits at least 1, got {ratio} and {payload_bits}; "
                "a code without payload is a PhaseCode or a Codebook"
            )
        mantissas = 1 + (ratio - 1) * np.arange(2**payload_bits - 1, -1, -1) / 2**payload_bits
        levels = np.outer(ratio ** -np.arange(1.0, timesteps + 1), mantissas).ravel()
        return cls.nearest(levels, timesteps, threshold_shift, largest)

    @property
    def payload_bits(self) -> int:
        """b: each phase has 2^b messages."""
        return (len(self.payloads) // self.timesteps).bit_length() - 1

    @property
    def largest_message(self) -> int:
        """The largest of the payloads."""
        return max(self.payloads)

    @property
    def messages(self) -> tuple[int, ...]:
        """(L,) the payloads."""
        return self.payloads

    @property
    def additions_per_spike(self) -> int:
        """b + 1, or the most non-zero digits of a message in signed binary (non-adjacent form) where that is more.

        A number of n bits has at most ⌈(n + 1) / 2⌉ such digits, so b + 1 holds for messages of up to 2 b + 1 bits.
        """
        # The non-adjacent form of m has its non-zero digits where m and 3 m differ.
        return max(self.payload_bits + 1, *((m ^ 3 * m).bit_count() for m in self.messages))

    def levels(self) -> FloatArray:
        """(L,) message(w) / (gain_1 · … · gain_phase(w)), decreasing."""
        of_phase = 1.0 / np.cumprod(np.array(self.gains) / 2**LEAK_SHIFT)
        return np.array(self.payloads) * np.repeat(of_phase, self.words_per_phase)

    def thresholds(self) -> FloatArray:
        """(L,) middles between successive levels, or the levels without the threshold shift."""
        levels = self.levels()
        return (levels + np.append(levels[1:], 0.0)) / 2 if self.threshold_shift else levels

    def __str__(self) -> str:
        """Mean ratio of the levels of successive phases, marked as such, and the bits of the payload."""
        first = self.levels()[:: self.words_per_phase]
        ratio = (first[0] / first[-1]) ** (1 / max(self.timesteps - 1, 1))
        return f"~{ratio:.4g} + {self.payload_bits} bits"


def _nearest_of_phase(
    levels: FloatArray, near: FloatArray, unit: float | None, above: float, largest: int
) -> tuple[int, float, NDArray[np.int64]] | None:
    """Gain, value of message 1 and messages of one phase; None where no messages tell its levels apart.

    Args:
        levels: wanted levels of the phase, (M,).
        near: distance from each of them at which messages are good enough, (M,).
        unit: value of message 1 at the phase before; None at the first phase, which has the gain 1.
        above: the last level of the phase before.
        largest: the largest message.
    """
    best, least = None, np.inf
    for top in range(len(levels), largest + 1):
        gain = 2**LEAK_SHIFT if unit is None else round(unit * top / levels[0] * 2**LEAK_SHIFT)
        if not 2**LEAK_SHIFT <= gain <= MAX_GAIN:
            continue
        own = float(levels[0]) / top if unit is None else unit * 2**LEAK_SHIFT / gain
        found = _integers(levels / own, above / own, largest)
        if found is None:
            continue
        error = float(np.max(np.abs(found * own - levels) / near))
        if error < least:
            best, least = (gain, own, found), error
        if error <= 1:
            break
    return best


def _integers(levels: FloatArray, above: float, largest: int) -> NDArray[np.int64] | None:
    """Decreasing integers near to `levels`, all in [1, largest] and below `above`; None if there are none.

    Args:
        levels: wanted values in units of message 1.
        above: the level before them in the same units.
        largest: the largest message.
    """
    most = min(largest, int(np.ceil(above)) - 1) if np.isfinite(above) else largest
    count = len(levels)
    if most < count:
        return None
    room = np.arange(count)
    found = np.clip(np.rint(levels).astype(np.int64), count - room, most - room)
    # From the smallest upwards: each one at least one above the next.
    return np.maximum.accumulate((found + room)[::-1])[::-1] - room
