"""The exponential linear unit at points that can be computed by hand."""

from __future__ import annotations

from math import inf, log

import numpy as np

from loihi_onespike.core.activations.elu import Elu


def test_values() -> None:
    """e^-ln 2 = 1/2 and e^-ln 4 = 1/4."""
    found = Elu(2.0).value(np.array([3.0, 0.0, -log(2), -log(4)]))
    np.testing.assert_allclose(found, [3.0, 0.0, 2 * (1 / 2 - 1), 2 * (1 / 4 - 1)], rtol=1e-15)


def test_large_inputs_do_not_overflow() -> None:
    with np.errstate(over="raise"):
        assert Elu(2.0).value(np.array([1e4, -1e4])).tolist() == [1e4, -2.0]


def test_thresholds() -> None:
    elu = Elu(2.0)
    assert elu.thresholds(np.array([0.5, 7.0])).tolist() == [0.5, 7.0]
    negative = elu.negative_thresholds(np.array([1.0, 1.5, 2.0, 3.0]))
    np.testing.assert_allclose(negative, [log(2), log(4), inf, inf], rtol=1e-15)


def test_properties() -> None:
    elu = Elu(2.0)
    assert (elu.nonnegative, elu.homogeneous, elu.largest, elu.keeps_zero) == (False, False, inf, True)
