"""The exponential function."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Activation, Float

LARGEST_ARGUMENT = 709.0
"""Where e^z is near the largest number of float64; values beyond it are cut off there."""


@dataclass(frozen=True)
class Exp(Activation):
    """f(z) = e^z, from which softmax is made."""

    name: ClassVar[str] = "exp"

    @property
    def nonnegative(self) -> bool:
        return True

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def largest(self) -> float:
        return inf

    @property
    def relative(self) -> bool:
        """True."""
        return True

    @property
    def translates(self) -> bool:
        """True: e^(z + ln a) = a e^z."""
        return True

    def value(self, z: Float) -> Float:
        return np.exp(np.minimum(z, LARGEST_ARGUMENT))

    def thresholds(self, values: Float) -> Float:
        return np.log(np.asarray(values, np.float64))

    def negative_thresholds(self, values: Float) -> None:
        return None
