"""Activations with a dip: they fall from 0 to a minimum below zero, and rise from there without limit.

SiLU (swish), GELU, Hardswish and Mish are of this form. Each value of the dip is reached twice: f(z) ≤ -y holds between
two numbers z_far(y) ≤ z_near(y), and the interval of a smaller value contains that of a larger one. A negative spike
therefore has two thresholds instead of one, and the first word whose interval contains z is the level that f(z) is
rounded to, as for functions that never fall (docs/arithmetic.md, The code).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations.base import Activation, Float

HALVINGS = 64
"""Steps of a bisection; they narrow any interval of this module to neighbouring numbers."""


class DippedActivation(Activation):
    """f(z) > 0 exactly for z > 0, with one minimum below 0, f(z) → 0 for z → -∞ and f(z) → ∞ for z → ∞.

    The thresholds are found by bisection, since most of these functions have no inverse in closed form.
    """

    @property
    @abstractmethod
    def lowest_at(self) -> float:
        """z of the minimum."""

    @property
    def nonnegative(self) -> bool:
        return False

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def largest(self) -> float:
        return float("inf")

    @property
    def dips(self) -> bool:
        """True."""
        return True

    def thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        high = np.maximum(y, 1.0)
        while np.any(self.value(high) < y):
            high = np.where(self.value(high) < y, 2 * high, high)
        return _switch(lambda z: self.value(z) >= y, np.zeros_like(y), high)

    def negative_thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        # From 0 downwards, so that the end of the interval is the largest z that reaches -y.
        near = -_switch(lambda z: self.value(z) <= -y, np.zeros_like(y), np.full_like(y, self.lowest_at))
        return np.where(self._reached(y), near, np.inf)

    def far_thresholds(self, values: Float) -> Float:
        y = np.asarray(values, np.float64)
        low = np.full_like(y, self.lowest_at)
        while np.any(inside := self._reached(y) & (self.value(low) <= -y)):
            low = np.where(inside, 2 * low, low)
        far = -_switch(lambda z: self.value(z) <= -y, low, np.full_like(y, self.lowest_at))
        return np.where(self._reached(y), far, -self.lowest_at)

    def _reached(self, y: Float) -> NDArray[np.bool_]:
        """Whether f has a value of -y or less."""
        return np.asarray(self.value(np.asarray(self.lowest_at)) <= -y)


def _switch(holds: Callable[[Float], NDArray[np.bool_]], false: Float, true: Float) -> Float:
    """The number nearest to `false` for which a condition holds that changes once between `false` and `true`."""
    for _ in range(HALVINGS):
        middle = (false + true) / 2
        there = holds(middle)
        false, true = np.where(there, false, middle), np.where(there, middle, true)
    return true
