"""The largest price at which the calibrated network keeps a limit of the loss of accuracy, as measured.

Each trial calibrates the network on part of the samples and measures it on the others (`measured_loss`). Where the
upper limit of its loss is too large, the factor on its errors that would do is found, and with it the price at which
the allocation predicts so much less error. At a high price the prediction is far too small, so a trial goes down by
MOST_STEP at most, and the next one follows the rate at which that lowered the limit. Once a price keeps the limit, and
a larger one does not, the next trial is where the straight line through both, of the logarithm of the upper limit over
that of the price, comes close to the limit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import log
from typing import TypeAlias

from loihi_onespike.conversion.calibration.allocation import Allocation, Allocator
from loihi_onespike.conversion.calibration.measured_loss import LossEstimate, OutputErrors
from loihi_onespike.errors import MaxLossWarning

TRIALS = 4
"""Most networks that are calibrated and measured, unless none of them keeps the limit."""
MOST_TRIALS = 6
"""Most networks in any case; where none keeps the limit, the last one without a price."""
MOST_STEP = 8.0
"""Largest factor between the prices of two trials."""
ENOUGH = 0.85
"""Share of the limit from which on an upper limit is close enough to it."""
AIM = 0.95
"""Share of the limit that a trial between two prices aims at."""
CLOSE = 1.15
"""Factor between a price that keeps the limit and one that does not, below which nothing further is tried."""
INSIDE = 0.1
"""Least distance of a trial from both of these prices, as a share of the logarithm of this factor."""
RATES = (0.25, 2.0)
"""Least and largest power of the predicted error with which an upper limit is taken to fall."""
LEAST = 1e-3
"""Share of the limit that is the least upper limit of which the logarithm is taken."""
HELD = 4
"""One in so many samples is held out from the trials."""
LEAST_SAMPLES = 8
"""Fewest samples of which some are held out; with fewer, the errors are those of samples that the fit has seen."""
MARGIN = 0.95
"""Share of the squared error that a trial aims at, so that fewer trials miss the limit by little."""
STEPS = 6
"""Halvings in the search of the factor on the errors."""

Trial: TypeAlias = tuple[Allocation, LossEstimate]


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
    tried = first
    kept: Trial | None = None
    above: Trial | None = None
    before: tuple[float, float] | None = None
    repeated, last = 0, False
    for trial in range(1, MOST_TRIALS + 1):
        errors = measure(tried)
        estimate = errors.loss()
        keeps = estimate.upper <= limit
        repeated, last = (repeated + 1 if keeps == last else 1), keeps
        if keeps:
            kept = tried, estimate
            if above is None or estimate.upper >= ENOUGH * limit:
                break
        else:
            above = tried, estimate
        if tried.price == 0:
            break
        if kept is not None and above is not None:
            if trial >= TRIALS or above[0].price < CLOSE * kept[0].price:
                break
            tried = allocator.at(_between(kept, above, limit, repeated, keeps), kept[0].codes)
        elif trial == MOST_TRIALS - 1:
            tried = allocator.within(0.0, tried)
        else:
            error = allocator.predicted(tried)
            share = _factor(errors, limit) ** 2 if before is None else _fall(before, (error, estimate.upper), limit)
            before = error, estimate.upper
            wanted = error * MARGIN * share
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


def _between(kept: Trial, above: Trial, limit: float, repeated: int, keeps: bool) -> float:
    """Price between one that keeps the limit and one that does not, at which AIM of the limit is expected.

    The line through both is a poor guess where it is curved, and then one of them stays the same from trial to trial.
    Its distance from the aim is halved for each time that it has stayed (the Illinois form of regula falsi).

    Args:
        kept: allocation of the former, and its loss.
        above: the same of the latter.
        limit: largest loss of accuracy in percentage points.
        repeated: number of trials up to now of which all or none keep the limit.
        keeps: whether they do.
    """
    stayed = 0.5 ** (repeated - 1)
    below = log(AIM * limit / max(kept[1].upper, LEAST * limit)) * (1 if keeps else stayed)
    over = log(above[1].upper / (AIM * limit)) * (stayed if keeps else 1)
    share = min(max(below / (below + over), INSIDE), 1 - INSIDE)
    return kept[0].price * (above[0].price / kept[0].price) ** share


def _fall(before: tuple[float, float], now: tuple[float, float], limit: float) -> float:
    """Factor on the predicted error that brings the upper limit down to the limit, at the rate of the last two trials.

    Args:
        before: predicted error of a trial and its upper limit.
        now: the same of a later one, at a lower price.
        limit: largest loss of accuracy in percentage points.
    """
    fallen = log(before[0] / now[0]) if 0 < now[0] < before[0] else 0.0
    rate = log(before[1] / now[1]) / fallen if fallen > 0 else 1.0
    return (limit / now[1]) ** (1 / min(max(rate, RATES[0]), RATES[1]))


def _factor(errors: OutputErrors, limit: float) -> float:
    """Largest factor on the errors, of those that STEPS halvings tell apart, with which the limit would be kept."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if errors.times(middle).loss().upper <= limit else (low, middle)
    return low
