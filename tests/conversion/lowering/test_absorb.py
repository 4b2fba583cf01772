"""What a linear map takes up, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.lowering.absorb import absorb, fold_dense, map_constant
from loihi_onespike.conversion.lowering.expression import Expression, Term
from loihi_onespike.core.maps import Conv, Dense, Pool, Window

DENSE = Dense(np.array([[1.0, 2.0], [3.0, 4.0]]))
PAIRS = Window((2,), (2,), ((0, 0),), (1,))
PLACE = Window.plain((1,))


def test_a_scale_per_input_goes_into_the_weights() -> None:
    term = absorb(DENSE, Term("a", scale=np.array([10.0, 100.0])), (2,))
    assert term is not None and isinstance(term.op, Dense)
    assert term.op.weight.tolist() == [[10.0, 200.0], [30.0, 400.0]]
    assert (term.scale.tolist(), term.macs, term.index) == (1.0, 4, None)


def test_a_scale_per_channel_passes_through_a_pooling() -> None:
    op = Pool(PAIRS, np.ones(()))
    term = absorb(op, Term("a", scale=np.array([[10.0], [100.0]])), (2, 4))
    assert term is not None and term.op is op
    assert term.scale.tolist() == [[10.0], [100.0]]


def test_a_scale_that_differs_between_places_of_one_weight_is_not_taken() -> None:
    conv = Conv(np.ones((1, 1, 2)), PAIRS)
    assert absorb(conv, Term("a", scale=np.array([[1.0, 2.0, 3.0, 4.0]])), (1, 4)) is None


def test_inputs_that_nothing_fills_are_left_out() -> None:
    """Only the second input is read: one column, two multiplications, half of the layer's eight."""
    term = absorb(DENSE, Term("a", index=np.array([-1, 5], np.int32)), (2,), layer_macs=8)
    assert term is not None and isinstance(term.op, Dense) and term.index is not None
    assert term.op.weight.tolist() == [[2.0], [4.0]]
    assert (term.index.tolist(), term.macs) == ([5], 4)


def test_a_constant_is_zero_where_the_map_pads() -> None:
    """y[i] = x[i - 1] + 10 x[i] of ones, with nothing in front of the first place."""
    padded = Conv(np.array([[[1.0, 10.0]]]), Window((2,), (1,), ((1, 0),), (1,)))
    assert map_constant(padded, np.ones(()), (1, 3)).tolist() == [[10.0, 11.0, 11.0]]
    assert map_constant(DENSE, np.array([1.0, 1.0]), (2,)).tolist() == [3.0, 7.0]


def test_two_dense_maps_are_one() -> None:
    """W (A a + c) = (W A) a + W c with W = DENSE."""
    inner = Dense(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    e = Expression((Term("a", None, inner, macs=6),), np.array([5.0, 1.0]), (2,), (0,))
    folded = fold_dense(DENSE, e, {"a": (3,)})
    assert folded is not None
    (term,) = folded.terms
    assert term.op is not None and term.op.weight.tolist() == [[1.0, 2.0, 1.0], [3.0, 4.0, 3.0]]
    assert folded.constant.tolist() == [7.0, 19.0]
    assert (folded.shape, term.macs) == ((2,), 4 + 6)


def test_a_gather_between_two_maps_is_taken_too() -> None:
    """The value is turned round in front of W, so that its columns are."""
    e = Expression((Term("a", None, Dense(np.eye(2))),), np.zeros(()), (2,), (0,), np.array([1, 0], np.int32))
    folded = fold_dense(DENSE, e, {"a": (2,)})
    assert folded is not None and folded.terms[0].op is not None
    assert folded.terms[0].op.weight.tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_weights_grow_by_the_limit_at_most() -> None:
    def folds(size: int) -> bool:
        e = Expression((Term("a", None, Dense(np.ones((1, size)))),), np.zeros(()), (1,), (0,))
        return fold_dense(Dense(np.ones((1, 1))), e, {"a": (size,)}) is not None

    assert folds(64) and not folds(65)


def test_a_scale_per_channel_goes_into_a_kernel() -> None:
    conv = Conv(np.array([[[1.0], [2.0]]]), PLACE)
    term = absorb(conv, Term("a", scale=np.array([[10.0], [100.0]])), (2, 4))
    assert term is not None and isinstance(term.op, Conv)
    assert term.op.weight.ravel().tolist() == [10.0, 200.0]
    assert (term.scale.item(), term.macs) == (1.0, 2 * 4)


def test_a_scale_that_differs_between_places_is_not_taken_in_one_channel_alone_either() -> None:
    """The first channel has one scale at all places, the second one does not."""
    conv, scale = Conv(np.ones((1, 2, 1)), PLACE), np.array([[1.0, 1.0], [2.0, 3.0]])
    assert absorb(conv, Term("a", scale=scale), (2, 2)) is None
    assert absorb(Pool(PAIRS, np.ones(())), Term("a", scale=scale), (2, 2)) is None
    last_bit = np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]])  # a scale behind a map has its shape, or one number
    assert absorb(Pool(PAIRS, np.ones(())), Term("a", scale=last_bit), (2, 2)) is None


