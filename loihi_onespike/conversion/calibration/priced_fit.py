"""Codes in which a spike has a price: entropy-constrained fits of λ, silence, sides and levels.

A value x of channel c that is sent as q costs, with the price p of a spike in units of the error at the output,

    S_c · (x - q)² + p · [a spike is sent]

As in entropy-constrained quantization, silence then covers more values than the nearest level alone would give it, and
the levels move to the means of what is left. On a chip this costs nothing: only the last thresholds of the table move.
No spike may be worth a little more than 0, since it stands for the small values that are not sent.

Channels that are mostly silent are cheaper one-sided, others two-sided with a silent value in the middle. A population
may have both, which share its levels and thresholds: each channel takes the side of less cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import (
    CURVES,
    FEW_SAMPLES,
    FIRST_LEVEL,
    ActivationValues,
    CodeFit,
    Payload,
    code_of,
    companded_levels,
    middles,
    spaced,
    spread,
)
from loihi_onespike.conversion.calibration.code_grid import CodeGrid
from loihi_onespike.core.codes import SingleSpikeCode

Float = NDArray[np.float64]

FACTORS = np.geomspace(0.3, 2.0, 24)
"""Fractions of the largest activation that are tried as λ; a channel that matters little gets a large λ."""
COARSE = FACTORS[::2]
"""Factors that are tried as λ while candidates are compared."""
SILENT_WORDS = 6
"""Largest number of words that silence takes from a one-sided code of 16 levels, in proportion for other codes."""
SILENT_VALUES = (0.0, 0.25)
"""Values of no spike that are tried in a one-sided code, in parts of the largest value that is not sent."""
SIDES = 5
"""First negative words that are tried."""
ITERATIONS = 8
"""Iterations of Lloyd's method."""
REFIT = 4
"""Iterations between two comparisons of all candidates."""


@dataclass(frozen=True, eq=False)
class OutputCost:
    """What errors and spikes of a population cost, both in units of the error at the output.

    Attributes:
        weights: (C,) predicted error at the output per squared error of the values of a channel, S_c.
        price: cost of one spike in every neuron of the population.
    """

    weights: Float
    price: float

    def of_channels(self, chosen: NDArray[np.int64]) -> OutputCost:
        """The cost where the channels with these numbers stand for all."""
        return replace(self, weights=self.weights[chosen] * (len(self.weights) / len(chosen)))


@dataclass(frozen=True, eq=False)
class PricedFit:
    """A code of a population, with what it costs.

    Attributes:
        code: λ per channel, sides and silence.
        error: predicted error at the output.
        spikes: spikes per neuron.
        costs: (C,) error and spikes of every channel together.
    """

    code: CodeFit
    error: float
    spikes: float
    costs: Float

    def cost(self, price: float) -> float:
        """Error and spikes together."""
        return self.error + price * self.spikes


@dataclass(frozen=True, eq=False)
class Candidates:
    """Sides and silence to compare for given levels, and what they leave with every λ. No price changes any of it.

    Attributes:
        codes: K codes, whose λ are still to be chosen.
        factors: (F,) fractions of the largest activation that are tried as λ.
        errors: (K, C, F) mean square error of every channel.
        spikes: (K, C, F) share of the values of a channel that are spikes.
    """

    codes: list[CodeFit]
    factors: Float
    errors: Float
    spikes: Float

    @classmethod
    def of(cls, values: ActivationValues, levels: Float) -> Candidates:
        """Those of a population.

        Args:
            values: its activations.
            levels: (L,) levels in units of λ.
        """
        codes, factors = candidates(values, levels), COARSE * _unit(levels)
        return cls(codes, factors, *_measured(values, levels, codes, factors))


Measure: TypeAlias = Callable[[ActivationValues, Float], Candidates]
"""`Candidates.of`, or what remembers its results for levels that come again with other prices."""


def fit_priced(
    values: ActivationValues, cost: OutputCost, levels: Float, measure: Measure = Candidates.of
) -> PricedFit:
    """λ per channel, sides and silence of least cost for given levels.

    Args:
        values: activations of a population.
        cost: price of errors and spikes.
        levels: (L,) levels in units of λ.
        measure: gives the candidates.
    """
    given = measure(values, levels)
    tried = _of_least_cost(values, cost, given.codes, given.factors, given.errors, given.spikes)
    if _own_scales(values) and not values.same_side:
        tried += _with_scales(values, cost, levels, _mixed(tried), given.factors)
    best = min(tried, key=lambda fit: fit.cost(cost.price))
    return _with_scales(values, cost, levels, [best.code], FACTORS * _unit(levels))[0]


