"""Cores on chips: never more than there is room, never worse than the order of the pipeline, always the same."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.boards.mapping.chip_assignment import assign_chips, crossing


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 999))
def test_room_and_gain(cores, room, seed):
    rng = np.random.default_rng(seed)
    traffic = sp.csr_matrix(np.triu(rng.integers(0, 9, (cores, cores)) * (rng.random((cores, cores)) < 0.3), 1))
    chips = assign_chips(traffic, room)
    assert np.bincount(chips).max() <= room
    assert chips.max() <= (cores - 1) // room
    assert crossing(traffic, chips) <= crossing(traffic, np.arange(cores) // room)
    assert np.array_equal(chips, assign_chips(traffic, room))


def test_two_groups_are_untangled():
    """Cores 0, 2, 4, 6 talk to one another, and 1, 3, 5, 7: one group per chip leaves nothing between them."""
    traffic = sp.csr_matrix([[float(i != j and i % 2 == j % 2) for j in range(8)] for i in range(8)])
    chips = assign_chips(traffic, 4)
    # two of each group on each chip: 2 · 2 pairs of either group, both ways
    assert crossing(traffic, np.arange(8) // 4) == 16
    assert crossing(traffic, chips) == 0
    assert len(set(chips[::2])) == len(set(chips[1::2])) == 1
