"""The algebra of affine expressions: what they compute, and when a map stays inside."""

import numpy as np

from loihi_onespike.conversion.lowering.expression import (
    ZERO,
    Expression,
    Term,
    affine,
    compose,
    concatenated,
    inverse_of,
    is_identity,
    plus,
    reindex,
    reindexed,
    shared_axes,
    total,
)
from loihi_onespike.core.maps import Dense

TURNED = np.array([1, 0], np.int32)

A, B = np.array([1.0, 2.0]), np.array([10.0, 20.0, 30.0])
VALUES = {"a": A, "b": B, "c": np.array([[0.0, 1.0], [2.0, 3.0]]), "d": np.array([[10.0], [11.0]])}


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


def test_values_that_are_gathered_have_the_missing_one_where_nothing_is():
    gather = np.array([1, -1, 0], np.int32)
    assert reindexed(np.array([5.0, 6.0]), (2,), gather, 1.0).tolist() == [6.0, 1.0, 5.0]
    for five in (np.array(5.0), np.array([5.0])):
        assert reindexed(five, (2,), gather, 0.0).tolist() == [5.0, 0.0, 5.0]
        assert reindexed(five, (2,), gather, 9.0).tolist() == [5.0, 9.0, 5.0]
        assert reindexed(five, (2,), gather, 5.0).shape == reindexed(five, (2,), TURNED, 0.0).shape == ()
    assert reindexed(np.array([[1.0], [2.0]]), (2, 2), np.array([[0, 1], [2, 3]], np.int32), 0.0).shape == (2, 1)


def test_a_gather_of_a_gather_is_one_gather():
    inner = np.array([[4, -1], [2, 0]], np.int32)
    found = compose(np.array([0, 3, 1, -1], np.int32), inner)
    assert found.tolist() == [4, 0, -1, -1] and found.dtype == np.int32
    assert compose(TURNED, None) is TURNED
    assert is_identity(np.arange(4).reshape(2, 2), (2, 2))
    assert not is_identity(np.arange(4), (2, 2)) and not is_identity(TURNED, (2,))


def test_gathers_in_turn_of_copies_and_of_maps():
    """A copy takes them into its terms, a map keeps them behind it; -1 is zero, constants included."""
    first, second = np.array([2, -1, 0, 1], np.int32), np.array([1, 0, 3], np.int32)
    shifted = plus(copy("b"), np.array([1.0, 2.0, 3.0]))
    taken = reindex(reindex(shifted, first, (0,)), second, (0,))
    assert taken.is_copy and taken.outer is None and taken.nonnegative and taken.shape == (3,)
    np.testing.assert_array_equal(value(taken), [0, 33, 22])
    kept = reindex(reindex(mapped(), np.array([1, -1, 0], np.int32), (0,)), np.array([2, 1, 0], np.int32), (0,))
    assert kept.outer is not None and kept.shape == (3,) and kept.inner_shape == (2,)
    np.testing.assert_array_equal(value(kept), [2, 0, 6])
    assert reindex(shifted, np.arange(3, dtype=np.int32), (0,)) is shifted


def test_parts_that_a_slice_leaves_out_are_not_read():
    both = concatenated([copy("a"), copy("b")], 0, (5,))
    second = reindex(both, np.array([2, 4], np.int32), (0,))
    assert [t.stage for t in second.terms] == ["b"]
    np.testing.assert_array_equal(value(second), [10, 30])
    nothing = reindex(both, np.array([-1, -1], np.int32), (0,))
    assert len(nothing.terms) == 1
    np.testing.assert_array_equal(value(nothing), [0, 0])


def scaled(e, scale, shift):
    result = affine(e, np.asarray(scale, float), np.asarray(shift, float))
    assert result is not None
    return result


def test_the_sign_that_an_affine_map_leaves():
    assert scaled(copy("a"), 2, 2).nonnegative and scaled(copy("a"), 0, 0).nonnegative
    assert not scaled(copy("a"), -1, 2).nonnegative and not scaled(copy("a"), 2, -1).nonnegative
    assert not scaled(copy("a", nonnegative=False), 2, 2).nonnegative
    result = scaled(scaled(copy("a"), 2, [1, 0]), [3, -1], -1)
    np.testing.assert_array_equal(value(result), [8, -5])  # ((2 · 1 + 1) · 3 - 1, 2 · 2 · -1 - 1)
    assert plus(copy("a"), np.array([0.5, 0.0])).nonnegative


def test_one_number_is_not_rearranged():
    result = scaled(reindex(mapped(), TURNED, (0,)), 2, 1)
    assert result.terms[0].scale.shape == result.constant.shape == ()
    np.testing.assert_array_equal(value(result), [13, 5])  # (6, 2) · 2 + 1


def test_a_sum_shares_what_its_maps_share():
    """The axes of a copy are a guess; those of several maps are the longest ones."""
    guess = Expression((Term("a"),), ZERO, (2, 3, 3), (1, 2))
    dense = Expression((Term("a", None, Dense(np.eye(3))),), ZERO, (2, 3, 3), (1,))
    longer = Expression((Term("b", None, Dense(np.eye(3))),), ZERO, (2, 3, 3), (0, 2))
    assert total([guess, dense], (2, 3, 3)).shared == (1,)
    assert total([dense, longer], (2, 3, 3)).shared == (0, 2)
    assert total([guess, guess], (2, 3, 3)).shared == (1, 2)
    assert total([guess, dense], (2, 3, 3)).outer is None


def test_concatenation_along_each_axis():
    c, d = (Expression((Term(name),), np.array(k), VALUES[name].shape, (1,)) for name, k in (("c", 1.0), ("d", 0.5)))
    wide, deep = concatenated([c, d], -1, (2, 3)), concatenated([c, c], 0, (4, 2))
    assert wide.shared == deep.shared == (1,) and wide.constant.shape == (1, 3)
    apart = Expression((Term("c"),), ZERO, (2, 2), ())
    assert concatenated([apart, c], 0, (4, 2)).shared == () and concatenated([c, apart], 0, (4, 2)).shared == (1,)
    np.testing.assert_array_equal(value(wide), [[1, 2, 10.5], [3, 4, 11.5]])
    np.testing.assert_array_equal(value(deep), [[1, 2], [3, 4], [1, 2], [3, 4]])


def test_a_rearrangement_is_taken_back_and_nothing_else_is():
    turned = np.array([[3, 1], [0, 2]], np.int32)
    back = inverse_of(turned, (4,))
    assert back is not None and back.dtype == np.int32 and back.shape == (4,)
    assert turned.ravel()[back].tolist() == [0, 1, 2, 3]
    assert inverse_of(None, (2,)) is None
    for no_rearrangement in ([0, 0], [0, -1], [1, 2], [0], [0, 1, 2]):
        assert inverse_of(np.array(no_rearrangement, np.int32), (2,)) is None
