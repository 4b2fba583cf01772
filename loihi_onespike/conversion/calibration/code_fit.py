"""λ, first negative phase and levels with the least mean square error for given activations.

The error of a one-spike code is that of a scalar quantizer, so its best levels are those of Lloyd and Max: every
threshold in the middle between two levels (Eq. 4), every level at the mean of the values that it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_grid import CodeGrid, SortedValues
from loihi_onespike.core.codes import Codebook

Float = NDArray[np.float64]

FACTORS = np.geomspace(0.35, 1.6, 24)
"""Fractions of the largest activation that are tried as λ."""
FEW_SAMPLES = 256
"""Below this many values per channel one factor is chosen for all channels."""
FIRST_LEVEL = 0.8
"""Level of phase 1 in units of λ: a convention, λ makes up for it."""
WIDEST_STEP = 3.9
"""Largest ratio of neighbouring levels; the gain of one step is at most 4."""
CLOSEST_STEP = 1.002
ITERATIONS = 16
COARSE = FACTORS[::2]
CURVES = np.linspace(1.5, 6.0, 10)
"""Curves of companded levels that are tried."""
QUIET = 1e-3
"""Noise, as a share of the power of the values, below which twice the levels are not worth twice the spikes."""


@dataclass(frozen=True, eq=False)
class CodeFit:
    """How a population is coded.

    Attributes:
        scales: (C,) λ per channel.
        first_negative_phase: first phase of negative spikes, None for unsigned populations.
        error: mean square error over all channels.
    """

    scales: Float
    first_negative_phase: int | None
    error: float


@dataclass(frozen=True, eq=False)
class ActivationValues:
    """Activations of one population to be carried.

    Attributes:
        sorted: samples of every channel.
        largest: (C,) largest activation of every channel, the λ of Eq. 2.
        symmetric: values of either sign about 0.
        common: one factor for all channels.
        two_sided: negative spikes may be used from a fitted first negative phase on.
    """

    sorted: SortedValues
    largest: Float
    symmetric: bool = False
    common: bool = False
    two_sided: bool = False

    def of_channels(self, chosen: NDArray[np.int64]) -> ActivationValues:
        """The same for some channels."""
        return replace(self, sorted=self.sorted.of_channels(chosen), largest=self.largest[chosen])

    @property
    def power(self) -> float:
        """Mean square of the values."""
        return float(self.sorted.squares.mean() / self.sorted.count)


def fit_scales(values: ActivationValues, grid: CodeGrid, factors: Float = FACTORS) -> tuple[Float, float]:
    """λ per channel with the least error on a grid, and that error.

    Among equally good ones the factor next to 1 wins (a channel that is always silent has no preference).

    Args:
        values: activations of a population.
        grid: levels and thresholds of the code.
        factors: factors of the largest value that are tried as λ.
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
    """λ per channel and first negative phase for given levels and thresholds (T,).

    Args:
        values: activations of a population.
        levels, thresholds: levels and thresholds (T,) in units of λ.
        factors: factors of the largest value that are tried as λ.
    """
    scales, error = fit_scales(values, CodeGrid.of(levels, thresholds, None, values.symmetric), factors)
    best = CodeFit(scales, None, error)
    if not values.two_sided or error < QUIET * values.power:
        return best
    coarse = factors if len(factors) < 8 else factors[::2]
    phases = _spread(2, len(levels) - 1)
    errors = [fit_scales(values, CodeGrid.of(levels, thresholds, phase), coarse)[1] for phase in phases]
    if errors and min(errors) < error:
        phase = phases[int(np.argmin(errors))]
        scales, error = fit_scales(values, CodeGrid.of(levels, thresholds, phase), factors)
        best = CodeFit(scales, phase, error)
    return best


def _spread(first: int, last: int) -> list[int]:
    """All phases between, or some 16 of them."""
    return sorted({int(t) for t in np.rint(np.linspace(first, last, min(16, max(last - first + 1, 0))))})


def fit_codebook(populations: Sequence[ActivationValues], timesteps: int, iterations: int = ITERATIONS) -> Codebook:
    """Levels that serve several populations, each weighted by its relative error.

    The best curve of `companded_levels`, then Lloyd's iteration from there: λ and first negative phase are
    fitted to the levels, then every level moves to the mean of the values that it stands for.

    Args:
        populations: activations of the populations.
        timesteps: number of levels T.
        iterations: iterations of Lloyd's method.
    """
    alive = [values for values in populations if values.power > 0]
    if not alive:
        return Codebook.nearest(companded_levels(timesteps, float(np.median(CURVES))))

    def cost(levels: Float) -> float:
        thresholds = middles(levels)
        return sum(fit_population(v, levels, thresholds, COARSE).error / v.power for v in alive)

    levels = min((companded_levels(timesteps, curve) for curve in CURVES), key=cost)
    for _ in range(iterations):
        levels = _spaced(_means(alive, levels))
    return Codebook.nearest(levels)


def _means(populations: Sequence[ActivationValues], levels: Float) -> Float:
    """Mean of what every level stands for; the level itself where it stands for nothing."""
    number, total = np.zeros(len(levels)), np.zeros(len(levels))
    thresholds = middles(levels)
    for values in populations:
        fit = fit_population(values, levels, thresholds)
        grid = CodeGrid.of(levels, thresholds, fit.first_negative_phase, values.symmetric)
        counted, summed = values.sorted.segments(grid, fit.scales)
        weight = fit.scales[:, None] ** 2 / values.power
        sent = grid.phases != 0
        k = np.abs(grid.phases[sent]) - 1
        np.add.at(number, k, (counted * weight).sum(axis=0)[sent])
        np.add.at(total, k, (np.sign(grid.phases) * summed * weight).sum(axis=0)[sent])
    return np.where(number > 0, total / np.where(number > 0, number, 1), levels)


def companded_levels(timesteps: int, curve: float) -> Float:
    """level(k) ∝ sinh(curve · (T + 1 - k) / T): even steps for a curve of 0, powers of a base for a large one.

    Evenly spaced small levels below geometrically spaced large ones are what Lloyd's iteration finds for the
    activations of trained networks.
    """
    rising = np.sinh(curve * np.arange(timesteps, 0, -1) / timesteps) / np.sinh(curve)
    return FIRST_LEVEL * rising


def middles(levels: Float) -> Float:
    """Thresholds half-way to the next level, the last half-way to 0."""
    return (levels + np.append(levels[1:], 0.0)) / 2


def _spaced(levels: Float) -> Float:
    """Decreasing levels whose ratios the gains can express, the first at FIRST_LEVEL."""
    spaced = np.empty_like(levels)
    spaced[-1] = max(levels[-1], levels[0] * 1e-3)
    for k in range(len(levels) - 2, -1, -1):
        spaced[k] = np.clip(levels[k], spaced[k + 1] * CLOSEST_STEP, spaced[k + 1] * WIDEST_STEP)
    return spaced * (FIRST_LEVEL / spaced[0])