def fit_priced_codebook(
    populations: Sequence[tuple[ActivationValues, OutputCost]],
    timesteps: int,
    payload: Payload | None = None,
    measure: Measure = Candidates.of,
) -> SingleSpikeCode:
    """Levels of least cost for populations that share them.

    Each iteration of Lloyd's method moves every level to the mean of the values that are sent as it, weighted by what
    their errors cost, after silence and λ have been fitted to the levels.

    Args:
        populations: activations and costs.
        timesteps: number of phases T.
        payload: messages of the spikes; None for spikes without payload.
        measure: gives the candidates of the levels that the iterations start from, the same for all costs.
    """
    count = timesteps if payload is None else timesteps * 2**payload.bits
    alive = [(v, c) for v, c in populations if v.power > 0 and c.weights.any()]
    if not alive:
        return code_of(spaced(companded_levels(count, float(np.median(CURVES))), payload), timesteps, payload)

    def fits(levels: Float, measure: Measure = Candidates.of) -> list[PricedFit]:
        return [fit_priced(v, c, levels, measure) for v, c in alive]

    def cost(found: Sequence[PricedFit]) -> float:
        return sum(fit.cost(c.price) for fit, (_, c) in zip(found, alive, strict=True))

    start = [spaced(companded_levels(count, curve), payload) for curve in CURVES[2::4]]
    found, levels = min(((fits(tried, measure), tried) for tried in start), key=lambda pair: cost(pair[0]))
    least, best = cost(found), levels
    for i in range(ITERATIONS):
        means = _means(alive, found, levels)
        levels, moved = spaced(means, payload), FIRST_LEVEL / means[0]
        if i % REFIT == REFIT - 1:
            found = fits(levels)
        else:
            found = [
                _with_scales(v, c, levels, [_moved(fit.code, moved)], FACTORS)[0]
                for fit, (v, c) in zip(found, alive, strict=True)
            ]
        if cost(found) < least:
            least, best = cost(found), levels
    return code_of(best, timesteps, payload)


def grid_of(levels: Float, fit: CodeFit, symmetric: bool = False) -> CodeGrid:
    """Grid of the values that a code sends, with its silence.

    Args:
        levels: (L,) levels in units of λ.
        fit: sides and silence.
        symmetric: as of `ActivationValues`.
    """
    thresholds = np.maximum(middles(levels), fit.silent_below)
    grid = CodeGrid.of(levels, thresholds, fit.first_negative_word, symmetric)
    return grid if fit.first_negative_word is not None else replace(grid, offset=fit.offset)


def candidates(values: ActivationValues, levels: Float) -> list[CodeFit]:
    """Sides and silence to compare; λ is still to be fitted."""
    nothing = np.zeros(0)
    found = [CodeFit(nothing, None, np.inf)]
    at, count = middles(levels)[::-1], len(levels)
    shares = SILENT_VALUES if values.two_sided else (0.0,)
    for word in sorted({int(w) for w in np.rint(np.linspace(0, SILENT_WORDS * count / 16, SILENT_WORDS + 1))}):
        if word < count:
            found += [CodeFit(nothing, None, np.inf, float(at[word]), float(at[word] * share)) for share in shares]
    if values.two_sided:
        found += [CodeFit(nothing, word, np.inf) for word in spread(2, count - 1, SIDES)]
    return found


def _own_scales(values: ActivationValues) -> bool:
    """Whether every channel has enough values for a λ and a side of its own."""
    return not values.common and values.sorted.count >= FEW_SAMPLES


def _mixed(tried: Sequence[PricedFit]) -> list[CodeFit]:
    """Codes whose channels choose their side: the best pairs of a one-sided and a two-sided code.

    Channels share the silence, and two-sided ones are better without it. Since pairs are compared by what each code
    costs by itself, the best pair without silence is a second one to try.

    Args:
        tried: codes whose channels all have the same sides, with what every channel costs.
    """
    one = [fit for fit in tried if fit.code.first_negative_word is None]
    two = [fit for fit in tried if fit.code.first_negative_word is not None]
    if not two:
        return []
    # Cost of every pair, whose channels take the cheaper side each.
    costs_of_one, costs_of_two = (np.stack([fit.costs for fit in side]) for side in (one, two))
    of_pairs = np.minimum(costs_of_one[:, None], costs_of_two).sum(axis=2)
    found: list[CodeFit] = []
    for most_silent in (np.inf, 0.0):
        allowed = np.array([fit.code.silent_below <= most_silent for fit in one])
        i, j = np.unravel_index(np.where(allowed[:, None], of_pairs, np.inf).argmin(), of_pairs.shape)
        a, b = one[i], two[j]
        found.append(replace(a.code, first_negative_word=b.code.first_negative_word, one_sided=a.costs < b.costs))
        if a.code.silent_below == 0:  # then it is the best pair without silence too
            break
    return found


def _sides(code: CodeFit) -> list[CodeFit]:
    """The code of two-sided channels and that of one-sided ones, or the only code."""
    if code.one_sided is None:
        return [code]
    return [replace(code, one_sided=None), replace(code, one_sided=None, first_negative_word=None)]


