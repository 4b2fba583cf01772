"""The error function: its inverse as threshold, on both sides, and what is never reached."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.activations.erf import Erf


def test_thresholds_are_the_inverse_and_infinite_above_1() -> None:
    values = np.array([0.8427007929497149, 1.001])  # erf(1), and what erf never is
    np.testing.assert_allclose(Erf().thresholds(values), [1.0, np.inf])
    assert np.array_equal(Erf().thresholds(values), Erf().negative_thresholds(values))
