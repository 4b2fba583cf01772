"""The values that one neuron can send, as an ascending grid, and the error of given values on such a grid.

With levels ℓ(k) and the first negative word m, from which on negative spikes are allowed (two-sided codes), in units
of λ and relative to the value of no spike:

    grid = -ℓ(m) … -ℓ(T), 0, ℓ(T) … ℓ(1)        offset = ℓ(m), so that the lowest value is 0

Without negative spikes the grid is 0, ℓ(T) … ℓ(1) and the offset is 0. A value between two neighbouring thresholds is
sent as the entry of the grid that lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.threads import over_rows

Float = NDArray[np.float64]


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

    def errors(self, grid: CodeGrid, scales: Float) -> Float:
        """Mean square error of every channel with each of its λ, (C, F) for scales (C, F)."""
        out = np.empty(scales.shape)
        over_rows(
            _errors, len(scales), self.values, self.sums, self.squares, scales, grid.entries, grid.thresholds,
            grid.offset, out,
        )  # fmt: skip
        return out

    def errors_and_spikes(self, grid: CodeGrid, scales: Float) -> tuple[Float, Float]:
        """Mean square error and share of values that are spikes, of every channel with each of its λ: (C, F) each."""
        errors, spikes = np.empty(scales.shape), np.empty(scales.shape)
        over_rows(
            _errors_and_spikes, len(scales), self.values, self.sums, self.squares, scales, grid.entries,
            grid.thresholds, grid.offset, int(np.flatnonzero(grid.words == 0)[0]), errors, spikes,
        )  # fmt: skip
        return errors, spikes

    def segments(self, grid: CodeGrid, scales: Float) -> tuple[Float, Float]:
        """Number, and sum in units of λ relative to the value of no spike, of the values of each entry: (C, M) each."""
        return _segments(self.values, self.sums, scales, grid.thresholds, grid.offset)


@njit()
def _below(row, limit):  # type: ignore[no-untyped-def]
    """Number of entries of an ascending row below a limit: `np.searchsorted`, which takes numba longer to compile."""
    low, high = 0, row.shape[0]
    while low < high:
        middle = (low + high) // 2
        if row[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


@njit()
def _errors(first, stop, values, sums, squares, scales, entries, thresholds, offset, out):  # type: ignore[no-untyped-def]
    n = values.shape[1]
    for c in range(first, stop):
        for f in range(scales.shape[1]):
            scale = scales[c, f]
            error, last = squares[c], 0
            for m in range(entries.shape[0]):
                end = n
                if m < thresholds.shape[0]:
                    end = _below(values[c], (thresholds[m] + offset) * scale)
                value = (entries[m] + offset) * scale
                error += (end - last) * value * value - 2 * value * (sums[c, end] - sums[c, last])
                last = end
            out[c, f] = error / n


@njit()
def _errors_and_spikes(  # type: ignore[no-untyped-def]
    first, stop, values, sums, squares, scales, entries, thresholds, offset, silent, errors, spikes
):
    n = values.shape[1]
    for c in range(first, stop):
        for f in range(scales.shape[1]):
            scale = scales[c, f]
            error, last = squares[c], 0
            for m in range(entries.shape[0]):
                end = n
                if m < thresholds.shape[0]:
                    end = max(last, _below(values[c], (thresholds[m] + offset) * scale))
                value = (entries[m] + offset) * scale
                error += (end - last) * value * value - 2 * value * (sums[c, end] - sums[c, last])
                if m == silent:
                    spikes[c, f] = 1 - (end - last) / n
                last = end
            errors[c, f] = error / n


@njit()
def _segments(values, sums, scales, thresholds, offset):  # type: ignore[no-untyped-def]
    entries = thresholds.shape[0] + 1
    number, total = np.zeros((values.shape[0], entries)), np.zeros((values.shape[0], entries))
    n = values.shape[1]
    for c in range(values.shape[0]):
        last = 0
        for m in range(entries):
            end = n
            if m < entries - 1:
                end = _below(values[c], (thresholds[m] + offset) * scales[c])
            number[c, m] = end - last
            total[c, m] = (sums[c, end] - sums[c, last]) / scales[c] - offset * (end - last)
            last = end
    return number, total
