"""The self-regularised activation of Misra (arXiv 1908.08681)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Float
from loihi_onespike.core.activations.dipped import DippedActivation


@dataclass(frozen=True)
class Mish(DippedActivation):
    """f(z) = z tanh(ln(1 + e^z))."""

    name: ClassVar[str] = "mish"

    @property
    def lowest_at(self) -> float:
        return -1.1924312145154952

    def value(self, z: Float) -> Float:
        z = np.asarray(z, np.float64)
        return z * np.tanh(np.logaddexp(0.0, z))
