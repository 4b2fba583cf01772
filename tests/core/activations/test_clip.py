"""Limits of both signs: values, thresholds inside them, infinite thresholds beyond them."""

from __future__ import annotations

from math import inf

import numpy as np

from loihi_onespike.core.activations.clip import Clip


def test_values_and_thresholds_between_two_limits() -> None:
    clip = Clip(-1.0, 2.0)
    assert clip.value(np.array([-3.0, -0.5, 0.5, 5.0])).tolist() == [-1.0, -0.5, 0.5, 2.0]
    assert clip.thresholds(np.array([1.0, 2.0, 2.5])).tolist() == [1.0, 2.0, inf]
    negative = clip.negative_thresholds(np.array([0.5, 1.0, 1.5]))
    assert negative is not None and negative.tolist() == [0.5, 1.0, inf]
    assert (clip.nonnegative, clip.homogeneous, clip.largest, clip.keeps_zero) == (False, False, 2.0, True)


def test_without_a_negative_side() -> None:
    six = Clip(0.0, 6.0)
    assert six.value(np.array([-3.0, 4.0, 9.0])).tolist() == [0.0, 4.0, 6.0]
    assert six.negative_thresholds(np.array([1.0])) is None
    assert (six.nonnegative, six.homogeneous, six.rectifies, six.largest) == (True, True, True, 6.0)
