"""Loss of accuracy over the error of a network, from several networks, with an upper limit of 95 % confidence.

Networks of the same error differ in their loss by chance, by some 20 %. So one estimate says less than several of them
together, each of which was measured on other samples that were held out. Every network i, of predicted error e_i and
loss l_i, tells the loss at another error e by a power law, whose power is SLOPE with a standard deviation of DEVIATION,

    ln l_i(e) = ln l_i + SLOPE · ln (e / e_i),   w_i ∝ 1 / (CHANCE² + (DEVIATION · ln (e / e_i))²),   Σ w_i = 1
    ln l(e) = Σ_i w_i ln l_i(e)

Its variance has three parts: that of the samples, from the jackknife of `measured_loss`, in which a group of samples is
left out of the losses of all networks at once; that of the networks; and that of the power, which they share:

    s² = s_samples² + CHANCE² Σ_i w_i² + (DEVIATION · Σ_i w_i |ln (e / e_i)|)²

A loss is skewed, and varies in proportion to itself, so the upper limit is that of its logarithm:

    upper = l(e) · exp(t · s),   t the 95 % quantile of Student's distribution for the number of groups

Where hardly any decision changes this says little, and the limit is at least the loss by samples of a kind that was not
seen: a share of 3 / N of all samples, with 95 % confidence, each of which loses what it can lose most with such errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from loihi_onespike.conversion.calibration.measured_loss import MeasuredLoss

Float = NDArray[np.float64]

CONFIDENCE = 0.95
"""Confidence of the upper limit."""
SLOPE = 1.0
"""Power of the squared error that the loss is taken for.

Measured on one network of CIFAR-10: 0.9 between squared errors of 0.006 and 0.04; on another one 2.4 between 0.02 and
0.04 and less below.
"""
DEVIATION = 0.4
"""Standard deviation of this power."""
CHANCE = 0.2
"""Standard deviation of the logarithm of the loss between networks of the same error, fitted to other samples.

Measured on two networks of CIFAR-10, with 384 of 512 samples: 0.03 to 0.31, mostly 0.2.
"""
LEAST = 1e-9
"""Least loss and least error of which the logarithm is taken."""
HALVINGS = 24
"""Halvings of the logarithm of the error in the search of the one that keeps a limit."""
FURTHEST = log(8.0)
"""Logarithm of the factor below the least error that was measured to which the power law reaches."""


@dataclass(frozen=True)
class LossEstimate:
    """An estimated loss of accuracy in percentage points.

    Attributes:
        mean: the estimate.
        upper: its upper limit of 95 % confidence.
        samples: number of samples that were held out; of all where none were.
    """

    mean: float
    upper: float
    samples: int

    def __str__(self) -> str:
        return f"{self.mean:.2f} pp, at most {self.upper:.2f} pp by {self.samples} samples"


class LossCurve:
    """Loss of accuracy over the squared error at the output.

    Args:
        measured: predicted error and loss of every network; all on the same samples.
    """

    def __init__(self, measured: Sequence[tuple[float, MeasuredLoss]]) -> None:
        losses = [loss for _, loss in measured]
        least = np.array([max(loss.of_one_sample, LEAST) for loss in losses])
        self._places = np.array([_place(error) for error, _ in measured])
        self._least = np.log(least)
        self._means = np.log(np.maximum([loss.mean for loss in losses], least))
        self._without = np.log(np.maximum(np.stack([loss.without for loss in losses]), least[:, None]))
        self._samples = int(np.any([loss.held for loss in losses], axis=0).sum())

    def at(self, error: float, certain: bool = True) -> LossEstimate:
        """The loss at a squared error, with its upper limit.

        Args:
            error: the error.
            certain: False for an upper limit as if the power were known. It is what may be expected of a network of
                that error once it is measured.
        """
        place = _place(error)
        away = place - self._places
        weights = 1 / (CHANCE**2 + np.square(DEVIATION * away))
        weights = weights / weights.sum()
        of_networks = CHANCE**2 * np.square(weights).sum()
        if certain:
            of_networks += (DEVIATION * (weights @ np.abs(away))) ** 2
        without = weights @ self._without
        groups, nearest = len(without), int(np.abs(away).argmin())
        mean = min(float(weights @ (self._means + SLOPE * away)), 0.0)
        upper = 1.0
        if groups > 1:
            of_samples = (groups - 1) / groups * np.square(without - without.mean()).sum()
            above = float(stdtrit(groups - 1, CONFIDENCE)) * sqrt(of_samples + of_networks)
            unseen = -log(1 - CONFIDENCE) * exp(self._least[nearest] + SLOPE * away[nearest])
            upper = min(max(exp(min(mean + above, 0.0)), unseen), 1.0)
        return LossEstimate(100 * exp(mean), 100 * upper, self._samples)

    def largest_error(self, limit: float, certain: bool = True) -> float:
        """Largest squared error that keeps a limit, up to the largest one that was measured.

        It is no smaller than an eighth of the smallest one, even where that does not keep the limit.

        Args:
            limit: of the upper limit, in percentage points.
            certain: as of `at`.
        """
        low, high = float(self._places.min()) - FURTHEST, float(self._places.max())
        if self.at(exp(high), certain).upper <= limit:
            return exp(high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.at(exp(middle), certain).upper <= limit else (low, middle)
        return exp(low)

    def distance(self, error: float) -> float:
        """Logarithm of the factor between a squared error and the nearest one that was measured."""
        return float(np.abs(self._places - _place(error)).min())


def _place(error: float) -> float:
    return log(max(error, LEAST))
