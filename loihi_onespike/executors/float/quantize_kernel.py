"""Kernels that turn pre-activations, in units of their thresholds, into levels or phases in one pass over memory.

Values have the shape (images, places, channels), parameters (places or 1, channels). The arguments cut, phase, level,
first, shift, low, high, cells and signed are those of `threshold_lookup.ThresholdLookup`. Compiled by numba;
`executors.threads.over_rows` runs them on ranges of images.
"""

from __future__ import annotations

import numpy as np

from loihi_onespike.executors.compiled import njit

# The decorated functions have no type hints: numba infers types when it compiles.


@njit(error_model="numpy", inline="always")
def _entry(y, cut, first, shift, low, high):  # type: ignore[no-untyped-def]
    """Number of the entry of a value in the look-up of an unsigned code."""
    pinned = min(max(y, low), high)
    cell = (np.uint64(np.uint32(np.float32(pinned).view(np.int32))) >> shift) - first
    return np.uint64(2) * cell + np.uint64(pinned >= cut[cell])


@njit(error_model="numpy", inline="always")
def _signed_entry(y, cut, first, shift, low, high, cells):  # type: ignore[no-untyped-def]
    pinned = min(max(abs(y), low), high)
    cell = (np.uint64(np.uint32(np.float32(pinned).view(np.int32))) >> shift) - first
    cell += cells * np.uint64(y < np.float32(0))
    return np.uint64(2) * cell + np.uint64(pinned >= cut[cell])


@njit(error_model="numpy")
def to_levels(first_image, end_image, y, bias, cut, level, first, shift, low, high, cells, signed):  # type: ignore[no-untyped-def]
    """y[n, p, c] = level of y[n, p, c] + bias[p, c], in place."""
    for n in range(first_image, end_image):
        for p in range(y.shape[1]):
            row, offset = y[n, p], bias[p if bias.shape[0] > 1 else 0]
            if signed:
                for c in range(row.size):
                    row[c] = level[_signed_entry(row[c] + offset[c], cut, first, shift, low, high, cells)]
            else:
                for c in range(row.size):
                    row[c] = level[_entry(row[c] + offset[c], cut, first, shift, low, high)]


UNDECIDED = np.int16(-(2**15))
"""Phase of a neuron whose interval contains a threshold, so that the bounds do not decide its phase."""


@njit(error_model="numpy")
def decide_by_bounds(  # type: ignore[no-untyped-def]
    first_image, end_image, z, rest, factor, bias, slack, limit, cut, phase, first, shift, low, high, cells, signed, out
):
    """Phases of y = (z + rest) · factor + bias where all of [y - slack, y + slack] has the same one, else UNDECIDED.

    Args:
        first_image, end_image: range of images to work on.
        z, rest: (images, places, channels) float32; rest may have no images.
        factor, bias, slack, limit: (places or 1, channels) float32; |y| beyond the limit is UNDECIDED.
        out: (images, places, channels) int16.
    """
    has_rest = rest.shape[0] > 0
    for n in range(first_image, end_image):
        row = np.empty(z.shape[2], np.float32)
        for p in range(z.shape[1]):
            q = p if bias.shape[0] > 1 else 0
            gain, offset, margin, most, given, sent = factor[q], bias[q], slack[q], limit[q], z[n, p], out[n, p]
            if has_rest:
                more = rest[n, p]
                for c in range(row.size):
                    row[c] = (given[c] + more[c]) * gain[c] + offset[c]
            else:
                for c in range(row.size):
                    row[c] = given[c] * gain[c] + offset[c]
            for c in range(row.size):
                y, d = row[c], margin[c]
                if signed:
                    below = phase[_signed_entry(y - d, cut, first, shift, low, high, cells)]
                    above = phase[_signed_entry(y + d, cut, first, shift, low, high, cells)]
                else:
                    below = phase[_entry(y - d, cut, first, shift, low, high)]
                    above = phase[_entry(y + d, cut, first, shift, low, high)]
                sent[c] = below if (below == above) & (abs(y) <= most[c]) else UNDECIDED


@njit(error_model="numpy")
def look_up(first_row, end_row, codes, table, out):  # type: ignore[no-untyped-def]
    """out[n, i] = table[codes[n, i]]; negative codes count from the table's end."""
    count = len(table)
    for n in range(first_row, end_row):
        row, target = codes[n], out[n]
        for i in range(row.size):
            k = np.int64(row[i])
            target[i] = table[np.uint64(k + (count if k < 0 else 0))]
