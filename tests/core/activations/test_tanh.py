"""The hyperbolic tangent at points that can be computed by hand, the same on both sides."""

from __future__ import annotations

from math import inf, log

import numpy as np

from loihi_onespike.core.activations.tanh import Tanh

Z, Y = log(2), 3 / 5
"""tanh(ln 2) = (2 - 1/2) / (2 + 1/2)."""


def test_values() -> None:
    np.testing.assert_allclose(Tanh().value(np.array([-Z, 0.0, Z])), [-Y, 0.0, Y], rtol=1e-15)


def test_thresholds_of_both_sides() -> None:
    wanted = np.array([Y, 1.0, 1.5])
    for found in (Tanh().thresholds(wanted), Tanh().negative_thresholds(wanted)):
        np.testing.assert_allclose(found, [Z, inf, inf], rtol=1e-15)


def test_properties() -> None:
    tanh = Tanh()
    assert (tanh.nonnegative, tanh.homogeneous, tanh.largest, tanh.left_to_host) == (False, False, 1.0, True)
    assert tanh.keeps_zero
