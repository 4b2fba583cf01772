"""Codes in which a spike has a price: entropy-constrained fits of λ, silence, sides and levels.

A value x of channel c that is sent as q costs, with the price p of a spike in units of the error at the output,

    S_c · (x - q)² + p · [a spike is sent]

As in entropy-constrained quantization, silence then covers more values than the nearest level alone would give it, and
the levels move to the means of what is left. On a chip this costs nothing: only the last thresholds of the table move.
No spike may be worth a little more than 0, since it stands for the small values that are not sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    """

    code: CodeFit
    error: float
    spikes: float

    def cost(self, price: float) -> float:
        """Error and spikes together."""
        return self.error + price * self.spikes


def fit_priced(values: ActivationValues, cost: OutputCost, levels: Float) -> PricedFit:
    """λ per channel, sides and silence of least cost for given levels.

    Args:
        values: activations of a population.
        cost: price of errors and spikes.
        levels: (L,) levels in units of λ.
    """
    unit = FIRST_LEVEL / float(levels[0])  # levels of messages are known up to a factor
    tried = [_with_scales(values, cost, levels, c, COARSE * unit) for c in candidates(values, levels)]
    best = min(tried, key=lambda fit: fit.cost(cost.price))
    return _with_scales(values, cost, levels, best.code, FACTORS * unit)


def fit_priced_codebook(
    populations: Sequence[tuple[ActivationValues, OutputCost]], timesteps: int, payload: Payload | None = None
) -> SingleSpikeCode:
    """Levels of least cost for populations that share them.

    Each iteration of Lloyd's method moves every level to the mean of the values that are sent as it, weighted by what
    their errors cost, after silence and λ have been fitted to the levels.

    Args:
        populations: activations and costs.
        timesteps: number of phases T.
        payload: messages of the spikes; None for spikes without payload.
    """
    count = timesteps if payload is None else timesteps * 2**payload.bits
    alive = [(v, c) for v, c in populations if v.power > 0 and c.weights.any()]
    if not alive:
        return code_of(spaced(companded_levels(count, float(np.median(CURVES))), payload), timesteps, payload)

    def fits(levels: Float) -> list[PricedFit]:
        return [fit_priced(v, c, levels) for v, c in alive]

    def cost(found: Sequence[PricedFit]) -> float:
        return sum(fit.cost(c.price) for fit, (_, c) in zip(found, alive, strict=True))

    start = [spaced(companded_levels(count, curve), payload) for curve in CURVES[2::4]]
    found, levels = min(((fits(tried), tried) for tried in start), key=lambda pair: cost(pair[0]))
    least, best = cost(found), levels
    for i in range(ITERATIONS):
        means = _means(alive, found, levels)
        levels, moved = spaced(means, payload), FIRST_LEVEL / means[0]
        if i % REFIT == REFIT - 1:
            found = fits(levels)
        else:
            found = [
                _with_scales(v, c, levels, _moved(fit.code, moved), FACTORS)
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


def _with_scales(values: ActivationValues, cost: OutputCost, levels: Float, code: CodeFit, factors: Float) -> PricedFit:
    """The code with λ of least cost in every channel.

    Among equally good factors the one closest to 1 is chosen, for example for a channel that is always silent.
    """
    scales = values.largest[:, None] * factors
    errors, spikes = values.sorted.errors_and_spikes(grid_of(levels, code, values.symmetric), scales)
    weighted = cost.weights[:, None] * errors
    distance = np.abs(np.log(factors / factors.mean()))
    total = weighted + cost.price / len(scales) * spikes
    ranked = total * (1 + 1e-9 * distance) + 1e-300 * distance
    if values.common or values.sorted.count < FEW_SAMPLES:
        ranked = np.broadcast_to(ranked.sum(axis=0), ranked.shape)
    best, rows = ranked.argmin(axis=1), np.arange(len(scales))
    error = float(errors[rows, best].mean())
    fitted = replace(code, scales=scales[rows, best], error=error)
    return PricedFit(fitted, float(weighted[rows, best].sum()), float(spikes[rows, best].mean()))


def _moved(code: CodeFit, factor: float) -> CodeFit:
    """The code in units of levels that were multiplied by a factor."""
    return replace(code, silent_below=code.silent_below * factor, offset=code.offset * factor)


def _means(
    populations: Sequence[tuple[ActivationValues, OutputCost]], fits: Sequence[PricedFit], levels: Float
) -> Float:
    """Weighted mean of the values that are sent as every level, and the level itself where there are none."""
    number, total = np.zeros(len(levels)), np.zeros(len(levels))
    for (values, cost), fit in zip(populations, fits, strict=True):
        grid = grid_of(levels, fit.code, values.symmetric)
        counted, summed = values.sorted.segments(grid, fit.code.scales)
        weight = (cost.weights * fit.code.scales**2)[:, None]
        sent = grid.words != 0
        w = np.abs(grid.words[sent]) - 1
        np.add.at(number, w, (counted * weight).sum(axis=0)[sent])
        np.add.at(total, w, (np.sign(grid.words) * summed * weight).sum(axis=0)[sent])
    return np.where(number > 0, total / np.where(number > 0, number, 1), levels)
