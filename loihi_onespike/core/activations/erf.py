"""The error function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import erf, erfinv

from loihi_onespike.core.activations.base import Activation, Float


@dataclass(frozen=True)
class Erf(Activation):
    """f(z) = 2/√π · ∫_0^z e^(-t²) dt."""

    name: ClassVar[str] = "erf"

    @property
    def nonnegative(self) -> bool:
        return False

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def largest(self) -> float:
        return 1.0

    def value(self, z: Float) -> Float:
        return np.asarray(erf(z), np.float64)

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        # In double precision f is 1 from z = 5.9 on.
        return np.where(y <= 1, erfinv(np.minimum(y, np.nextafter(1.0, 0.0))), np.inf)

    def negative_thresholds(self, values: Float) -> Float:
        return self.thresholds(values)
