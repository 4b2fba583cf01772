"""The piecewise form of swish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Float
from loihi_onespike.core.activations.dipped import DippedActivation


@dataclass(frozen=True)
class Hardswish(DippedActivation):
    """f(z) = z · clip(z / 6 + 1/2, 0, 1)."""

    name: ClassVar[str] = "hardswish"

    @property
    def lowest_at(self) -> float:
        return -1.5

    def value(self, z: Float) -> Float:
        z = np.asarray(z, np.float64)
        return z * np.clip((z + 3) / 6, 0.0, 1.0)
