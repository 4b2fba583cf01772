"""What every activation inherits: the properties that follow from its values and claims."""

from __future__ import annotations

from math import inf
from typing import ClassVar

import numpy as np
import pytest

from loihi_onespike.core.activations.base import Activation, Float


class Line(Activation):
    """f(z) = 2 z + start."""

    name: ClassVar[str] = "line"
    nonnegative = False
    homogeneous = True
    largest = inf

    def __init__(self, start: float = 0.0) -> None:
        self.start = start

    def value(self, z: Float) -> Float:
        return 2 * z + self.start

    def thresholds(self, values: Float) -> Float:
        return (values - self.start) / 2

    def negative_thresholds(self, values: Float) -> Float:
        return (values + self.start) / 2


class HalfLine(Line):
    nonnegative = True


class SmoothHalfLine(HalfLine):
    homogeneous = False


def test_keeps_zero_follows_from_the_value_at_zero() -> None:
    assert Line().keeps_zero
    assert not Line(0.5).keeps_zero


def test_only_a_homogeneous_function_without_negative_values_rectifies() -> None:
    assert [cls().rectifies for cls in (Line, HalfLine, SmoothHalfLine)] == [False, True, False]


def test_an_activation_is_computed_by_neurons_unless_it_says_otherwise() -> None:
    assert not Line().left_to_host


def test_all_that_only_the_function_knows_is_required() -> None:
    class Unfinished(Activation):
        def value(self, z: Float) -> Float:
            return np.asarray(z)

    with pytest.raises(TypeError, match="abstract method"):
        Unfinished()  # type: ignore[abstract]
