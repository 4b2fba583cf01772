"""The exponential function at points that can be computed by hand, and far out."""

from __future__ import annotations

from math import inf, log

import numpy as np

from loihi_onespike.core.activations.exp import Exp


def test_values_and_thresholds_are_inverse() -> None:
    z = np.array([-2.0, 0.0, log(3)])
    np.testing.assert_allclose(Exp().value(z), [np.e**-2, 1.0, 3.0], rtol=1e-15)
    np.testing.assert_allclose(Exp().thresholds(Exp().value(z)), z, rtol=1e-15)
    assert Exp().negative_thresholds(z) is None  # type: ignore[func-returns-value]


def test_far_out_without_overflow() -> None:
    with np.errstate(over="raise"):
        assert np.isfinite(Exp().value(np.array([-1e4, 1e4]))).all()


def test_thresholds_of_a_geometric_code_are_linear_in_z() -> None:
    """Levels that fall by the factor 1/2 have thresholds that are ln 2 apart."""
    np.testing.assert_allclose(np.diff(Exp().thresholds(2.0 ** -np.arange(5))), -log(2), rtol=1e-14)


def test_properties() -> None:
    assert (Exp().nonnegative, Exp().homogeneous, Exp().largest, Exp().translates) == (True, False, inf, True)
    assert not Exp().keeps_zero and not Exp().left_to_host
