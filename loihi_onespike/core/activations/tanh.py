"""The hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float


@dataclass(frozen=True)
class Tanh(Activation):
    """f(z) = tanh z."""

    name: ClassVar[str] = "tanh"

    @property
    def nonnegative(self) -> bool:
        return False

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def largest(self) -> float:
        return 1.0

    @property
    def left_to_host(self) -> bool:
        return True

    def value(self, z: Float) -> Float:
        return np.tanh(z)

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(y < 1, np.arctanh(np.minimum(y, 1)), np.inf)

    def negative_thresholds(self, values: Float) -> Float:
        return self.thresholds(values)
