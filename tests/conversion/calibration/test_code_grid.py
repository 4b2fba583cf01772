"""Grids of values that a neuron can send, and the errors of channels on them, against the plainest arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.calibration.code_grid import CodeGrid, SortedValues

LEVELS, THRESHOLDS = np.array([0.8, 0.4, 0.2]), np.array([0.6, 0.3, 0.1])


def test_an_unsigned_grid() -> None:
    grid = CodeGrid.of(LEVELS, THRESHOLDS)
    assert grid.entries.tolist() == [0.0, 0.2, 0.4, 0.8]
    assert grid.thresholds.tolist() == [0.1, 0.3, 0.6]
    assert grid.words.tolist() == [0, 3, 2, 1]
    assert grid.offset == 0


def test_a_two_sided_grid_has_its_lowest_value_at_zero() -> None:
    grid = CodeGrid.of(LEVELS, THRESHOLDS, first_negative_word=2)
    assert grid.entries.tolist() == [-0.4, -0.2, 0.0, 0.2, 0.4, 0.8]
    assert grid.thresholds.tolist() == [-0.3, -0.1, 0.1, 0.3, 0.6]
    assert grid.words.tolist() == [-2, -3, 0, 3, 2, 1]
    assert grid.entries[0] + grid.offset == 0


def test_a_symmetric_grid() -> None:
    grid = CodeGrid.of(LEVELS, THRESHOLDS, symmetric=True)
    assert grid.words.tolist() == [-1, -2, -3, 0, 3, 2, 1]
    assert grid.offset == 0


@pytest.mark.parametrize("first_negative_word", [None, 1, 3])
def test_errors_and_segments_equal_a_loop_over_all_values(first_negative_word: int | None) -> None:
    rng = np.random.default_rng(3)
    values, scales = rng.exponential(size=(2, 200)), np.array([[0.7, 1.9], [1.3, 2.4]])
    grid, ordered = CodeGrid.of(LEVELS, THRESHOLDS, first_negative_word), SortedValues(values)
    for f in range(2):
        number, total = ordered.segments(grid, scales[:, f])
        for c in range(2):
            relative = values[c] / scales[c, f] - grid.offset
            sent = np.array([int(np.sum(grid.thresholds <= x)) for x in relative])
            carried = (grid.entries[sent] + grid.offset) * scales[c, f]
            assert np.isclose(ordered.errors(grid, scales)[c, f], np.mean((values[c] - carried) ** 2))
            for m in range(len(grid.entries)):
                assert number[c, m] == np.sum(sent == m)
                assert np.isclose(total[c, m], relative[sent == m].sum())


def test_grids_are_measured_together_as_one_by_one() -> None:
    values = SortedValues(np.random.default_rng(4).exponential(size=(3, 150)))
    scales = np.array([[0.7, 1.9], [1.3, 2.4], [0.2, 9.0]])
    grids = [CodeGrid.of(LEVELS, THRESHOLDS, first) for first in (None, 1, 3)]
    errors, spikes = values.errors_and_spikes(grids, scales)
    assert errors.shape == spikes.shape == (3, 3, 2)
    for g, grid in enumerate(grids):
        alone = values.errors_and_spikes([grid], scales)
        assert np.array_equal(errors[g], alone[0][0]) and np.array_equal(spikes[g], alone[1][0])
        assert np.array_equal(errors[g], values.errors(grid, scales))


@pytest.mark.parametrize("power", [1, 3])
def test_values_below_thresholds_are_counted_exactly(power: int) -> None:
    """Thresholds on values, beside them and beyond all of them; values that are equal, and channels without a range."""
    values = np.random.default_rng(5).standard_normal((5, 300)) ** power
    values[0] = np.maximum(values[0], 0)
    values[1], values[2], values[3, :] = 0.0, 5e-324 * (np.arange(300) % 3), 7.25
    ordered = SortedValues(values)
    beside = [np.nextafter(values, far) for far in (-np.inf, np.inf)]
    limits = np.unique(np.concatenate([[-1e9, 1e9], *beside, values], axis=None))
    for at in np.array_split(limits, 20):
        number, _ = ordered.segments(CodeGrid(np.zeros(len(at) + 1), at, np.arange(len(at) + 1), 0.0), np.ones(5))
        below = [np.searchsorted(row, at) for row in ordered.values]
        assert np.array_equal(np.cumsum(number, axis=1)[:, :-1], below)
