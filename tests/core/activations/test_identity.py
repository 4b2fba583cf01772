"""The identity passes values and thresholds of both signs."""

from __future__ import annotations

from math import inf

import numpy as np

from loihi_onespike.core.activations.identity import Identity


def test_values_and_thresholds() -> None:
    values = np.array([-2.5, 0.0, 4.0])
    assert Identity().value(values).tolist() == [-2.5, 0.0, 4.0]
    assert Identity().thresholds(np.array([0.5, 2.0])).tolist() == [0.5, 2.0]
    assert Identity().negative_thresholds(np.array([0.5, 2.0])).tolist() == [0.5, 2.0]


def test_properties() -> None:
    identity = Identity()
    assert (identity.nonnegative, identity.homogeneous, identity.largest) == (False, True, inf)
    assert identity.keeps_zero and not identity.rectifies
