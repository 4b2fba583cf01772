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
    """Number of fraction bits of v: as many as every channel allows, or ENOUGH_BITS where most channels do.

    The remaining channels (batch-norm gain near zero: weights that are negligible beside bias or λ) get a coarser unit,
    which rounds weights that hardly matter. The weight precision of a whole layer is reduced by at most
    SPARE_WEIGHT_BITS, and the facts of the network record it.

    Args:
        layer: name of the layer, for the error.
        ranges: largest |v| per channel in units of v without fraction bits.
        swings: returns the largest magnitudes of the input sums without bias and threshold; called if v does not fit.

    Raises:
        HeadroomError: the input sums alone do not fit either.
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
    """Unit below which v with `shift` fraction bits is too wide, 0 where `unit` will do; None where it always does.

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
