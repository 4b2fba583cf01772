"""λ of the paper: the largest activation of a channel."""

from __future__ import annotations

import numpy as np

from loihi_onespike.conversion.calibration.paper_plan import channel_scale, plan_by_maxima
from tests.support.stage_graphs import CODE, two_layers


def test_a_silent_channel_takes_the_median_of_the_others() -> None:
    maxima = np.array([[1.0, 3.0], [0.0, 0.0], [2.0, 5.0]])
    assert channel_scale(maxima, (1,)).tolist() == [[3.0], [4.0], [5.0]]
    assert channel_scale(np.zeros((2, 1)), (1,)).tolist() == [[1.0], [1.0]]


def test_one_code_and_wait_for_all_and_one_scale_per_vector() -> None:
    maxima = {"hidden": np.array([1.0, 2.0, 4.0]), "signed": np.array([3.0, 0.5])}
    planned = plan_by_maxima(two_layers(), maxima, CODE, 2)
    assert {name: p.scale.tolist() for name, p in planned.plans.items()} == {"hidden": [4.0], "signed": [3.0]}
    assert all(p.code == CODE and p.wait == 2 for p in planned.plans.values())
