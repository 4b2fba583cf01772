"""Single-spike phase coding (paper sections III-A and III-B, Eq. 3 and 4) and the binary code of input data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT
from loihi_onespike.errors import ConfigurationError

FloatArray = NDArray[np.float64]
PHASE_DTYPE = np.int16
"""Type of spike phases: 0 is no spike, k a spike at phase k, -k a negative spike at phase k (signed populations)."""


@dataclass(frozen=True, order=True)
class Base:
    """Base Q of a phase code, Q = mant / 4096.

    The base is a number the chip can multiply by exactly, so that levels, thresholds and the leak of the next layer
    mean the same Q and the coding has no error of its own. 1.3 becomes 5325/4096 = 1.30005.
    """

    mant: int

    @classmethod
    def nearest(cls, value: float) -> Base:
        """Nearest representable base. Raises ConfigurationError outside 1 < Q ≤ 4."""
        if not np.isfinite(value) or not 1.0 < value <= 4.0:
            raise ConfigurationError(
                f"base: found {value}, supported 1 < base ≤ 4; choose one near 1.3 for 16 timesteps"
            )
        return cls(max(round(value * 2**LEAK_SHIFT), 2**LEAK_SHIFT + 1))

    @property
    def value(self) -> float:
        return self.mant / 2**LEAK_SHIFT

    def __str__(self) -> str:
        return f"{self.value:.4g}"


BINARY = Base(2 * 2**LEAK_SHIFT)
"""Base 2, the code of input data."""


class SingleSpikeCode(ABC):
    """At most one spike per window: phase k stands for level(k) of the channel's scale λ, no spike for 0.

    The neuron that reads the code multiplies its potential by gain_t at input step t, so the levels are

        level(k) = 1 / (gain_1 · … · gain_k),   gain_t = gains[t-1] / 4096

    and every decreasing sequence is a code; the paper's levels Q^-k have the same gain Q at every step.

    Attributes:
        timesteps: T, number of phases.
        gains: (T,) mantissas of the gain per input step, 4096 for a gain of 1.
        threshold_shift: round to the nearest level (True) or floor (False).
    """

    timesteps: int
    gains: tuple[int, ...]
    threshold_shift: bool

    @abstractmethod
    def thresholds(self) -> FloatArray:
        """(T,) smallest relative value sent at each phase, decreasing."""

    def levels(self) -> FloatArray:
        """(T,) levels relative to λ, decreasing."""
        return 1.0 / np.cumprod(np.array(self.gains) / 2**LEAK_SHIFT)

    def encode(self, x: NDArray[np.floating]) -> NDArray[np.int16]:
        """Phase of the first threshold that x (relative to λ, any shape) reaches; 0 where it reaches none."""
        rising = self.thresholds()[::-1]
        reached = np.searchsorted(rising, np.asarray(x, dtype=np.float64), side="right")
        return np.where(reached == 0, 0, self.timesteps + 1 - reached).astype(PHASE_DTYPE)

    def decode(self, phases: NDArray[np.integer]) -> FloatArray:
        """Level of each phase, 0 for no spike, negative for a negative spike."""
        table = np.concatenate([[0.0], self.levels()])
        return np.sign(phases) * table[np.abs(phases)]


@dataclass(frozen=True)
class PhaseCode(SingleSpikeCode):
    """level(k) = Q^-k and, with the threshold shift, threshold(k) = Q^-k (1 + 1/Q) / 2 for k = 1..T (Eq. 4).

    Without the shift threshold(k) = Q^-k, which floors to the level below (Eq. 3). Values are relative to the
    channel's scale λ.

    Attributes:
        base: Q.
        timesteps: T, number of phases.
        threshold_shift: round to the nearest level (True) or floor (False).
    """

    base: Base
    timesteps: int
    threshold_shift: bool = True
    gains: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.timesteps < 1:
            raise ConfigurationError(f"timesteps: found {self.timesteps}, supported 1 and more")
        object.__setattr__(self, "gains", (self.base.mant,) * self.timesteps)

    def levels(self) -> FloatArray:
        """(T,) levels Q^-1 … Q^-T, decreasing."""
        return self.base.value ** -np.arange(1.0, self.timesteps + 1)

    def thresholds(self) -> FloatArray:
        shift = (1 + 1 / self.base.value) / 2 if self.threshold_shift else 1.0
        return self.levels() * shift

    def __str__(self) -> str:
        return str(self.base)


@dataclass(frozen=True)
class Codebook(SingleSpikeCode):
    """Any decreasing levels: one gain per phase instead of one base (the generalisation of Eq. 3 and 4).

    With the threshold shift threshold(k) is the middle of level(k) and level(k+1), the last that of level(T) and 0.
    Without it threshold(k) = level(k).

    Attributes:
        gains: (T,) mantissas above 4096 and at most 4 · 4096; the first may be anything from 1 up.
        threshold_shift: round to the nearest level (True) or floor (False).
    """

    gains: tuple[int, ...]
    threshold_shift: bool = True
    timesteps: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.gains:
            raise ConfigurationError("codebook: found no level, supported 1 and more")
        one = 2**LEAK_SHIFT
        if min(self.gains) < one or max(self.gains) > 4 * one or one in self.gains[1:]:
            raise ConfigurationError(
                f"codebook: found gains {min(self.gains) / one:.4g} to {max(self.gains) / one:.4g} between levels, "
                "supported above 1 and at most 4"
            )
        object.__setattr__(self, "timesteps", len(self.gains))

    @classmethod
    def nearest(cls, levels: NDArray[np.floating], threshold_shift: bool = True) -> Codebook:
        """Nearest representable codebook to decreasing `levels` (T,) in (0, 1].

        The gains are chosen one after the other against the levels that the earlier ones really give, so their
        roundings do not add up.
        """
        gains, level = [], 1.0
        for k, wanted in enumerate(np.asarray(levels, dtype=np.float64)):
            low = 2**LEAK_SHIFT + (k > 0)
            if not wanted > 0:
                raise ConfigurationError(f"codebook: found level {wanted} at phase {k + 1}, supported above 0")
            gains.append(int(np.clip(np.rint(level / wanted * 2**LEAK_SHIFT), low, 4 * 2**LEAK_SHIFT)))
            level *= 2**LEAK_SHIFT / gains[-1]
        return cls(tuple(gains), threshold_shift)

    def thresholds(self) -> FloatArray:
        levels = self.levels()
        return (levels + np.append(levels[1:], 0.0)) / 2 if self.threshold_shift else levels

    def __str__(self) -> str:
        """Mean gain per phase, marked as such."""
        return f"~{self.levels()[-1] ** (-1 / self.timesteps):.4g}"


@dataclass(frozen=True)
class BinaryCode:
    """Multi-spike binary code of integers: x = Σ_t bit_t 2^-t, most significant bit at phase 1.

    Attributes:
        bits: number of phases; codes are 0 … 2^bits - 1.
    """

    bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16:
            raise ConfigurationError(f"input_bits: found {self.bits}, supported 1 to 16")

    @property
    def gains(self) -> tuple[int, ...]:
        return (BINARY.mant,) * self.bits

    def __str__(self) -> str:
        return str(BINARY)

    @property
    def timesteps(self) -> int:
        return self.bits

    def spikes(self, codes: NDArray[np.integer], phase: int) -> NDArray[np.int64]:
        """0/1 spikes of `codes` (any shape) at phase 1..bits."""
        return (np.asarray(codes, dtype=np.int64) >> (self.bits - phase)) & 1
