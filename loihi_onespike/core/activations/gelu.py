"""The Gaussian error linear unit, exact and with tanh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from loihi_onespike.core.activations.base import Float
from loihi_onespike.core.activations.dipped import DippedActivation
from loihi_onespike.errors import ConfigurationError

LOWEST_AT = {"none": -0.7517915246935645, "tanh": -0.7524614220710162}
"""z of the minimum."""
CUBIC = 0.044715
"""Coefficient of the approximation with tanh (Hendrycks & Gimpel, arXiv 1606.08415)."""


@dataclass(frozen=True)
class Gelu(DippedActivation):
    """f(z) = z Φ(z) with Φ of the normal distribution, or z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2.

    Attributes:
        approximate: "none" for the exact form, "tanh" for the other one.
    """

    name: ClassVar[str] = "gelu"
    approximate: str = "none"

    def __post_init__(self) -> None:
        if self.approximate not in LOWEST_AT:
            raise ConfigurationError(f"gelu: approximate must be 'none' or 'tanh', got {self.approximate!r}")

    @property
    def lowest_at(self) -> float:
        return LOWEST_AT[self.approximate]

    def value(self, z: Float) -> Float:
        z = np.asarray(z, np.float64)
        if self.approximate == "none":
            return z * ndtr(z)
        # (1 + tanh u) / 2 = 1 / (1 + e^-2u), which keeps its digits where tanh u is near -1.
        u = 2 * np.sqrt(2 / np.pi) * (z + CUBIC * z**3)
        small = np.exp(-np.abs(u))
        return z * np.where(u >= 0, 1.0, small) / (1 + small)
