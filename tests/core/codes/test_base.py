"""The base of a phase code is a multiple of 1/4096 above 1."""

from __future__ import annotations

from math import nan

import pytest

from loihi_onespike.core.codes.base import BINARY, Base
from loihi_onespike.errors import ConfigurationError


def test_nearest_multiple() -> None:
    """1.3 · 4096 = 5324.8."""
    assert Base.nearest(1.3).mant == 5325
    assert Base.nearest(1.3).value == 5325 / 4096
    assert Base.nearest(4.0).mant == 4 * 4096


def test_a_base_above_one_never_becomes_one() -> None:
    assert Base.nearest(1 + 1e-9).mant == 4097


def test_the_binary_base() -> None:
    assert Base.nearest(2.0) == BINARY and BINARY.value == 2.0


def test_order_and_text() -> None:
    assert Base.nearest(1.2) < Base.nearest(1.3)
    assert str(Base.nearest(1.3)) == "1.3"


@pytest.mark.parametrize("value", [1.0, 0.5, 4.001, nan])
def test_values_outside_the_range(value: float) -> None:
    with pytest.raises(ConfigurationError, match=rf"^base: must be in \(1, 4\], got {value}; choose one near 1.3"):
        Base.nearest(value)
