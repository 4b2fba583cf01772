"""Rounding of real numbers to integers in which nothing but a number can become an integer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import V_BITS, V_MAX, V_MIN
from loihi_onespike.errors import GraphError, HeadroomError

LARGEST = 2.0**52
"""Largest magnitude that is kept; far beyond 24 bits, so that a check of the width still sees one that is too wide."""


def whole_numbers(what: str, values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Nearest integers to `values` (any shape), whose magnitude is at most LARGEST.

    A weight of nearly 0 gives its channel a unit of v that is so small that bias and threshold overflow in it. Such
    channels get a coarser unit once their range is known.

    Args:
        what: layer and quantity, for the error.
        values: real numbers, infinite where a division overflowed.

    Raises:
        GraphError: a value is NaN.
    """
    if np.isnan(values).any():
        raise GraphError(f"{what}: must be numbers, got NaN; check the weights of the layer and the calibration data")
    return np.rint(np.clip(values, -LARGEST, LARGEST)).astype(np.int64)


def whole_numbers_of_v(layer: str, quantity: str, values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Nearest integers to `values` (any shape), which have the width of v.

    Args:
        layer: name of the layer, for the error.
        quantity: what the values are, for the error.
        values: real numbers in the unit of v that the layer has in the end.

    Raises:
        GraphError: a value is NaN.
        HeadroomError: a value is wider than v, where equal weights or shared ones allow no coarser unit.
    """
    whole = whole_numbers(f"{layer}: {quantity}", values)
    if whole.min(initial=0) < V_MIN or whole.max(initial=0) > V_MAX:
        widest = int(np.abs(whole).max())
        remedy = "use fewer timesteps or payload_bits, or a smaller base (the gain is base^timesteps)"
        raise HeadroomError(layer, f"the largest {quantity}", widest.bit_length() + 1, V_BITS, remedy)
    return whole


def in_units(values: NDArray[np.floating], unit: NDArray[np.floating]) -> NDArray[np.float64]:
    """values / unit with infinity for what overflows, and 0 for 0 / 0."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        quotient = np.asarray(values / unit, np.float64)
    return np.where(np.broadcast_to(values, quotient.shape) == 0, 0.0, quotient)
