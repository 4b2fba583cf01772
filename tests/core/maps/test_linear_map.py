"""What all maps inherit, and the helpers with which they are written."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.maps import Conv, Dense, LinearMap, Sparse, Window
from loihi_onespike.core.maps.linear_map import RowSums, along, assemble, one_along, rest, sums_of_rows, unless

nan = float("nan")


def test_rows_are_summed_by_sign() -> None:
    positive, negative = sums_of_rows(np.array([[1, -2, 3], [-4, 0, -1]], np.int16), (2, 1))
    assert positive.tolist() == [[4.0], [0.0]] and negative.tolist() == [[2.0], [5.0]]
    assert RowSums(positive, negative).magnitude.tolist() == [[6.0], [5.0]]


def test_the_worst_case_is_the_largest_row() -> None:
    assert Dense(np.array([[1, -2, 3], [-4, 0, -1], [0, 0, 0]], np.int16)).row_magnitude == 6.0


def test_a_matrix_from_entries_adds_up_equal_places() -> None:
    rows, columns = [np.array([0, 1]), np.array([1])], [np.array([2, 0]), np.array([0])]
    matrix = assemble([np.array([5, 7]), np.array([10])], rows, columns, (2, 3))
    assert matrix.toarray().tolist() == [[0, 0, 5], [17, 0, 0]]


def test_one_value_along_axes() -> None:
    found = one_along(np.array([[1.0, nan, 1.0], [nan, 3.0, 3.0]]), (1,))
    assert found is not None and found.tolist() == [[1.0], [3.0]]
    assert one_along(np.array([[1.0, 2.0]]), (1,)) is None


def test_factors() -> None:
    column, one = np.array([[2.0], [3.0]]), np.ones((1, 1))
    assert along(column, 1) is None
    found = along(column, 0)
    assert found is not None and found.tolist() == [2.0, 3.0]
    assert rest(one) is None and rest(column) is column
    assert unless(found, column) is None and unless(None, column) is column and unless(None, one) is None


def test_scale_of_the_inputs_that_share_weights() -> None:
    """A convolution shares its weights over space: one λ per channel, 1 for a channel that nothing reads."""
    conv = Conv(np.ones((1, 3, 1)), Window.plain((1,)))
    found = conv.input_scale(np.array([[2.0, nan], [5.0, 5.0], [nan, nan]]))
    assert found is not None and found.tolist() == [2.0, 5.0, 1.0]
    assert conv.input_scale(np.array([[2.0, 3.0], [5.0, 5.0], [1.0, 1.0]])) is None


def test_axes_of_one_scale() -> None:
    dense, conv = Dense(np.ones((1, 1))), Conv(np.ones((1, 1, 1)), Window.plain((1,)))
    assert (dense.scale_axes(1), dense.scale_axes(3), conv.scale_axes(3)) == ((0,), (0, 1), (1, 2))


def test_weights_are_replaced_and_all_else_stays() -> None:
    conv = Conv(np.ones((4, 1, 2)), Window((2,), (3,), ((0, 1),), (1,)), groups=2)
    other = conv.with_weight_values(np.full((4, 1, 2), 6.0))
    assert other.weight.tolist() == [[[6.0, 6.0]]] * 4
    assert (other.window, other.groups) == (conv.window, 2)


def test_a_map_is_applied_by_its_matrix_unless_it_knows_better() -> None:
    conv = Conv(np.array([[[1.0, 10.0]]]), Window.plain((2,)))
    assert conv.apply(np.array([[1.0, 2.0, 3.0]])).tolist() == [[21.0, 32.0]]


def test_all_that_only_the_definition_tells_is_required() -> None:
    class Unfinished(LinearMap):
        fan_in = 1

    with pytest.raises(TypeError, match="abstract method"):
        Unfinished()  # type: ignore[abstract]


def test_what_a_map_is_not() -> None:
    sparse = Sparse(np.ones((1, 1)))
    assert (sparse.column_axis, sparse.uniform_fan_out, sparse.elementwise, sparse.single_weight) == (
        None, None, False, False,
    )  # fmt: skip
    assert sparse.with_row_weights(3) is sparse
