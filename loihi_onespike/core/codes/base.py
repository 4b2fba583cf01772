"""The base of a phase code: a number by which the chip multiplies exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True, order=True)
class Base:
    """Base Q of a phase code, Q = mant / 4096.

    Levels, thresholds and the leak of the next layer all use the rounded Q, so the rounding adds no error of its own:
    1.3 becomes 5325/4096 = 1.30005.

    Attributes:
        mant: Q · 4096, an integer above 4096.
    """

    mant: int

    @classmethod
    def nearest(cls, value: float) -> Base:
        """Nearest representable base to `value`.

        Raises:
            ConfigurationError: `value` is outside 1 < Q ≤ 4.
        """
        if not np.isfinite(value) or not 1.0 < value <= 4.0:
            raise ConfigurationError(f"base: must be in (1, 4], got {value}; choose one near 1.3 for 16 timesteps")
        return cls(max(round(value * 2**LEAK_SHIFT), 2**LEAK_SHIFT + 1))

    @property
    def value(self) -> float:
        """Q as a real number."""
        return self.mant / 2**LEAK_SHIFT

    def __str__(self) -> str:
        return f"{self.value:.4g}"


BINARY = Base(2 * 2**LEAK_SHIFT)
"""Base 2, the base of the binary code of input data."""
