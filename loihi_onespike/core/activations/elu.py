"""The exponential linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Elu(Activation):
    """f(z) = z for z ≥ 0 and alpha (e^z - 1) below.

    Attributes:
        alpha: the limit for z → -∞ is -alpha; positive.
    """

    name: ClassVar[str] = "elu"
    alpha: float = 1.0

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ConfigurationError(f"elu: alpha must be positive, got {self.alpha}; use relu for alpha 0")

    @property
    def nonnegative(self) -> bool:
        return False

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def largest(self) -> float:
        return inf

    def value(self, z: Float) -> Float:
        return np.where(np.asarray(z) >= 0, z, self.alpha * np.expm1(np.minimum(z, 0.0)))

    def thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64)

    def negative_thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        inside = y < self.alpha
        return np.where(inside, -np.log1p(-np.where(inside, y, 0) / self.alpha), np.inf)
