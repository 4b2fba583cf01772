"""The logistic function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float


@dataclass(frozen=True)
class Sigmoid(Activation):
    """f(z) = 1 / (1 + e^-z)."""

    name: ClassVar[str] = "sigmoid"

    @property
    def nonnegative(self) -> bool:
        return True

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
        return np.exp(-np.logaddexp(0.0, -np.asarray(z, np.float64)))

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(y < 1, np.log(y) - np.log1p(-np.minimum(y, 1)), np.inf)

    def negative_thresholds(self, values: Float) -> None:
        return None
