"""Number of fraction bits of v, and the weights that lose precision where v is too wide (docs/arithmetic.md, Integers).

The argument `ranges` is the largest magnitude of v, bias and threshold, in units of v without fraction bits, for each
group of neurons that share a unit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import V_BITS
from loihi_onespike.core.graphs.verify_network import MAX_INPUT_SHIFT
from loihi_onespike.errors import HeadroomError

Float = NDArray[np.float64]

WIDEST_BITS = V_BITS - 2
"""Largest width of a magnitude on the calibration data; sign and one bit of head-room are left free."""
ENOUGH_BITS = 6
"""Fraction bits of v at which the rounding of the leak is small beside that of the weights."""
SPARE_WEIGHT_BITS = 3
"""Largest reduction in bits of the weights of a whole layer to make v fit into 24 bits."""
COARSE_SHARE = 0.1
"""Share of channels whose weights may lose precision so that the others get more fraction bits."""


def free_bits(ranges: Float) -> float:
    """Bits below WIDEST_BITS that all but COARSE_SHARE of the channels have free; negative if they are too wide."""
    return float(np.quantile(_free(ranges), COARSE_SHARE, method="higher"))


def fraction_bits(layer: str, ranges: Float, swings: Callable[[], Float]) -> int:
    """Number of fraction bits of v: as many as every channel allows, or ENOUGH_BITS if most channels allow these.

    The remaining channels get a coarser unit. They have weights that are small beside bias or λ (a batch-norm gain near
    zero), so their precision hardly matters. The weight precision of a whole layer is reduced by at most
    SPARE_WEIGHT_BITS, which the facts of the network record.

    Args:
        layer: name of the layer, for the error.
        ranges: largest |v| per channel in units of v without fraction bits.
        swings: returns the largest magnitudes of the input sums without bias and threshold; called if v does not fit.

    Raises:
        HeadroomError: even the input sums alone do not fit.
    """
    for_most = free_bits(ranges)
    if for_most < -SPARE_WEIGHT_BITS:
        for_most = free_bits(np.minimum(ranges, swings()))
    if for_most < -SPARE_WEIGHT_BITS:
        raise HeadroomError(
            layer,
            "the membrane potential that calibration reaches",
            V_BITS - int(for_most),
            V_BITS,
            "use fewer weight_bits, input_bits or timesteps, or a smaller base (the gain is base^timesteps)",
        )
    return int(np.clip(max(_free(ranges).min(), min(for_most, ENOUGH_BITS)), 0, MAX_INPUT_SHIFT))


def finest_units(ranges: Float, unit: Float, shift: int) -> Float | None:
    """Smallest unit with which v with `shift` fraction bits fits, 0 where `unit` suffices; None if it does everywhere.

    Args:
        ranges: largest |v| per channel in units of v without fraction bits.
        unit: real value of v = 1 per channel.
        shift: fraction bits of v.
    """
    widest = ranges * 2.0**shift
    too_wide = widest > 2**WIDEST_BITS
    return np.where(too_wide, unit * widest / 2**WIDEST_BITS, 0.0) if too_wide.any() else None


def _free(ranges: Float) -> Float:
    return WIDEST_BITS - np.ceil(np.log2(np.maximum(ranges, 1.0)))
