"""The range of the input's code, and values that lie far outside of it."""

import numpy as np
import scipy.sparse as sp

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation
from loihi_onespike.core.input_range import InputRange


def _range() -> InputRange:
    """Two channels of a 2-bit code: values offset + scale · (0, 1/4, 1/2, 3/4), so [0, 3] and [-2, 1]."""
    scale, offset = np.array(4.0), np.array([[0.0], [-2.0]])
    return InputRange.of(InputPopulation("x", (2, 2), BinaryCode(2), scale, offset))


def test_range_is_that_of_the_code_words() -> None:
    found = _range()
    assert found.low.ravel().tolist() == [0.0, -2.0] and found.high.ravel().tolist() == [3.0, 1.0]
    assert found.inner == (-1.5, 2.5)  # half the width of 3 beyond the range that is narrowest on that side
    assert str(found) == "[-2, 3]"


def test_values_beyond_the_margin_of_their_channel_are_counted() -> None:
    found = _range()
    inside = np.array([[[-1.5, 4.5], [-3.5, 2.5]]])
    assert found.far_outside(inside) == 0 and not found.holds(inside)
    assert found.far_outside(inside + 0.01) == 2 and found.far_outside(inside - 0.01) == 2
    assert found.holds(np.array([[[-1.5, 2.5], [0.0, 1.0]]])) and found.holds(np.zeros((0, 2, 2)))
    assert not found.holds(np.array([np.nan]))


def test_sparse_samples_count_their_entries() -> None:
    population = InputPopulation("x", (2, 2), BinaryCode(2), np.array(4.0), np.array(0.0))
    sample = SparseSample(sp.csr_matrix(np.array([[0.0, 9.0], [4.0, 0.0]])))
    assert InputRange.of(population).far_outside(sample) == 1  # 9 > 4.5; 4 is within the margin
