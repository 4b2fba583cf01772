"""The values that one neuron can send, as an ascending grid, and the error of given values on such a grid.

With levels ℓ(k) and the first negative word m, from which on negative spikes are allowed (two-sided codes), in units
of λ and relative to the value of no spike:

    grid = -ℓ(m) … -ℓ(T), 0, ℓ(T) … ℓ(1)        offset = ℓ(m), so that the lowest value is 0

Without negative spikes the grid is 0, ℓ(T) … ℓ(1) and the offset is 0. A value between two neighbouring thresholds is
sent as the entry of the grid that lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.threads import over_rows

Float = NDArray[np.float64]

CELLS_PER_VALUE = 8
"""Cells that the range of a channel is divided into, per value: most hold one value at most."""


@dataclass(frozen=True, eq=False)
class CodeGrid:
    """Values that a neuron can send and the thresholds between them, in units of λ relative to the value of no spike.

    Attributes:
        entries: (M,) values, ascending.
        thresholds: (M - 1,) thresholds between neighbouring entries, ascending.
        words: (M,) code word of each entry, negative for negative spikes, 0 for no spike.
        offset: value of no spike in units of λ.
    """

    entries: Float
    thresholds: Float
    words: NDArray[np.int64]
    offset: float

    @classmethod
    def of(
        cls, levels: Float, thresholds: Float, first_negative_word: int | None = None, symmetric: bool = False
    ) -> CodeGrid:
        """Grid of given levels and thresholds.

        Args:
            levels, thresholds: (L,) levels and thresholds of the code in units of λ.
            first_negative_word: first word of negative spikes in a two-sided code; None without one.
            symmetric: negative spikes are allowed for every word, and no spike is the value 0.
        """
        up, up_at = levels[::-1], thresholds[::-1]
        first = 1 if symmetric else first_negative_word
        if first is None:
            down, down_at = np.zeros(0), np.zeros(0)
        else:
            down, down_at = -levels[first - 1 :], -thresholds[first - 1 :]
        count = len(levels)
        negative = [-(count - len(down) + i + 1) for i in range(len(down))]
        return cls(
            np.concatenate([down, [0.0], up]),
            np.concatenate([down_at, up_at]),
            np.array([*negative, 0, *range(count, 0, -1)]),
            float(levels[first_negative_word - 1]) if first_negative_word is not None else 0.0,
        )

    @classmethod
    def of_code(
        cls, code: SingleSpikeCode, first_negative_word: int | None = None, symmetric: bool = False
    ) -> CodeGrid:
        """Grid of the levels and thresholds of a code.

        Args:
            code: the code.
            first_negative_word, symmetric: as for `of`.
        """
        return cls.of(code.levels(), code.thresholds(), first_negative_word, symmetric)


class SortedValues:
    """Values of every channel in ascending order, with cumulative sums for sums over any interval of them.

    Args:
        values: (C, n) values, in any order.

    Attributes:
        values: (C, n) the values in ascending order.
        sums: (C, n + 1) sums of the first values.
        squares: (C,) sum of all squares.
    """

    def __init__(self, values: Float) -> None:
        # One order in memory, so that the kernels are compiled once, and rows are contiguous for their searches.
        self.values = np.sort(np.ascontiguousarray(values, np.float64), axis=1)
        zero = np.zeros((len(values), 1))
        self.sums = np.concatenate([zero, np.cumsum(self.values, axis=1)], axis=1)
        self.squares = np.sum(self.values**2, axis=1)

    def of_channels(self, chosen: NDArray[np.int64]) -> SortedValues:
        """The values of the channels with these numbers."""
        return SortedValues(self.values[chosen])

    @property
    def count(self) -> int:
        """Number of values per channel."""
        return int(self.values.shape[1])

    @cached_property
    def _cells(self) -> tuple[NDArray[np.int32], Float]:
        """First value of each cell of every channel, (C, cells + 1), and cells per unit, (C,).

        The cells divide the range of the values of a channel evenly, so that a search among them is short.
        """
        count = CELLS_PER_VALUE * self.count
        with np.errstate(divide="ignore", over="ignore"):
            per_unit = count / np.ptp(self.values, axis=1)
        # All values of a channel without any range are in its first cell.
        per_unit = np.where(np.isfinite(per_unit), per_unit, 0.0)
        starts = np.zeros((len(self.values), count + 1), np.int32)
        over_rows(_count_cells, len(starts), self.values, per_unit, starts)
        return starts, per_unit

    def errors(self, grid: CodeGrid, scales: Float) -> Float:
        """Mean square error of every channel with each of its λ, (C, F) for scales (C, F)."""
        errors, _ = self.errors_and_spikes([grid], scales)
        return errors[0]

    def errors_and_spikes(self, grids: Sequence[CodeGrid], scales: Float) -> tuple[Float, Float]:
        """Mean square error and share of values that are spikes: (G, C, F) each.

        Args:
            grids: G grids.
            scales: (C, F) every λ that is tried for each channel.
        """
        errors, spikes = (np.empty((len(grids), *scales.shape)) for _ in range(2))
        over_rows(
            _errors_and_spikes, len(scales), self.values, self.sums, self.squares, *self._cells, scales,
            np.concatenate([grid.entries for grid in grids]),
            np.concatenate([np.append(grid.thresholds, np.inf) for grid in grids]),
            np.cumsum([0, *(len(grid.entries) for grid in grids)]),
            np.array([grid.offset for grid in grids]),
            np.array([np.flatnonzero(grid.words == 0)[0] for grid in grids]), errors, spikes,
        )  # fmt: skip
        return errors, spikes

    def segments(self, grid: CodeGrid, scales: Float) -> tuple[Float, Float]:
        """Number, and sum in units of λ relative to the value of no spike, of the values of each entry: (C, M) each."""
        return _segments(self.values, self.sums, *self._cells, scales, grid.thresholds, grid.offset)


@njit()
def _cell(value, lowest, per_unit, cells):  # type: ignore[no-untyped-def]
    """Number of the cell of a value. Rounding keeps the order of values, so larger ones are never in earlier cells."""
    place = (value - lowest) * per_unit
    if place < cells - 1:
        return int(place) if place > 0 else 0
    return cells - 1


@njit()
def _count_cells(first, stop, values, per_unit, starts):  # type: ignore[no-untyped-def]
    """starts[c, i] = number of values of channel c in the cells before i."""
    cells = starts.shape[1] - 1
    for c in range(first, stop):
        for i in range(values.shape[1]):
            starts[c, _cell(values[c, i], values[c, 0], per_unit[c], cells) + 1] += 1
        for i in range(cells):
            starts[c, i + 1] += starts[c, i]


@njit()
def _below(row, starts, per_unit, limit):  # type: ignore[no-untyped-def]
    """Number of entries of an ascending row below a limit, which lies among those of its own cell."""
    cell = _cell(limit, row[0], per_unit, starts.shape[0] - 1)
    low, high = np.int64(starts[cell]), np.int64(starts[cell + 1])
    while low < high:
        middle = (low + high) // 2
        if row[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


@njit()
def _errors_and_spikes(  # type: ignore[no-untyped-def]
    first, stop, values, sums, squares, starts, per_unit, scales, entries, thresholds, begins, offsets, silent, errors,
    spikes,
):  # fmt: skip
    """Entries and thresholds of grid g are those from begins[g] to begins[g + 1]; its last threshold is infinite."""
    n = values.shape[1]
    for c in range(first, stop):
        row, total, cells = values[c], sums[c], starts[c]
        for g in range(offsets.shape[0]):
            offset, silence = offsets[g], begins[g] + silent[g]
            for f in range(scales.shape[1]):
                scale = scales[c, f]
                error, last, before = squares[c], 0, total[0]
                for m in range(begins[g], begins[g + 1]):
                    end = n
                    if m + 1 < begins[g + 1]:
                        end = max(last, _below(row, cells, per_unit[c], (thresholds[m] + offset) * scale))
                    if m == silence:
                        spikes[g, c, f] = 1 - (end - last) / n
                    if end > last:
                        value = (entries[m] + offset) * scale
                        error += (end - last) * value * value - 2 * value * (total[end] - before)
                        last, before = end, total[end]
                errors[g, c, f] = error / n


@njit()
def _segments(values, sums, starts, per_unit, scales, thresholds, offset):  # type: ignore[no-untyped-def]
    entries = thresholds.shape[0] + 1
    number, total = np.zeros((values.shape[0], entries)), np.zeros((values.shape[0], entries))
    n = values.shape[1]
    for c in range(values.shape[0]):
        last = 0
        for m in range(entries):
            end = n
            if m < entries - 1:
                end = _below(values[c], starts[c], per_unit[c], (thresholds[m] + offset) * scales[c])
            number[c, m] = end - last
            total[c, m] = (sums[c, end] - sums[c, last]) / scales[c] - offset * (end - last)
            last = end
    return number, total
