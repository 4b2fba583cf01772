"""Functions that fall on positive numbers, as functions of the negated number, which rise.

Normalisation divides by a sum or by a root of a variance. The argument has a least value, the ε of the normalisation or
what is known of the sum, below which f stays what it is there.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float
from loihi_onespike.errors import ConfigurationError

SMALLEST = 2.0**-126
"""Least argument where nothing else is known: the smallest normal number of float32."""


@dataclass(frozen=True)
class FallingActivation(Activation):
    """f(z) = g(max(-z, least)) for a positive function g that falls on positive numbers.

    Attributes:
        least: smallest argument of g, positive; f is largest there.
    """

    least: float = SMALLEST

    def __post_init__(self) -> None:
        if not self.least > 0:
            raise ConfigurationError(f"{self.name}: least must be positive, got {self.least}")

    @abstractmethod
    def fallen(self, x: Float) -> Float:
        """g(x) for positive x."""

    @abstractmethod
    def inverse(self, y: Float) -> Float:
        """The x with g(x) = y, for positive y."""

    @property
    def nonnegative(self) -> bool:
        return True

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def vanishes(self) -> bool:
        """False."""
        return False

    @property
    def relative(self) -> bool:
        """True."""
        return True

    @property
    def largest(self) -> float:
        return float(self.fallen(np.asarray(self.least, np.float64)))

    def value(self, z: Float) -> Float:
        return self.fallen(np.maximum(-np.asarray(z, np.float64), self.least))

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        return np.where(y <= self.largest, -self.inverse(y), np.inf)

    def negative_thresholds(self, values: Float) -> None:
        return None


@dataclass(frozen=True)
class Reciprocal(FallingActivation):
    """f(z) = 1 / max(-z, least)."""

    name: ClassVar[str] = "reciprocal"

    @property
    def degree(self) -> float:
        """-1."""
        return -1.0

    def fallen(self, x: Float) -> Float:
        return 1 / x

    def inverse(self, y: Float) -> Float:
        return 1 / y


@dataclass(frozen=True)
class Rsqrt(FallingActivation):
    """f(z) = 1 / √max(-z, least)."""

    name: ClassVar[str] = "rsqrt"

    @property
    def degree(self) -> float:
        """-1/2."""
        return -0.5

    def fallen(self, x: Float) -> Float:
        return 1 / np.sqrt(x)

    def inverse(self, y: Float) -> Float:
        return 1 / y**2
