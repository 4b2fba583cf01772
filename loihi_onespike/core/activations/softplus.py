"""The smooth rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float
from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Softplus(Activation):
    """f(z) = ln(1 + e^(beta z)) / beta.

    Attributes:
        beta: sharpness of the bend at zero, positive.
    """

    name: ClassVar[str] = "softplus"
    beta: float = 1.0

    def __post_init__(self) -> None:
        if not self.beta > 0:
            raise ConfigurationError(f"softplus: beta must be positive, got {self.beta}")

    @property
    def nonnegative(self) -> bool:
        return True

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def largest(self) -> float:
        return inf

    def value(self, z: Float) -> Float:
        return np.logaddexp(0.0, self.beta * np.asarray(z, np.float64)) / self.beta

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return y + np.log(-np.expm1(-self.beta * y)) / self.beta

    def negative_thresholds(self, values: Float) -> None:
        return None
