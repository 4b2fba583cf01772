"""The largest price at which the calibrated network keeps a limit of the loss of accuracy, as measured.

Each trial calibrates the network on part of the samples and measures it on the others (`measured_loss`). Where the
upper limit of its loss is too large, the factor on its errors that would do is found, and with it the price at which
the allocation predicts so much less error. At a high price the prediction is far too small, so a trial goes down by
MOST_STEP at most. Between a price that keeps the limit and one that does not, further trials come closer to the limit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import sqrt

from loihi_onespike.conversion.calibration.allocation import Allocation, Allocator
from loihi_onespike.conversion.calibration.measured_loss import LossEstimate, OutputErrors
from loihi_onespike.errors import MaxLossWarning

TRIALS = 6
"""Most networks that are calibrated and measured; where none keeps the limit, the last one without a price."""
MOST_STEP = 8.0
"""Largest factor between the prices of two trials."""
CLOSE = 1.5
"""Factor between a price that keeps the limit and one that does not, below which nothing further is tried."""
HELD = 4
"""One in so many samples is held out from the trials."""
LEAST_SAMPLES = 8
"""Fewest samples of which some are held out; with fewer, the errors are those of samples that the fit has seen."""
MARGIN = 0.9
"""Share of the squared error that a trial aims at, so that fewer trials miss the limit by little."""
STEPS = 6
"""Halvings in the search of the factor on the errors."""


def held_out(samples: int) -> int:
    """Number of samples that are held out from the trials."""
    return samples // HELD if samples >= LEAST_SAMPLES else 0


def limited(
    allocator: Allocator, first: Allocation, limit: float, measure: Callable[[Allocation], OutputErrors]
) -> tuple[Allocation, LossEstimate]:
    """The allocation of the largest price, from `first` downwards, whose loss keeps the limit, and its loss.

    Args:
        allocator: makes allocations at lower prices.
        first: allocation to start from.
        limit: largest loss of accuracy in percentage points.
        measure: errors at the output of the network with an allocation.

    Warns:
        MaxLossWarning: even without a price of spikes the limit is not kept; that allocation is returned.
    """
    tried, kept = first, None
    above = first.price  # the smallest price that is too large, once one was found
    for trial in range(1, TRIALS + 1):
        errors = measure(tried)
        estimate = errors.loss()
        if estimate.upper <= limit:
            kept = tried, estimate
            if tried is first or above < CLOSE * tried.price or tried.price == 0:
                break
            tried = allocator.at(sqrt(tried.price * above), tried.codes)
            continue
        above = tried.price
        if kept is not None:
            if above < CLOSE * kept[0].price:
                break
            tried = allocator.at(sqrt(kept[0].price * above), kept[0].codes)
        elif tried.price == 0:
            break
        elif trial == TRIALS - 1:
            tried = allocator.within(0.0, tried)
        else:
            wanted = MARGIN * allocator.predicted(tried) * _factor(errors, limit) ** 2
            lower = allocator.within(wanted, tried)
            least = tried.price / MOST_STEP
            tried = lower if lower.price >= least else allocator.at(least, lower.codes)
    if kept is not None:
        return kept
    warnings.warn(
        f"max_loss: must be at least {estimate.upper:.2f} to be kept, got {limit:g}; even the codes of least "
        f"error, which are used, have an estimated loss of {estimate}; give more calibration samples, or "
        "more timesteps, payload_bits or weight_bits, or a larger max_loss",
        MaxLossWarning,
        stacklevel=2,
    )
    return tried, estimate


def _factor(errors: OutputErrors, limit: float) -> float:
    """Largest factor on the errors, of those that STEPS halvings tell apart, with which the limit would be kept."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if errors.times(middle).loss().upper <= limit else (low, middle)
    return low
