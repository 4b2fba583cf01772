"""Choice of the base for a number of timesteps: mean absolute percentage error of the code (paper Eq. 5, Fig. 6)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from loihi_onespike.core.codes.base import Base
from loihi_onespike.core.codes.phase_code import PhaseCode

SAMPLES = 20_000
"""Intervals of the midpoint rule."""


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
