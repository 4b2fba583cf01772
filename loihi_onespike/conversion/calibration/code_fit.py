"""Fit of a code to activations: λ, first negative word and levels with the least mean square error.

A one-spike code is a scalar quantizer, so its best levels are those of Lloyd and Max: every threshold lies in the
middle between two levels (Eq. 4), and every level is the mean of the values that are rounded to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_grid import CodeGrid, SortedValues
from loihi_onespike.core.codes import Codebook, PayloadCode, SingleSpikeCode

Float = NDArray[np.float64]

FACTORS = np.geomspace(0.35, 1.6, 24)
"""Fractions of the largest activation that are tried as λ."""
FEW_SAMPLES = 256
"""Below this many values per channel one factor is chosen for all channels."""
FIRST_LEVEL = 0.8
"""Level of word 1 in units of λ; a convention, since λ scales all levels."""
WIDEST_STEP = 3.9
"""Largest ratio of neighbouring levels; the gain of one step is at most 4."""
CLOSEST_STEP = 1.002
"""Smallest ratio of neighbouring levels of a code without payload."""
ITERATIONS = 16
"""Iterations of Lloyd's method."""
COARSE = FACTORS[::2]
"""Factors that are tried as λ during the iterations."""
CURVES = np.linspace(1.5, 6.0, 10)
"""Curves of `companded_levels` from which the fit of levels may start."""
QUIET = 1e-3
"""Mean square error, as a share of the power of the values, below which negative spikes are not worth their number."""


@dataclass(frozen=True)
class Payload:
    """Messages that a population may send.

    Attributes:
        bits: b, bits of payload, 1 or more.
        largest: largest message.
    """

    bits: int
    largest: int

    @property
    def closest_step(self) -> float:
        """Smallest ratio of neighbouring levels that messages can tell apart, phase after phase.

        The messages of a phase are then the largest ones, P … P - M + 1, for M = 2^b and the largest message P.
        """
        last = self.largest + 1 - 2**self.bits
        return float((self.largest / last) ** (1 / (2**self.bits - 1)))


@dataclass(frozen=True, eq=False)
class CodeFit:
    """Scale and signs of the code of a population, as fitted.

    Attributes:
        scales: (C,) λ per channel.
        first_negative_word: first word of negative spikes, None for unsigned populations.
        error: mean square error over all channels.
        silent_below: smallest threshold, in units of λ; thresholds below it move up to it.
        offset: value of no spike where there are no negative spikes, in units of λ.
        one_sided: (C,) channels that send no negative spikes, though others do; None where all or none do.
    """

    scales: Float
    first_negative_word: int | None
    error: float
    silent_below: float = 0.0
    offset: float = 0.0
    one_sided: NDArray[np.bool_] | None = None

    def offsets(self, levels: Float) -> Float:
        """Value of no spike in units of λ: one number, or (C,) where channels have different sides.

        Args:
            levels: (L,) levels in units of λ.
        """
        if self.first_negative_word is None:
            return np.asarray(self.offset)
        middle = levels[self.first_negative_word - 1]
        return np.asarray(middle) if self.one_sided is None else np.where(self.one_sided, self.offset, middle)


@dataclass(frozen=True, eq=False)
class ActivationValues:
    """Activations of one population, which its code has to represent.

    Attributes:
        sorted: samples of every channel.
        largest: (C,) largest activation of every channel, the λ of Eq. 2.
        symmetric: the values have both signs, and negative spikes are allowed for every word.
        common: all channels share one factor on `largest`.
        two_sided: negative spikes are allowed from a first negative word on, which is fitted.
        same_side: all channels have the same side.
    """

    sorted: SortedValues
    largest: Float
    symmetric: bool = False
    common: bool = False
    two_sided: bool = False
    same_side: bool = False

    def of_channels(self, chosen: NDArray[np.int64]) -> ActivationValues:
        """The activations of the channels with these numbers."""
        return replace(self, sorted=self.sorted.of_channels(chosen), largest=self.largest[chosen])

    def of_samples(self, most: int) -> ActivationValues:
        """At most `most` values of every channel: evenly spaced ones of its ascending values, the largest included."""
        count = self.sorted.count
        if count <= most:
            return self
        chosen = np.linspace(0, count - 1, most).astype(np.int64)
        return replace(self, sorted=SortedValues(self.sorted.values[:, chosen]))

    @property
    def power(self) -> float:
        """Mean square of the values."""
        return float(self.sorted.squares.mean() / self.sorted.count)


def fit_scales(values: ActivationValues, grid: CodeGrid, factors: Float = FACTORS) -> tuple[Float, float]:
    """λ per channel with the least error on a grid, and this error averaged over the channels.

    Among equally good factors the one closest to 1 is chosen, for example for a channel that is always silent.

    Args:
        values: activations of a population.
        grid: values that the code can send.
        factors: fractions of the largest activation that are tried as λ.
    """
    scales = values.largest[:, None] * factors
    errors = values.sorted.errors(grid, scales)
    ranked = errors * (1 + 1e-9 * np.abs(np.log(factors))) + 1e-300 * np.abs(np.log(factors))
    if values.common or values.sorted.count < FEW_SAMPLES:
        ranked = np.broadcast_to(ranked.sum(axis=0), ranked.shape)
    best = ranked.argmin(axis=1)
    rows = np.arange(len(best))
    return scales[rows, best], float(errors[rows, best].mean())


