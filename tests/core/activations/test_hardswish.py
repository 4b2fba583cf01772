"""Hardswish at points that can be computed by hand."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.activations.hardswish import Hardswish


def test_values() -> None:
    """0 below -3, z above 3, and z (z + 3) / 6 between: -1.5 · 1.5 / 6 = -0.375 at the minimum."""
    found = Hardswish().value(np.array([-4.0, -3.0, -1.5, 0.0, 1.0, 3.0, 4.0]))
    np.testing.assert_allclose(found, [0, 0, -0.375, 0, 4 / 6, 3, 4])
    assert Hardswish().lowest_at == -1.5