def _unit(levels: Float) -> float:
    """Factor on λ with which the first level is FIRST_LEVEL; levels of messages are known up to a factor."""
    return FIRST_LEVEL / float(levels[0])


def _measured(values: ActivationValues, levels: Float, codes: Sequence[CodeFit], factors: Float) -> tuple[Float, Float]:
    """Mean square error, and share of values that are spikes, of codes whose channels all have one side.

    Args:
        values: activations of a population.
        levels: (L,) levels in units of λ.
        codes: K sides and silences.
        factors: (F,) fractions of the largest activation that are tried as λ.

    Returns:
        (K, C, F) each.
    """
    grids = [grid_of(levels, code, values.symmetric) for code in codes]
    return values.sorted.errors_and_spikes(grids, values.largest[:, None] * factors)


def _with_scales(
    values: ActivationValues, cost: OutputCost, levels: Float, codes: Sequence[CodeFit], factors: Float
) -> list[PricedFit]:
    """Codes as `_of_least_cost` takes them, which are measured before."""
    if not codes:
        return []
    measured = _measured(values, levels, [side for code in codes for side in _sides(code)], factors)
    count, channels = len(codes), len(values.largest)
    # The sides of a code, (K · sides, C, F), beside each other.
    errors, spikes = (
        found.reshape(count, -1, channels, len(factors)).swapaxes(1, 2).reshape(count, channels, -1)
        for found in measured
    )
    return _of_least_cost(values, cost, codes, factors, errors, spikes)


def _of_least_cost(
    values: ActivationValues, cost: OutputCost, codes: Sequence[CodeFit], factors: Float, errors: Float, spikes: Float
) -> list[PricedFit]:
    """Codes with λ, and sides where channels choose them, of least cost in every channel.

    Among equally good factors the one closest to 1 is chosen, for example for a channel that is always silent.

    Args:
        values: activations of a population.
        cost: price of errors and spikes.
        codes: K sides and silences; either the channels of all of them choose their sides, or those of none.
        factors: (F,) fractions of the largest activation that are tried as λ.
        errors, spikes: (K, C, F) of every code as `Candidates` has them; (K, C, 2 F), first those of two-sided
            channels, where channels choose.
    """
    count = len(values.largest)
    distance = np.tile(np.abs(np.log(factors / factors.mean())), errors.shape[-1] // len(factors))
    weighted = cost.weights[:, None] * errors
    total = weighted + cost.price / count * spikes
    ranked = total * (1 + 1e-9 * distance) + 1e-300 * distance
    if not _own_scales(values):
        ranked = np.broadcast_to(ranked.sum(axis=1, keepdims=True), ranked.shape)
    best = ranked.argmin(axis=2)
    scales = (values.largest[:, None] * factors)[np.arange(count), best % len(factors)]
    error, of_output, sent, costs = (
        np.take_along_axis(each, best[:, :, None], axis=2)[:, :, 0] for each in (errors, weighted, spikes, total)
    )
    found: list[PricedFit] = []
    for k, code in enumerate(codes):
        fitted = replace(code, scales=scales[k], error=float(error[k].mean()))
        if code.one_sided is not None:
            one_sided = best[k] >= len(factors)
            fitted = replace(fitted, one_sided=one_sided)
            if one_sided.all() or not one_sided.any():
                fitted = _sides(fitted)[int(one_sided.all())]
        found.append(PricedFit(fitted, float(of_output[k].sum()), float(sent[k].mean()), costs[k]))
    return found


def _moved(code: CodeFit, factor: float) -> CodeFit:
    """The code in units of levels that were multiplied by a factor."""
    return replace(code, silent_below=code.silent_below * factor, offset=code.offset * factor)


def _means(
    populations: Sequence[tuple[ActivationValues, OutputCost]], fits: Sequence[PricedFit], levels: Float
) -> Float:
    """Weighted mean of the values that are sent as every level, and the level itself where there are none."""
    number, total = np.zeros(len(levels)), np.zeros(len(levels))
    for (values, cost), fit in zip(populations, fits, strict=True):
        weights = cost.weights * fit.code.scales**2
        for side in _sides(fit.code):
            grid = grid_of(levels, side, values.symmetric)
            counted, summed = values.sorted.segments(grid, fit.code.scales)
            weight = weights[:, None]
            if fit.code.one_sided is not None:
                weight = weight * (fit.code.one_sided == (side.first_negative_word is None))[:, None]
            sent = grid.words != 0
            w = np.abs(grid.words[sent]) - 1
            np.add.at(number, w, (counted * weight).sum(axis=0)[sent])
            np.add.at(total, w, (np.sign(grid.words) * summed * weight).sum(axis=0)[sent])
    return np.where(number > 0, total / np.where(number > 0, number, 1), levels)
