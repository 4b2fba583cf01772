"""Monotone activations: what a population of one-spike neurons computes of its pre-activation z.

A non-decreasing f changes nothing but the thresholds: a spike at phase k stands for f(z) ≥ thr_k · λ, which is
z ≥ f⁻¹(thr_k · λ). The neuron compares its potential with these numbers and never evaluates f (this answers the
paper's limitation V-C1). Functions with values of either sign also send negative spikes, f(z) ≤ -thr_k · λ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import ConfigurationError

Float = NDArray[np.float64]

KINDS = ("identity", "relu", "clip", "leaky_relu", "elu", "sigmoid", "softplus", "tanh")


@dataclass(frozen=True)
class Activation:
    """f of one of these kinds.

    identity     z
    relu         max(z, 0)
    clip         min(max(z, low), high), low ≤ 0 < high
    leaky_relu   z for z ≥ 0, slope · z below, slope > 0
    elu          z for z ≥ 0, alpha (e^z - 1) below, alpha > 0
    sigmoid      1 / (1 + e^-z)
    softplus     ln(1 + e^(beta z)) / beta
    tanh         tanh z

    Attributes:
        kind: one of KINDS.
        low, high: limits of clip.
        slope: of leaky_relu below zero.
        beta: sharpness of softplus.
        alpha: -alpha is the limit of elu.
    """

    kind: str
    low: float = 0.0
    high: float = float("inf")
    slope: float = 1.0
    beta: float = 1.0
    alpha: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigurationError(f"activation: found {self.kind!r}, supported {', '.join(KINDS)}")
        if self.kind == "clip" and not self.low <= 0 < self.high:
            raise ConfigurationError(f"clip: found limits {self.low}, {self.high}, supported low ≤ 0 < high")
        if not min(self.slope, self.beta, self.alpha) > 0:
            raise ConfigurationError(
                f"{self.kind}: found slope {self.slope}, beta {self.beta}, alpha {self.alpha}, supported positive ones"
            )

    @property
    def nonnegative(self) -> bool:
        """No value is below zero: the population is unsigned."""
        return self.kind in ("relu", "sigmoid", "softplus") or (self.kind == "clip" and self.low == 0)

    @property
    def homogeneous(self) -> bool:
        """f(a z) = a f(z) for a > 0 wherever λ can lie: λ may differ between channels of one threshold table."""
        return self.kind in ("identity", "relu", "leaky_relu") or (self.kind == "clip" and self.low == 0)

    @property
    def keeps_zero(self) -> bool:
        """f(0) = 0: padded places stay padded places."""
        return self.kind not in ("sigmoid", "softplus")

    def thresholds(self, values: Float) -> Float:
        """z at which f reaches each of `values` > 0; infinite where it never does."""
        y = np.asarray(values, np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            match self.kind:
                case "clip":
                    return np.where(y <= self.high, y, np.inf)
                case "sigmoid":
                    return np.where(y < 1, np.log(y) - np.log1p(-np.minimum(y, 1)), np.inf)
                case "softplus":
                    return y + np.log(-np.expm1(-self.beta * y)) / self.beta
                case "tanh":
                    return np.where(y < 1, np.arctanh(np.minimum(y, 1)), np.inf)
        return y

    def negative_thresholds(self, values: Float) -> Float | None:
        """-z at which f reaches -values, infinite where it never does; None for functions without negative values."""
        if self.nonnegative:
            return None
        y = np.asarray(values, np.float64)
        match self.kind:
            case "clip":
                return np.where(y <= -self.low, y, np.inf)
            case "leaky_relu":
                return y / self.slope
            case "elu":
                inside = y < self.alpha
                return np.where(inside, -np.log1p(-np.where(inside, y, 0) / self.alpha), np.inf)
        return self.thresholds(y)


IDENTITY = Activation("identity")
RELU = Activation("relu")
