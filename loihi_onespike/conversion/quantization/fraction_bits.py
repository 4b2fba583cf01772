"""How many fraction bits v gets, and who pays where they do not fit (docs/arithmetic.md, Integers).

`ranges` are the largest magnitudes, in units of v without fraction bits, of v, bias and threshold: one per group of
neurons that share a unit.
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
"""Width of the largest magnitude that calibration may reach: sign and one bit of head-room stay free."""
ENOUGH_BITS = 6
"""Fraction bits of v beyond which the rounding of the leak no longer matters beside that of the weights."""
SPARE_WEIGHT_BITS = 3
"""Bits that the weights of a whole layer may give up so that v fits into 24 bits."""
COARSE_SHARE = 0.1
"""Share of channels that may give up weight precision for the fraction bits of the others."""


def free_bits(ranges: Float) -> float:
    """Bits that all but COARSE_SHARE of the channels leave free below WIDEST_BITS; negative where they are too wide."""
    return float(np.quantile(_free(ranges), COARSE_SHARE, method="higher"))


def fraction_bits(layer: str, ranges: Float, swings: Callable[[], Float]) -> int:
    """As many as fit for every channel, or ENOUGH_BITS where all but a few channels allow them.

    The few (batch-norm gain near zero: weights negligible beside bias or λ) get a coarser unit instead, which rounds
    weights that hardly matter. A whole layer gives up at most SPARE_WEIGHT_BITS that way, which the facts tell;
    HeadroomError when that is not enough for the sums of the inputs alone either, since only those need precision.

    Args:
        swings: gives the largest magnitudes of these sums, without bias and threshold; asked for where v does not fit.
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
    """Unit below which v with `shift` fraction bits is too wide, 0 where `unit` will do; None where it always does."""
    widest = ranges * 2.0**shift
    too_wide = widest > 2**WIDEST_BITS
    return np.where(too_wide, unit * widest / 2**WIDEST_BITS, 0.0) if too_wide.any() else None


def _free(ranges: Float) -> Float:
    return WIDEST_BITS - np.ceil(np.log2(np.maximum(ranges, 1.0)))
