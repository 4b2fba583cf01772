"""A code of two levels, 1/2 and 1/4 with thresholds 3/8 and 1/8: phases, values and spikes by hand."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.codes.codebook import Codebook
from loihi_onespike.core.codes.single_spike_code import WORD_DTYPE

CODE = Codebook((8192, 8192))


def test_the_first_threshold_that_is_reached() -> None:
    found = CODE.encode(np.array([[2.0, 0.375, 0.374], [0.125, 0.124, -1.0]]))
    assert found.tolist() == [[1, 1, 2], [2, 0, 0]]
    assert found.dtype == WORD_DTYPE


def test_rounding_down_reaches_the_level_itself() -> None:
    code = Codebook((8192, 8192), threshold_shift=False)
    assert code.encode(np.array([0.5, 0.499, 0.25, 0.249])).tolist() == [1, 2, 2, 0]


def test_values_of_phases_of_both_signs() -> None:
    assert CODE.levels().tolist() == [0.5, 0.25]
    assert CODE.decode(np.array([-1, -2, 0, 2, 1])).tolist() == [-0.5, -0.25, 0.0, 0.25, 0.5]


def test_spikes_of_both_signs() -> None:
    words = np.array([-1, -2, 0, 2, 1])
    assert CODE.spikes(words, 1).tolist() == [-1, 0, 0, 0, 1]
    assert CODE.spikes(words, 2).tolist() == [0, -1, 0, 1, 0]
    assert CODE.count_spikes(words).tolist() == [1, 1, 0, 1, 1]


def test_a_range_ends_at_the_first_level() -> None:
    assert CODE.scale_of_range(np.array(3.0)) == 6.0


def test_properties() -> None:
    assert CODE.words().tolist() == [0, 1, 2]
    assert (CODE.multi_spike, CODE.input_bits, CODE.even_steps) == (False, None, None)
