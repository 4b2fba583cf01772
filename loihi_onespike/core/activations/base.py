"""Activations: what a population of one-spike neurons computes of its pre-activation z.

A non-decreasing f changes nothing but the thresholds: a spike at phase k stands for f(z) ≥ thr_k · λ, which is
z ≥ f⁻¹(thr_k · λ). The neuron compares its potential with these numbers and never evaluates f, which answers the
limitation that section V-C1 of the paper names. Functions with values of both signs also send negative spikes,
f(z) ≤ -thr_k · λ. In a function with a dip (`dipped`) this holds between two numbers, and a negative spike has two
thresholds. A function that falls throughout is a rising one of -z (docs/arithmetic.md, The code).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


class Activation(ABC):
    """A function f that the thresholds of a population compute: it never falls, or falls to one minimum and then rises.

    Subclasses are frozen dataclasses, whose fields are the parameters of f; equal parameters make equal, hashable
    objects.

    Attributes:
        name: name of the function, unique among `ACTIVATIONS`; populations take it as their kind.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def nonnegative(self) -> bool:
        """Whether no value of f is below zero, so that the population is unsigned."""

    @property
    @abstractmethod
    def homogeneous(self) -> bool:
        """Whether f(a z) = a f(z) for a > 0 wherever f(a z) is below its largest value.

        Then the scale λ may differ between channels that share one threshold table.
        """

    @property
    def degree(self) -> float | None:
        """p with f(a z) = a^p f(z) for a > 0, so that λ may differ between channels; None where there is none."""
        return 1.0 if self.homogeneous else None

    @property
    def relative(self) -> bool:
        """Whether the values are scale factors of others, such as e^z and 1 / z.

        Their errors count relative to themselves, and no bias can correct their mean, since the slope of f differs by
        orders of magnitude between small and large values.
        """
        return False

    @property
    def vanishes(self) -> bool:
        """Whether f comes near to 0, where no spike is right; 1 / z of a bounded z does not."""
        return True

    @property
    @abstractmethod
    def largest(self) -> float:
        """Least upper bound of f, infinite where there is none."""

    @property
    def dips(self) -> bool:
        """Whether f falls to a minimum below zero before it rises, so that negative spikes have far thresholds too."""
        return False

    @property
    def keeps_zero(self) -> bool:
        """Whether f(0) = 0, so that padded places keep their value."""
        return float(self.value(np.zeros(()))) == 0.0

    @property
    def translates(self) -> bool:
        """Whether f(z + ln a) = a f(z) for a > 0.

        Then the scale λ may differ between neurons that share one threshold table, as a shift of their z.
        """
        return False

    @property
    def rectifies(self) -> bool:
        """Whether f is zero below zero and linear above it; a bias then moves the values of active neurons only."""
        return self.nonnegative and self.homogeneous

    @property
    def left_to_host(self) -> bool:
        """Whether the host applies f to the values it reads when f is the last operation of a network."""
        return False

    @abstractmethod
    def value(self, z: Float) -> Float:
        """f(z), elementwise for an array of any shape."""

    @abstractmethod
    def thresholds(self, values: Float) -> Float:
        """Smallest z with f(z) ≥ y for each y > 0 in `values` (any shape), infinite where f never reaches y."""

    @abstractmethod
    def negative_thresholds(self, values: Float) -> Float | None:
        """-z for the largest z with f(z) ≤ -y for each y > 0 in `values`, infinite where f never reaches -y.

        None for functions without negative values.
        """

    def far_thresholds(self, values: Float) -> Float | None:
        """-z for the smallest z with f(z) ≤ -y for each y > 0 in `values`: the other end of where f(z) ≤ -y holds.

        None for functions without a dip. Where f never reaches -y it is -z of the minimum, so that it falls with
        growing y.
        """
        return None
