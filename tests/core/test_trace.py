"""Comparison of traces and joining of batches."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.trace import LayerTrace, Trace, differing_spikes, first_difference


def trace(phases: list[list[int]], v: list[list[int]]) -> Trace:
    layer = LayerTrace(np.array(phases, np.int16), np.array(v, np.int64))
    return Trace({"a": layer}, np.zeros((len(phases), 1)))


def test_equal_traces_have_no_difference() -> None:
    left = trace([[1, 0]], [[5, 6]])
    assert first_difference(left, trace([[1, 0]], [[5, 6]])) is None
    assert differing_spikes(left, left) == 0


def test_spikes_are_compared_before_potentials() -> None:
    found = first_difference(trace([[1, 0], [2, 3]], [[5, 6], [7, 8]]), trace([[1, 0], [2, -3]], [[0, 0], [7, 8]]))
    assert found is not None
    assert (found.layer, found.quantity, found.count, found.index) == ("a", "words", 1, (1, 1))
    assert (found.left, found.right) == (3, -3)
    assert differing_spikes(trace([[1, 0]], [[0, 0]]), trace([[2, 1]], [[0, 0]])) == 2


def test_difference_of_potentials_alone() -> None:
    found = first_difference(trace([[1, 0]], [[5, 6]]), trace([[1, 0]], [[5, 7]]))
    assert found is not None and (found.quantity, found.index, found.left, found.right) == ("v", (0, 1), 6, 7)


def test_joined_batches_keep_order_and_largest_potentials() -> None:
    parts = [LayerTrace(np.array([[1]]), np.array([[2]]), 10, 3), LayerTrace(np.array([[0]]), np.array([[4]]), 7, 9)]
    joined = LayerTrace.joined(parts)
    assert joined.words is not None and joined.v is not None
    assert (joined.words.tolist(), joined.v.tolist(), joined.peak, joined.input_peak) == (
        [[1], [0]],
        [[2], [4]],
        10,
        9,
    )


def test_compact_words_take_a_byte_where_they_fit() -> None:
    small, large = (LayerTrace(np.array([[n]], np.int16), None).compact().words for n in (127, 128))
    assert small is not None and large is not None
    assert (small.dtype.itemsize, large.dtype.itemsize) == (1, 2)
