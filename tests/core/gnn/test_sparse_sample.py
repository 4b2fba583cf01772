"""A sparse sample stands for a dense batch of one."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.gnn.sparse_sample import MAX_DENSE_ENTRIES, SparseSample
from loihi_onespike.errors import ConfigurationError

DENSE = np.array([[0, 2, 0], [3, 0, 4]])
SAMPLE = SparseSample(sp.csr_matrix(DENSE))


def test_it_is_a_batch_of_one() -> None:
    assert len(SAMPLE) == 1 and SAMPLE.shape == (1, 2, 3) and SAMPLE.nonzeros == 3
    assert np.array_equal(SAMPLE.dense("a test"), DENSE[None])


@pytest.mark.parametrize("values", [5.0, [1.0, 2.0, 3.0], [[1.0], [2.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
def test_values_at_the_entries(values: object) -> None:
    full = np.broadcast_to(np.asarray(values), DENSE.shape)
    assert np.array_equal(np.broadcast_to(SAMPLE.at_entries(np.asarray(values)), (3,)), full[DENSE != 0])


def test_other_values_at_the_same_places() -> None:
    other = SAMPLE.with_data(np.array([7, 8, 9]))
    assert other.dense("a test").tolist() == [[[0, 7, 0], [8, 0, 9]]]


def test_a_dense_array_beyond_the_limit_is_refused() -> None:
    large = SparseSample(sp.csr_matrix((2, MAX_DENSE_ENTRIES)))
    with pytest.raises(ConfigurationError, match="a rule takes dense inputs, and this one has 2 nodes times"):
        large.dense("a rule")
