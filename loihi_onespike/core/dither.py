"""Rounding up or down by the place of a value, so that many small values keep their sum.

Let l ≤ x ≤ h be the neighbours of x among the values of a code. With a number u(p) in [0, 1) that belongs to the place
p of x in its sample,

    x is sent as h where u(p) · (h - l) < x - l, and as l elsewhere

in codes of digits, and in codes of uneven levels where x is below the smallest of them. Above it these are close to
each other in comparison with themselves, and x is sent as the nearest one.

Over places, u is evenly distributed, so the mean of what is sent is x (stochastic rounding with a fixed draw; a dither
of one step, Gray and Stockham 1993). Values far below the smallest level are silent at most places, and where they are
not they stand for the others too. Rounding to the nearest value would silence them all, an error of one sign, which
sums of many values add up.

u(p) = ⌊z_p / 2^11⌋ / 2^53, where z_p is number p of the generator SplitMix64 from seed 0 (Steele, Lea and Flood 2014):
integers of 64 bits alone, so every machine sends the same words. docs/arithmetic.md, The code, states them.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import Code
from loihi_onespike.core.gnn.sparse_sample import SparseSample

Float = NDArray[np.float64]

INCREMENT = np.uint64(0x9E3779B97F4A7C15)
MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
LAST_SHIFT = np.uint64(31)
KEPT_BITS = 53
"""Highest bits of z_p that are used, which float64 holds exactly."""


def at_places(places: NDArray[np.integer]) -> Float:
    """u(p) of each place p ≥ 0 (any shape)."""
    z = (np.asarray(places).astype(np.uint64) + np.uint64(1)) * INCREMENT
    for shift, factor in MIX:
        z = (z ^ (z >> shift)) * factor
    z ^= z >> LAST_SHIFT
    return (z >> np.uint64(64 - KEPT_BITS)) / 2.0**KEPT_BITS


def of_sample(x: NDArray[np.floating] | SparseSample) -> Float:
    """u at the places of a sample, counted row by row: (*shape) of inputs (N, *shape), (nonzeros,) of a sparse sample.

    A value has the same place whether the sample is sparse or dense.
    """
    if not isinstance(x, SparseSample):
        return at_places(np.arange(prod(x.shape[1:]))).reshape(x.shape[1:])
    rows = np.repeat(np.arange(x.matrix.shape[0], dtype=np.int64), np.diff(x.matrix.indptr))
    return at_places(rows * x.matrix.shape[1] + x.matrix.indices)


def encode_dithered(code: Code, x: NDArray[np.floating], u: Float) -> NDArray[np.integer]:
    """Code words of x (relative to λ, any shape), rounded up or down by u, and saturated to 0 … the largest value.

    Of uneven levels, values above the smallest one are rounded as by `Code.encode`.

    Args:
        code: a code of values that are not negative.
        x: the values.
        u: numbers in [0, 1), broadcastable to x.
    """
    values = np.sort(code.decode(code.words()))
    inside = np.clip(np.asarray(x, np.float64), values[0], values[-1])
    low = np.clip(np.searchsorted(values, inside, side="right") - 1, 0, len(values) - 2)
    up = u * (values[low + 1] - values[low]) < inside - values[low]
    sent = values[low + up]
    if code.even_steps is None:
        sent = np.where(inside < values[1], sent, inside)
    return code.encode(sent)
