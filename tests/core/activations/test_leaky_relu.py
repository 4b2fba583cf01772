"""The leaky rectified linear unit: the negative side is reached 1 / slope further out."""

from __future__ import annotations

from math import inf

import numpy as np

from loihi_onespike.core.activations.leaky_relu import LeakyRelu


def test_values_and_thresholds() -> None:
    leaky = LeakyRelu(0.25)
    assert leaky.value(np.array([-4.0, 0.0, 3.0])).tolist() == [-1.0, 0.0, 3.0]
    assert leaky.thresholds(np.array([0.5, 2.0])).tolist() == [0.5, 2.0]
    assert leaky.negative_thresholds(np.array([0.5, 2.0])).tolist() == [2.0, 8.0]


def test_properties() -> None:
    leaky = LeakyRelu(0.25)
    assert (leaky.nonnegative, leaky.homogeneous, leaky.largest) == (False, True, inf)
    assert leaky.keeps_zero and not leaky.rectifies
