"""The sigmoid linear unit, also called swish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loihi_onespike.core.activations.base import Float
from loihi_onespike.core.activations.dipped import DippedActivation
from loihi_onespike.errors import ConfigurationError

LOWEST_AT = -1.278464542761074
"""z of the minimum for beta 1, where 1 + e^z + z = 0."""


@dataclass(frozen=True)
class Silu(DippedActivation):
    """f(z) = z / (1 + e^(-beta z)).

    Attributes:
        beta: factor of the sigmoid, positive; 1 is SiLU, 1.702 the approximation of GELU by a sigmoid.
    """

    name: ClassVar[str] = "silu"
    beta: float = 1.0

    def __post_init__(self) -> None:
        if not self.beta > 0:
            raise ConfigurationError(f"silu: beta must be positive, got {self.beta}")

    @property
    def lowest_at(self) -> float:
        return LOWEST_AT / self.beta

    def value(self, z: Float) -> Float:
        z = np.asarray(z, np.float64)
        # e^-|βz| is at most 1, so that nothing overflows on either side.
        small = np.exp(-np.abs(self.beta * z))
        return z * np.where(z >= 0, 1.0, small) / (1 + small)
