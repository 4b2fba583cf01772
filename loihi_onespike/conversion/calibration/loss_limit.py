"""The largest price at which the calibrated network keeps a limit of the loss of accuracy, as measured.

Each trial calibrates the network on part of the samples and measures it on the others (`measured_loss`), which are
different ones in every trial. All trials together tell the loss at any predicted error (`loss_curve`), and so the
largest error that keeps the limit. The next trial is made there, until three have been made and the last one was near
enough to the error that follows from all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import log

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.allocation import Allocation, Allocator
from loihi_onespike.conversion.calibration.loss_curve import LossCurve, LossEstimate
from loihi_onespike.conversion.calibration.measured_loss import MeasuredLoss
from loihi_onespike.errors import MaxLossWarning

TRIALS = 3
"""Networks that are calibrated and measured where the first one does not keep the limit."""
MOST_TRIALS = 4
"""The same at most, but for a last one without a price where none is expected to keep the limit."""
NEAR = log(1.5)
"""Logarithm of the factor between two predicted errors that need not be measured both."""
HELD = 4
"""One in so many samples is held out from a trial."""
LEAST_SAMPLES = 8
"""Fewest samples of which some are held out; with fewer, the errors are those of samples that the fit has seen."""


def held_out(samples: int, trial: int) -> NDArray[np.bool_]:
    """(N,) samples that are held out from a trial: a quarter of them, another one in each of four trials.

    Args:
        samples: N.
        trial: number of the trial, from 0.
    """
    count = samples // HELD if samples >= LEAST_SAMPLES else 0
    return np.roll(np.arange(samples) >= samples - count, -trial * count)


def limited(
    allocator: Allocator, first: Allocation, limit: float, measure: Callable[[Allocation, int], MeasuredLoss]
) -> tuple[Allocation, LossEstimate]:
    """The allocation of the largest price, from `first` downwards, whose loss keeps the limit, and its loss.

    Args:
        allocator: makes allocations at lower prices.
        first: allocation to start from.
        limit: largest loss of accuracy in percentage points.
        measure: loss of the network with an allocation, in the trial of a number.

    Warns:
        MaxLossWarning: even without a price of spikes the limit is not kept; that allocation is returned.
    """
    measured: list[tuple[float, MeasuredLoss]] = []
    tried = first
    while True:
        loss = measure(tried, len(measured))
        measured.append((allocator.predicted(tried), loss))
        curve = LossCurve(measured)
        estimate = curve.at(measured[-1][0])
        if tried.price == 0 or (tried is first and estimate.upper <= limit):
            break
        if len(measured) >= TRIALS:
            found = allocator.within(curve.largest_error(limit), first)
            error = allocator.predicted(found)
            estimate = curve.at(error)
            if estimate.upper <= limit and (curve.distance(error) <= NEAR or len(measured) == MOST_TRIALS):
                return found, estimate
        if len(measured) == MOST_TRIALS:
            tried = allocator.within(0.0, first)
        else:
            tried = allocator.within(curve.largest_error(limit, certain=False), first)
    if estimate.upper > limit:
        warnings.warn(
            f"max_loss: must be at least {estimate.upper:.2f} to be kept, got {limit:g}; even the codes of least "
            f"error, which are used, have an estimated loss of {estimate}; give more calibration samples, or "
            "more timesteps, payload_bits or weight_bits, or a larger max_loss",
            MaxLossWarning,
            stacklevel=2,
        )
    return tried, estimate
