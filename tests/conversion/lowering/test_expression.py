"""The algebra of affine expressions: what they compute, and when a map stays inside."""

import numpy as np

from loihi_onespike.conversion.lowering.expression import (
    ZERO,
    Expression,
    Term,
    affine,
    concatenated,
    plus,
    reindex,
    shared_axes,
    total,
)
from loihi_onespike.core.maps import Dense

A, B = np.array([1.0, 2.0]), np.array([10.0, 20.0, 30.0])
VALUES = {"a": A, "b": B}


def copy(name, nonnegative=True):
    return Expression((Term(name),), ZERO, VALUES[name].shape, (0,), None, nonnegative)


def mapped():
    """A dense map of a, (2·1, 3·2), which cannot absorb a gather."""
    return Expression((Term("a", None, Dense(np.diag([2.0, 3.0]))),), ZERO, (2,), (0,))


def value(e):
    """By the equation of the module, term for term."""
    result = np.broadcast_to(e.constant, e.inner_shape).astype(float)
    for t in e.terms:
        read = VALUES[t.stage] if t.index is None else np.append(VALUES[t.stage], 0.0)[t.index]
        result = result + t.scale * (read if t.op is None else t.op.weight @ read)
    return result if e.outer is None else np.append(result.ravel(), 0.0)[e.outer]


def test_sum_bias_and_concatenation():
    both = concatenated([copy("a"), plus(copy("b"), np.array([1.0, 1.0, 1.0]))], -1, (5,))
    assert both.is_copy and both.nonnegative
    np.testing.assert_array_equal(value(both), [1, 2, 11, 21, 31])
    np.testing.assert_array_equal(value(total([copy("a"), mapped()], (2,))), [3, 8])
    assert not total([copy("a"), copy("a", nonnegative=False)], (2,)).nonnegative
    assert plus(both, None) is both and not plus(both, np.array(-1.0)).nonnegative


def test_an_affine_map_goes_behind_a_rearrangement_but_not_behind_one_that_drops_places():
    scale, shift = np.array([1.0, 5.0]), np.array([0.0, 7.0])
    turned = reindex(mapped(), np.array([1, 0], np.int32), (0,))
    assert turned.outer is not None
    result = affine(turned, scale, shift)
    assert result is not None
    np.testing.assert_array_equal(value(result), [6, 17])  # (6, 2) · (1, 5) + (0, 7)
    padded = reindex(mapped(), np.array([0, -1], np.int32), (0,))
    assert affine(padded, scale, shift) is None  # the padded place must become 7, which no term stands for


def test_one_scale_per_channel_and_one_for_a_vector():
    assert shared_axes((8,)) == (0,) and shared_axes((4, 5, 6)) == (1, 2)
    assert shared_axes((4, 5, 6), (0, 2)) == (0, 2) and shared_axes((20,), (1, 2)) == (0,)
