"""The identity."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float


@dataclass(frozen=True)
class Identity(Activation):
    """f(z) = z."""

    name: ClassVar[str] = "identity"

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
        return np.asarray(z, np.float64)

    def thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64)

    def negative_thresholds(self, values: Float) -> Float:
        return np.asarray(values, np.float64)
