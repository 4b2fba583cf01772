"""The rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float


@dataclass(frozen=True)
class Relu(Activation):
    """f(z) = max(z, 0)."""

    name: ClassVar[str] = "relu"

    @property
    def nonnegative(self) -> bool:
        return True

    @property
    def homogeneous(self) -> bool:
        return True

    @property
    def largest(self) -> float:
        return inf

    def value(self, z: Float) -> Float:
        return np.maximum(z, 0.0)

    def thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64)

    def negative_thresholds(self, values: Float) -> None:
        return None
