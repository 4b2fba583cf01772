"""The phase code of the paper (section III-A, Eq. 3 and 4), and the choice of its base (Eq. 5, Fig. 6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from loihi_onespike.core.codes.base import Base
from loihi_onespike.core.codes.code import FloatArray
from loihi_onespike.core.codes.single_spike_code import SingleSpikeCode
from loihi_onespike.errors import ConfigurationError

SAMPLES = 20_000
"""Intervals of the midpoint rule that gives the error of a code."""


@dataclass(frozen=True)
class PhaseCode(SingleSpikeCode):
    """level(k) = Q^-k and, with the threshold shift, threshold(k) = Q^-k (1 + 1/Q) / 2 for k = 1..T (Eq. 4).

    Without the shift threshold(k) = Q^-k, which floors to the level below (Eq. 3). Values are relative to the
    channel's scale λ.

    Attributes:
        base: Q.
        timesteps: T, number of phases.
        threshold_shift: whether values round to the nearest level (True) or to the level below (False).
        gains: (T,) Q · 4096 for every input step, set from the other fields.
    """

    base: Base
    timesteps: int
    threshold_shift: bool = True
    gains: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.timesteps < 1:
            raise ConfigurationError(f"timesteps: must be an integer of at least 1, got {self.timesteps}")
        object.__setattr__(self, "gains", (self.base.mant,) * self.timesteps)

    def levels(self) -> FloatArray:
        """(T,) levels Q^-1 … Q^-T, decreasing."""
        return self.base.value ** -np.arange(1.0, self.timesteps + 1)

    def thresholds(self) -> FloatArray:
        """(T,) Q^-k (1 + 1/Q) / 2, or Q^-k without the threshold shift."""
        shift = (1 + 1 / self.base.value) / 2 if self.threshold_shift else 1.0
        return self.levels() * shift

    def __str__(self) -> str:
        return str(self.base)


def percentage_error(
    base: Base, timesteps: int, *, mean: float = 0.0, deviation: float = 1.0, threshold_shift: bool = True
) -> float:
    """Mean absolute percentage error of a phase code (Eq. 5): MAPE = ∫_0^1 |x - x̄| / x · f(x) dx.

    x̄ is the level that x is sent as, and f the density of a normal distribution. The integral is a midpoint rule.

    Args:
        base: base Q.
        timesteps: number of phases T.
        threshold_shift: whether values are rounded to the nearest level (Eq. 4) or down (Eq. 3).
        mean, deviation: μ and σ of the activation relative to λ; Fig. 6 uses 0 and 1.

    Returns:
        The error as a fraction; 0.05 is 5 %.
    """
    x = (np.arange(SAMPLES) + 0.5) / SAMPLES
    code = PhaseCode(base, timesteps, threshold_shift)
    density = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    return float(np.mean(np.abs(x - code.decode(code.encode(x))) / x * density))


@lru_cache(maxsize=64)
def best_base(timesteps: int, threshold_shift: bool = True) -> Base:
    """Base of least error on a grid of 0.01 (Fig. 6): near 1.3 for 16 timesteps and near 1.2 for 24."""
    candidates = [Base.nearest(value) for value in np.arange(1.02, 2.005, 0.01)]
    return min(candidates, key=lambda base: percentage_error(base, timesteps, threshold_shift=threshold_shift))
