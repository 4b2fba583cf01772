"""The largest price at which the calibrated network keeps a limit of the loss of accuracy, as measured.

Each trial calibrates the network on part of the samples and measures it on the others (`measured_loss`). Where the
upper limit of its loss is too large, the factor on its errors that would do is found, and with it the price at which
the allocation predicts so much less error. At a high price the prediction is far too small, so a trial goes down by
MOST_STEP at most. From then on the upper limit is taken for a power of the price: further trials go down along the
straight line through the logarithms of all trials up to then. Once a price keeps the limit, and a larger one does not,
the next trial is where the line through these two comes close to the limit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from math import exp, log
from typing import TypeAlias

import numpy as np

from loihi_onespike.conversion.calibration.allocation import Allocation, Allocator
from loihi_onespike.conversion.calibration.measured_loss import LossEstimate, OutputErrors
from loihi_onespike.errors import MaxLossWarning

TRIALS = 4
"""Most networks that are calibrated and measured where one of them keeps the limit, and another one nearly."""
MOST_TRIALS = 6
"""Most networks in any case; where none keeps the limit, the last one without a price."""
MOST_STEP = 8.0
"""Largest factor between the prices of the first two trials, since the prediction reaches no further."""
FURTHER_STEPS = (1.25, 3.0)
"""Least and largest factor between the prices of later ones on the way down.

The estimates of two networks differ by chance too, so that the line through few of them may be far too flat.
"""
POWERS = (0.4, 2.0)
"""Least and largest power of the price for which the upper limit is taken on the way down."""
ENOUGH = 0.85
"""Share of the limit from which on an upper limit is close enough to it."""
AIM = 0.95
"""Share of the limit that a trial aims at."""
WIDE = 2.0
"""Factor between a price that keeps the limit and one that does not, above which even more than TRIALS are made."""
CLOSE = 1.15
"""Factor between a price that keeps the limit and one that does not, below which nothing further is tried."""
INSIDE = 0.1
"""Least distance of a trial from both of these prices, as a share of the logarithm of this factor."""
LEAST = 1e-3
"""Share of the limit that is the least upper limit of which the logarithm is taken."""
HELD = 4
"""One in so many samples is held out from the trials."""
LEAST_SAMPLES = 8
"""Fewest samples of which some are held out; with fewer, the errors are those of samples that the fit has seen."""
MARGIN = 0.95
"""Share of the squared error that the second trial aims at, so that it seldom misses the limit by little."""
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
    trials: list[Trial] = []
    repeated, last = 0, False
    while True:
        errors = measure(tried)
        estimate = errors.loss()
        trials.append((tried, estimate))
        keeps = estimate.upper <= limit
        repeated, last = (repeated + 1 if keeps == last else 1), keeps
        if keeps:
            kept = trials[-1]
        else:
            above = trials[-1]
        if above is None or tried.price == 0 or len(trials) == MOST_TRIALS:
            break
        if kept is not None:
            apart = above[0].price / kept[0].price
            if kept[1].upper >= ENOUGH * limit or apart < CLOSE or (len(trials) >= TRIALS and apart < WIDE):
                break
            tried = allocator.at(_between(kept, above, limit, repeated, keeps), kept[0].codes)
        elif len(trials) == MOST_TRIALS - 1:
            tried = allocator.within(0.0, tried)
        elif len(trials) == 1:
            lower = allocator.within(MARGIN * allocator.predicted(tried) * _factor(errors, limit) ** 2, tried)
            least = tried.price / MOST_STEP
            tried = lower if lower.price >= least else allocator.at(least, lower.codes)
        else:
            tried = allocator.at(_below(trials, limit), tried.codes)
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


def _below(trials: Sequence[Trial], limit: float) -> float:
    """Price below those of all trials at which AIM of the limit is expected.

    Args:
        trials: allocations that do not keep the limit, and their losses, by falling price.
        limit: largest loss of accuracy in percentage points.
    """
    prices = np.log([tried.price for tried, _ in trials])
    excess = np.log([estimate.upper / (AIM * limit) for _, estimate in trials])
    power = float(np.clip(np.polyfit(prices, excess, 1)[0], *POWERS))
    wanted = exp(prices.mean() - excess.mean() / power)
    last = trials[-1][0].price
    least, most = last / FURTHER_STEPS[1], last / FURTHER_STEPS[0]
    # The trial after the next one would be without a price, which costs far more energy than a price that is too low.
    return least if len(trials) == MOST_TRIALS - 2 else float(np.clip(wanted, least, most))


def _factor(errors: OutputErrors, limit: float) -> float:
    """Largest factor on the errors, of those that STEPS halvings tell apart, with which the limit would be kept."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if errors.times(middle).loss().upper <= limit else (low, middle)
    return low
