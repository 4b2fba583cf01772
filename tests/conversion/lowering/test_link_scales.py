"""λ of the inputs of a map in the order in which the map reads them."""

from __future__ import annotations

import numpy as np

from loihi_onespike.conversion.lowering.link_scales import gathered_scale
from loihi_onespike.core.graphs.stage import Link
from loihi_onespike.core.maps import Dense

ONE = np.ones(())


def test_the_gather_moves_the_scales() -> None:
    link = Link("pre", Dense(np.ones((1, 2))), np.array([1, 0], np.int32), ONE)
    seen = gathered_scale(link, np.array([2.0, 3.0]), (2,))
    assert seen is not None and seen.tolist() == [3.0, 2.0]


def test_places_that_share_a_weight_need_one_scale() -> None:
    link = Link("pre", Dense(np.ones((1, 3))), None, ONE)
    assert gathered_scale(link, np.array([[1.0], [2.0]]), (2, 3)) is None
    seen = gathered_scale(link, np.array([[1.0, 2.0, 4.0]]), (2, 3))
    assert seen is not None and seen.tolist() == [1.0, 2.0, 4.0]