def fit_population(values: ActivationValues, levels: Float, thresholds: Float, factors: Float = FACTORS) -> CodeFit:
    """λ per channel and first negative word with the least error for given levels and thresholds.

    Args:
        values: activations of a population.
        levels, thresholds: (L,) levels and thresholds in units of λ.
        factors: fractions of the largest activation that are tried as λ.
    """
    scales, error = fit_scales(values, CodeGrid.of(levels, thresholds, None, values.symmetric), factors)
    best = CodeFit(scales, None, error)
    if not values.two_sided or error < QUIET * values.power:
        return best
    coarse = factors if len(factors) < 8 else factors[::2]
    words = spread(2, len(levels) - 1)
    errors = [fit_scales(values, CodeGrid.of(levels, thresholds, word), coarse)[1] for word in words]
    if errors and min(errors) < error:
        word = words[int(np.argmin(errors))]
        scales, error = fit_scales(values, CodeGrid.of(levels, thresholds, word), factors)
        best = CodeFit(scales, word, error)
    return best


def spread(first: int, last: int, most: int = 16) -> list[int]:
    """Words from first to last, some of them evenly spread if there are many.

    Args:
        first, last: the first and the last word.
        most: largest number of words.
    """
    return sorted({int(t) for t in np.rint(np.linspace(first, last, min(most, max(last - first + 1, 0))))})


def fit_codebook(
    populations: Sequence[ActivationValues],
    timesteps: int,
    iterations: int = ITERATIONS,
    payload: Payload | None = None,
) -> SingleSpikeCode:
    """Levels with the least sum of relative errors over several populations.

    The fit starts from the best curve of `companded_levels`. Each iteration of Lloyd's method then fits λ and the first
    negative phase to the levels, and moves every level to the mean of the values that are rounded to it.

    Args:
        populations: activations of the populations that share the code.
        timesteps: number of phases T.
        iterations: iterations of Lloyd's method.
        payload: messages of the spikes; None for spikes without payload, whose levels are the phases.
    """
    count = timesteps if payload is None else timesteps * 2**payload.bits
    alive = [values for values in populations if values.power > 0]
    if not alive:
        return code_of(spaced(companded_levels(count, float(np.median(CURVES))), payload), timesteps, payload)

    def cost(levels: Float) -> float:
        thresholds = middles(levels)
        return sum(fit_population(v, levels, thresholds, COARSE).error / v.power for v in alive)

    levels = min((spaced(companded_levels(count, curve), payload) for curve in CURVES), key=cost)
    for _ in range(iterations):
        levels = spaced(_means(alive, levels), payload)
    return code_of(levels, timesteps, payload)


def code_of(levels: Float, timesteps: int, payload: Payload | None) -> SingleSpikeCode:
    """Nearest code to the levels, with messages or without.

    Args:
        levels: (L,) decreasing levels.
        timesteps: number of phases T.
        payload: messages of the spikes; None for spikes without payload.
    """
    if payload is None:
        return Codebook.nearest(levels)
    return PayloadCode.nearest(levels, timesteps, largest=payload.largest)


def _means(populations: Sequence[ActivationValues], levels: Float) -> Float:
    """Mean of the values that are rounded to every level, and the level itself where there are none."""
    number, total = np.zeros(len(levels)), np.zeros(len(levels))
    thresholds = middles(levels)
    for values in populations:
        fit = fit_population(values, levels, thresholds)
        grid = CodeGrid.of(levels, thresholds, fit.first_negative_word, values.symmetric)
        counted, summed = values.sorted.segments(grid, fit.scales)
        weight = fit.scales[:, None] ** 2 / values.power
        sent = grid.words != 0
        k = np.abs(grid.words[sent]) - 1
        np.add.at(number, k, (counted * weight).sum(axis=0)[sent])
        np.add.at(total, k, (np.sign(grid.words) * summed * weight).sum(axis=0)[sent])
    return np.where(number > 0, total / np.where(number > 0, number, 1), levels)


def unit_of(code: SingleSpikeCode) -> float:
    """Factor on λ with which the first level is FIRST_LEVEL; levels of messages are known up to a factor."""
    return FIRST_LEVEL / float(code.levels()[0]) if code.payload_bits else 1.0


def companded_levels(count: int, curve: float) -> Float:
    """level(w) ∝ sinh(curve · (L + 1 - w) / L), with FIRST_LEVEL as the first level.

    The steps are even for a curve near 0, and the levels are powers of a base for a large one. In between, small levels
    are evenly and large ones geometrically spaced, as Lloyd's method finds them for activations of trained networks.
    """
    rising = np.sinh(curve * np.arange(count, 0, -1) / count) / np.sinh(curve)
    return FIRST_LEVEL * rising


def middles(levels: Float) -> Float:
    """Thresholds in the middle between a level and the next smaller one, for the last level between it and 0."""
    return (levels + np.append(levels[1:], 0.0)) / 2


def spaced(levels: Float, payload: Payload | None = None) -> Float:
    """The levels with ratios that gains and messages can express, and with FIRST_LEVEL as the first.

    Args:
        levels: (L,) decreasing levels, or levels that were, before they moved to means.
        payload: messages of the spikes; None for spikes without payload.
    """
    closest = CLOSEST_STEP if payload is None else payload.closest_step
    spaced = np.empty_like(levels)
    spaced[-1] = max(levels[-1], levels[0] * 1e-3)
    for k in range(len(levels) - 2, -1, -1):
        spaced[k] = np.clip(levels[k], spaced[k + 1] * closest, spaced[k + 1] * WIDEST_STEP)
    return spaced * (FIRST_LEVEL / spaced[0])