def test_a_channel_is_left_out_where_no_place_of_it_is_filled() -> None:
    conv = Conv(np.array([[[1.0], [2.0], [3.0]]]), PLACE)
    term = absorb(conv, Term("a", index=np.array([[0, -1], [-1, -1], [-1, 5]], np.int32)), (3, 2))
    assert term is not None and isinstance(term.op, Conv) and term.index is not None
    assert term.op.weight.ravel().tolist() == [1.0, 3.0]
    assert (term.index.tolist(), term.macs) == ([[0, -1], [-1, 5]], 4)
    nothing = absorb(conv, Term("a", index=np.full((3, 2), -1, np.int32)), (3, 2), layer_macs=6)
    assert nothing is not None and isinstance(nothing.op, Conv)
    assert (nothing.op.weight.shape, nothing.macs) == ((1, 3, 1), 6)


def test_a_map_that_is_not_counted_stays_so() -> None:
    term = absorb(Pool(PAIRS, np.ones(())), Term("a"), (2, 4), layer_macs=8)
    assert term is not None and term.macs == 0


def test_several_terms_and_a_gather_that_repeats_and_drops() -> None:
    """W g(2 a + B b + c), where g puts the second value in both places; b then adds its own row twice."""
    terms = (
        Term("a", scale=np.array([2.0, 3.0])),
        Term("b", np.array([1, -1], np.int32), Dense(np.array([[1.0, 5.0], [7.0, 9.0]])), np.array(10.0), 2),
    )
    wide = Dense(np.array([[1.0, 2.0, 100.0], [3.0, 4.0, 100.0]]))
    e = Expression(terms, np.array([0.0, 1.0]), (2,), (0,), np.array([1, 1, -1], np.int32))
    folded = fold_dense(wide, e, {"a": (2,), "b": (2,)})
    assert folded is not None and folded.shape == (2,) and folded.shared == (0,) and folded.outer is None
    first, second = folded.terms
    assert isinstance(first.op, Dense) and isinstance(second.op, Dense)
    assert (first.stage, first.op.weight.tolist()) == ("a", [[0.0, 9.0], [0.0, 21.0]])
    assert (second.stage, second.op.weight.tolist()) == (
        "b",
        [[0.0, 210.0], [0.0, 490.0]],
    )  # 7 of the second place of b
    assert folded.constant.tolist() == [3.0, 7.0]
    assert [t.index.tolist() for t in folded.terms if t.index is not None] == [[0, 1], [0, 1]]
    assert [(t.macs, t.scale.item()) for t in folded.terms] == [(6 // 2, 1.0), (6 // 2 + 2, 1.0)]


def test_a_dense_map_of_places_is_not_folded() -> None:
    e = Expression((Term("a", None, Dense(np.eye(2))),), np.zeros(()), (3, 2), (0,))
    assert fold_dense(DENSE, e, {"a": (3, 2)}) is None


@pytest.mark.parametrize(("size", "folds"), [(4096, True), (4097, False)])
def test_no_map_becomes_larger_than_four_million_weights(size: int, folds: bool) -> None:
    """Weights of 1,024 outputs, which grow by a factor of 32."""
    e = Expression((Term("a", None, Dense(np.eye(128, size))),), np.zeros(()), (128,), (0,))
    assert (fold_dense(Dense(np.ones((1024, 128))), e, {"a": (size,)}) is not None) == folds
