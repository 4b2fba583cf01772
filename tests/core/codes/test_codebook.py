"""Freely chosen levels: their gains, their thresholds, and what the chip cannot hold."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes.codebook import Codebook
from loihi_onespike.errors import ConfigurationError


def test_gains_are_ratios_of_successive_levels() -> None:
    code = Codebook.nearest(np.array([0.8, 0.4, 0.1]))
    assert code.gains == (5120, 8192, 16384)  # 1 / 0.8, 0.8 / 0.4 and 0.4 / 0.1, times 4096
    np.testing.assert_allclose(code.levels(), [0.8, 0.4, 0.1], rtol=1e-15)
    assert code.timesteps == 3


def test_each_gain_takes_back_the_rounding_of_those_before() -> None:
    """Levels 0.7^k: gains rounded one by one would all be 5851, and their errors would add up."""
    wanted = 0.7 ** np.arange(1, 13)
    code = Codebook.nearest(wanted)
    assert np.all(np.abs(code.levels() / wanted - 1) <= 0.5 / 5851 * 1.01)
    drifting = (4096 / 5851) ** np.arange(1, 13)
    assert np.abs(drifting / wanted - 1).max() > np.abs(code.levels() / wanted - 1).max()


def test_thresholds_lie_in_the_middle_or_on_the_levels() -> None:
    assert Codebook((8192, 8192)).thresholds().tolist() == [0.375, 0.125]
    assert Codebook((8192, 8192), threshold_shift=False).thresholds().tolist() == [0.5, 0.25]


def test_levels_that_the_chip_cannot_hold_are_brought_to_the_limit() -> None:
    """Equal levels get a ratio just above 1, levels further apart than a factor of 4 get 4; the first may be 1."""
    assert Codebook.nearest(np.array([1.0, 1.0])).gains == (4096, 4097)
    assert Codebook.nearest(np.array([1.0, 0.1])).gains == (4096, 16384)


def test_text_names_the_mean_gain() -> None:
    assert str(Codebook((4096, 16384))) == "~2"  # the square root of 1 · 4


@pytest.mark.parametrize(
    ("gains", "message"),
    [
        ((), "at least one level, got none"),
        ((4095,), r"above 1 and at most 4, got 0.9998 to 0.9998"),
        ((8192, 4096), r"above 1 and at most 4, got 1 to 2"),
        ((4096, 20480), r"above 1 and at most 4, got 1 to 5"),
    ],
)
def test_gains_outside_the_range(gains: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Codebook(gains)


def test_a_level_that_is_not_positive() -> None:
    with pytest.raises(ConfigurationError, match=r"level at phase 2 must be positive, got 0\.0"):
        Codebook.nearest(np.array([0.5, 0.0]))
