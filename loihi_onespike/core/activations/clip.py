"""The identity between two limits."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Clip(Activation):
    """f(z) = min(max(z, low), high) with low ≤ 0 < high.

    Attributes:
        low: lower limit; may be -inf.
        high: upper limit; may be inf.
    """

    name: ClassVar[str] = "clip"
    low: float = 0.0
    high: float = inf

    def __post_init__(self) -> None:
        if not self.low <= 0 < self.high:
            raise ConfigurationError(f"clip: limits must satisfy low ≤ 0 < high, got low={self.low}, high={self.high}")

    @property
    def nonnegative(self) -> bool:
        return self.low == 0

    @property
    def homogeneous(self) -> bool:
        """True without a negative side: values at the upper limit take the first level for every scale."""
        return self.low == 0

    @property
    def largest(self) -> float:
        return self.high

    def value(self, z: Float) -> Float:
        return np.clip(z, self.low, self.high)

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        return np.where(y <= self.high, y, np.inf)

    def negative_thresholds(self, values: Float) -> Float | None:
        if self.nonnegative:
            return None
        y = np.asarray(values, np.float64)
        return np.where(y <= -self.low, y, np.inf)
