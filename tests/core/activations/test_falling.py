"""1/x and 1/√x as rising functions of -x, at points that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.activations.falling import SMALLEST, Reciprocal, Rsqrt
from loihi_onespike.errors import ConfigurationError


def test_values_of_negated_numbers() -> None:
    z = np.array([-4.0, -0.25, -0.0625, 0.0, 3.0])
    assert Reciprocal(0.125).value(z).tolist() == [0.25, 4.0, 8.0, 8.0, 8.0]
    assert Rsqrt(0.0625).value(z).tolist() == [0.5, 2.0, 4.0, 4.0, 4.0]


def test_thresholds_and_the_largest_value() -> None:
    assert Reciprocal(0.125).thresholds(np.array([0.25, 8.0, 9.0])).tolist() == [-4.0, -0.125, np.inf]
    assert Rsqrt(0.0625).thresholds(np.array([0.5, 4.0, 5.0])).tolist() == [-4.0, -0.0625, np.inf]
    assert (Reciprocal(0.125).largest, Rsqrt(0.0625).largest) == (8.0, 4.0)


@pytest.mark.parametrize("cls", [Reciprocal, Rsqrt])
def test_properties(cls: type[Reciprocal] | type[Rsqrt]) -> None:
    function = cls()
    assert function.least == SMALLEST and np.isfinite(np.float32(function.largest))
    assert function.nonnegative and not (function.homogeneous or function.translates or function.keeps_zero)
    assert function.negative_thresholds(np.array([1.0])) is None
    with pytest.raises(ConfigurationError, match="least must be positive, got -1"):
        cls(-1.0)
