"""Mish at a point that can be computed by hand, and at its minimum."""

from __future__ import annotations

from math import log

import numpy as np

from loihi_onespike.core.activations.mish import Mish


def test_values() -> None:
    """At z = ln 2, ln(1 + e^z) = ln 3 and tanh(ln 3) = (9 - 1) / (9 + 1)."""
    np.testing.assert_allclose(Mish().value(np.array([0.0, log(2)])), [0, 0.8 * log(2)])


def test_minimum() -> None:
    at = Mish().lowest_at
    assert np.all(Mish().value(np.array([at - 1e-4, at + 1e-4])) > Mish().value(np.array(at)))
