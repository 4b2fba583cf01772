"""The leaky rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class LeakyRelu(Activation):
    """f(z) = z for z ≥ 0 and slope · z below.

    Attributes:
        slope: slope below zero, positive.
    """

    name: ClassVar[str] = "leaky_relu"
    slope: float = 1.0

    def __post_init__(self) -> None:
        if not self.slope > 0:
            raise ConfigurationError(f"leaky_relu: slope must be positive, got {self.slope}; use relu for slope 0")

    @property
    def nonnegative(self) -> bool:
        return False

    @property
    def homogeneous(self) -> bool:
        return True

    @property
    def largest(self) -> float:
        return inf

    def value(self, z: Float) -> Float:
        return np.where(np.asarray(z) >= 0, z, self.slope * np.asarray(z, np.float64))

    def thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64)

    def negative_thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64) / self.slope
