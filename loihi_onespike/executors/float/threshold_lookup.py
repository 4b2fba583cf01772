"""A table of thresholds divided into cells of the float32 numbers, so that one look-up gives the code word of a value.

    word(y) = first w with y ≥ table[w-1], or -w with far[w-1] ≥ -y ≥ negative[w-1]; 0 for none

The upper bits of a float32 (exponent and a few bits of the mantissa) are the number of its cell. Cells grow with the
magnitude, as the distances between thresholds do, and are made so small that none contains two thresholds of one sign.
The word of a value then follows from its cell and one comparison with the threshold in it, for any number of words.
Without payload a word is a phase.

Without far thresholds a word belongs to one interval of values. With them a negative word belongs to two, one on each
side of the minimum of the activation. The look-up numbers the intervals beyond the minimum apart from the words, so
that equal numbers at both ends of an interval say that it contains no threshold; `words` turns numbers into words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE

MAX_CELLS = 2**15
"""Largest number of cells of each sign; thresholds that need more are found by bisection (`quantizer.first_word`)."""


@dataclass(frozen=True, eq=False)
class ThresholdLookup:
    """Cells of positive values, followed by those of negative values where negative spikes exist.

    |y| is limited to [low, high]. Its cell is i = (bits(|y|) >> shift) - first, plus `cells` for a negative y of a
    signed code, and its word and level are entry 2 i + (|y| ≥ cut[i]) of their arrays.

    Attributes:
        cut: (cells or 2 cells,) float32 threshold in the cell, infinite where there is none.
        word: (2 · len(cut),) int16 words, negative in the cells of negative values; beyond the minimum of a dip, where
            words come again, -(L + w) for word -w and -(2 L + 1) for silence.
        level: (2 · len(cut),) float32 levels of these words.
        first, shift: number of the first cell, and bits of a float32 below the cell's number.
        low, high: float32 ends of the range that the cells cover.
        cells: number of cells of one sign.
        signed: there are negative spikes; without them values below `low` are silent.
    """

    cut: NDArray[np.float32]
    word: NDArray[np.int16]
    level: NDArray[np.float32]
    first: int
    shift: int
    low: np.float32
    high: np.float32
    cells: int
    signed: bool

    @classmethod
    def of(
        cls,
        table: NDArray[np.float64],
        negative: NDArray[np.float64] | None,
        levels: NDArray[np.float64],
        far: NDArray[np.float64] | None = None,
    ) -> ThresholdLookup | None:
        """The look-up of some thresholds; None where it does not apply.

        It does not apply if a threshold is zero or less (activations such as the sigmoid), or if thresholds are so
        close together that they need more than MAX_CELLS cells.

        Args:
            table: (L,) thresholds, infinite for a word that is never sent.
            negative: (L,) thresholds of the negative side, None for an unsigned population.
            levels: (L,) levels of the words.
            far: (L,) far thresholds of the negative side, None where it has no end.
        """
        sides = [_first_reached(table)]
        if negative is not None:
            sides.append(_first_reached(negative) if far is None else _first_between(negative, far))
        cuts = np.concatenate([c for c, _ in sides])
        if not len(cuts) or cuts.min() < np.finfo(np.float32).tiny:
            return None
        for shift in range(23, -1, -1):
            # One cell below the lowest threshold, so that values pinned to its start do not reach that threshold.
            first, last = (int(_bits(cuts.min())) >> shift) - 1, int(_bits(cuts.max())) >> shift
            if last - first >= MAX_CELLS:
                return None
            if all(len(np.unique(_bits(c) >> shift)) == len(c) for c, _ in sides):
                break
        else:
            return None
        parts = [_cells(c, k, first, last, shift) for c, k in sides]
        cut = np.concatenate([part[0] for part in parts])
        word = np.concatenate([part[1] * sign for part, sign in zip(parts, (1, -1), strict=False)])
        if np.abs(word).max(initial=0) >= -np.iinfo(WORD_DTYPE).min:
            return None
        with_zero = np.concatenate([[0.0], levels])
        true = words_of_intervals(word, len(levels))
        level = (np.sign(true) * with_zero[np.abs(true)]).astype(np.float32)
        ends = np.array([first << shift, ((last + 1) << shift) - 1], np.int32).view(np.float32)
        return cls(
            cut, word.astype(WORD_DTYPE), level, first, shift, ends[0], ends[1], last - first + 1, len(sides) > 1
        )


def words_of_intervals(numbers: NDArray[np.integer], words: int) -> NDArray[np.int64]:
    """Words of a look-up's numbers of intervals, which differ beyond the minimum of a dip (see the module).

    Args:
        numbers: words, and numbers below -`words`.
        words: L, the number of words.
    """
    found = np.asarray(numbers, np.int64)
    beyond = np.where(found == -(2 * words + 1), 0, found + words)
    return np.where(found < -words, beyond, found)


def _bits(values: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.asarray(values, np.float32).view(np.int32).astype(np.int64)


def _first_reached(table: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Thresholds below all earlier ones, in ascending order, and the word of each; others are never reached first."""
    lowest = np.minimum.accumulate(np.asarray(table, np.float64)).astype(np.float32)
    cuts, words = np.unique(lowest, return_index=True)
    finite = np.isfinite(cuts)
    return cuts[finite], words[finite] + 1


def _first_between(
    negative: NDArray[np.float64], far: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Ascending values |y| at which the number of the interval changes, and the number from there on.

    Word w holds for far[w-1] ≥ |y| ≥ negative[w-1] where no earlier word does. Far thresholds do not fall from word to
    word, so beyond the minimum the words follow each other upwards, and each ends behind its far threshold.
    """
    cuts, words = _first_reached(negative)
    if not len(cuts):
        return cuts, words
    ends, first = np.asarray(far, np.float64).astype(np.float32), int(words.min())
    near = negative[first - 1 :]
    if np.any(np.diff(ends) < 0) or np.float32(near[np.isfinite(near)].max()) > ends[first - 1]:
        return np.zeros(1, np.float32), np.zeros(1, np.int64)  # not in this order: a threshold of 0, for which no cells
    # Behind far[w-1] follows the first later word with a farther end, or silence behind the last word.
    count = len(ends)
    later, after = [], []
    for w in range(first, count + 1):
        if np.isfinite(ends[w - 1]) and (w == count or ends[w] > ends[w - 1]):
            later.append(np.nextafter(ends[w - 1], np.float32(np.inf)))
            after.append(count + w + 1)
    return np.concatenate([cuts, np.array(later, np.float32)]), np.concatenate([words, np.array(after, np.int64)])


def _cells(
    cuts: NDArray[np.float32], words: NDArray[np.int64], first: int, last: int, shift: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Threshold of each cell and the words below and above it, side by side."""
    cells = np.arange(first, last + 1)
    own = _bits(cuts) >> shift
    cut = np.full(len(cells), np.inf, np.float32)
    cut[own - first] = cuts
    reached = np.concatenate([[0], words])
    below, above = (reached[np.searchsorted(own, cells, side=side)] for side in ("left", "right"))
    return cut, np.stack([below, above], axis=1).ravel()
