"""The square root."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float


@dataclass(frozen=True)
class Sqrt(Activation):
    """f(z) = √max(z, 0)."""

    name: ClassVar[str] = "sqrt"

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
        return np.sqrt(np.maximum(z, 0.0))

    def thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64) ** 2

    def negative_thresholds(self, values: Float) -> None:
        return None
