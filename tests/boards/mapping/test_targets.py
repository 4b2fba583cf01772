"""The product form of targets per input place against explicit synapse matrices."""

from functools import reduce
from math import prod

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.targets import nonzero_targets, target_counts
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Sparse, Window
from loihi_onespike.core.maps.connectivity import synapse_matrix

RNG = np.random.default_rng(0)


def full(*shape):
    return np.full(shape, 2, np.int16)


MAPS = {
    "conv": (Conv(full(6, 2, 3, 2), Window((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)), groups=2), (4, 7, 6)),
    "depthwise": (Conv(full(3, 1, 3), Window((3,), (1,), ((1, 1),), (1,)), groups=3), (3, 9)),
    "strided beyond the kernel": (Conv(full(2, 2, 1, 1), Window((1, 1), (3, 2), ((0, 0),) * 2, (1, 1))), (2, 7, 5)),
    "pool": (Pool(Window((2, 3), (2, 2), ((0, 0), (1, 1)), (1, 1)), np.array(2, np.int16)), (3, 6, 7)),
    "dense": (Dense(full(5, 4)), (3, 4)),
    "diagonal": (Diagonal(full(3, 1)), (3, 5)),
    "sparse": (Sparse(sp.csr_matrix((RNG.random((6, 5)) < 0.4).astype(np.int16) * 2)), (5, 3)),
}


@pytest.mark.parametrize("name", MAPS)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_counts_are_those_of_the_matrix(name, data):
    op, seen = MAPS[name]
    out = op.output_shape(seen)
    low = tuple(data.draw(st.integers(0, n - 1)) for n in out)
    high = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(low, out, strict=True))
    block = Block(low, high)
    matrix = synapse_matrix(op, seen)
    assert (matrix.data != 0).all()
    expected = np.diff(matrix[block.indices(out)].tocsc().indptr).reshape(seen)
    found = reduce(np.multiply.outer, target_counts(op, seen, block))
    assert np.array_equal(found, expected)
    assert block.neurons == len(block.indices(out)) == prod(block.extent)


@pytest.mark.parametrize("name", MAPS)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_nonzero_counts_are_those_of_the_matrix(name, data):
    """The same with some weights of 0, which do not count."""
    op, seen = MAPS[name]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    op = op.with_weight_values(op.weight_values * (rng.random(op.weight_values.shape) < 0.6))
    out = op.output_shape(seen)
    low = tuple(data.draw(st.integers(0, n - 1)) for n in out)
    high = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(low, out, strict=True))
    block = Block(low, high)
    expected = np.asarray((synapse_matrix(op, seen)[block.indices(out)] != 0).sum(axis=0)).reshape(seen)
    found = nonzero_targets(op, seen, block, tuple(np.arange(n) for n in seen))
    assert np.array_equal(found, expected)
    all_outputs = Block(tuple(0 for _ in out), out)
    fan_out = nonzero_targets(op, seen, all_outputs, tuple(np.arange(n) for n in seen))
    assert np.array_equal(np.broadcast_to(op.nonzero_fan_out(seen), seen), fan_out)
