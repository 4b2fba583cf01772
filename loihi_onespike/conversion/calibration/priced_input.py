"""Codes of a sparse input where a spike has a price: fewer bits, or one spike per entry with small entries left out.

The entries of the adjacency of a graph span orders of magnitude, and most of them are small. Every bit less saves a
spike or two in the large entries and silences small ones. A code of one spike has levels that are as close, relative to
their size, for small entries as for large ones, and silence for the smallest. The errors of silent entries have one
sign and do not average out: λ of a code of one spike is chosen so that the sum of all entries stays, and the error at
the output is measured, by running the ANN on the coded input. An input of dense values, as images, keeps its bits,
since few of the additions of such networks read it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import (
    CLOSEST_STEP,
    FIRST_LEVEL,
    WIDEST_STEP,
    companded_levels,
    middles,
)
from loihi_onespike.conversion.calibration.measured_output import MeasuredOutput
from loihi_onespike.conversion.codes_of_options import code_of_digits
from loihi_onespike.core.codes import Codebook, PositionalCode
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, StageGraph
from loihi_onespike.executors.float.float_executor import FloatExecutor

Float = NDArray[np.float64]

FEWEST_BITS = 2
"""Fewest bits that are tried."""
SILENT_SHARES = (0.2, 0.35, 0.45, 0.55)
"""Shares of the entries that are below half of the last level of the codes of one spike that are tried."""
LARGEST_ERROR = 0.05
"""Squared error at the output, as a share of its variance, beyond which no fewer spikes are tried."""
ENTRIES = 2**16
"""Largest number of entries that levels are fitted to."""
CURVE = 5.0
"""Curve of `companded_levels` from which the fit of levels starts."""
ITERATIONS = 12
"""Iterations of Lloyd's method."""
LEAST_FIRST = 0.7
"""Smallest first level relative to the largest entry, so that no entry lies far outside the range of the code."""


@dataclass(frozen=True, eq=False)
class InputCandidate:
    """A code of the input, with what it costs.

    Attributes:
        plan: the code with its λ.
        error: squared error at the output, as a share of its variance.
        spikes: spikes per stored entry.
    """

    plan: InputPlan
    error: float
    spikes: float

    def cost(self, price: float) -> float:
        """Error and spikes together, at a price of one spike for every stored entry."""
        return self.error + price * self.spikes


def input_candidates(graph: StageGraph, x: SparseSample, timesteps: int) -> list[InputCandidate]:
    """Codes of digits with fewer bits than the planned one, and codes of one spike, as measured.

    Args:
        graph: stages whose input is planned.
        x: the sample.
        timesteps: number of phases T of the codes of one spike.
    """
    plan = graph.input_plan
    if plan is None or np.any(plan.offset) or np.size(plan.scale) > 1 or not isinstance(plan.code, PositionalCode):
        return []
    largest = plan.scale / float(plan.code.scale_of_range(np.ones(())))
    fewer = [code_of_digits(bits, plan.code.digit) for bits in range(plan.code.bits - 1, FEWEST_BITS - 1, -1)]
    of_bits = (replace(plan, code=code, scale=code.scale_of_range(largest)) for code in fewer)
    of_one_spike = (_one_spike_plan(plan, x.matrix.data / float(largest), largest, s, timesteps) for s in SILENT_SHARES)
    ann, output = FloatExecutor(graph, coded=False), MeasuredOutput(graph, x)
    found: list[InputCandidate] = []
    for plans in (of_bits, of_one_spike):
        for tried in plans:
            words = encode_values(tried, x)
            assert isinstance(words, SparseSample)
            sent = tried.code.decode(words.matrix.data) * float(tried.scale)
            error = output.error(ann, x.with_data(sent))
            found.append(InputCandidate(tried, error, float(tried.code.count_spikes(words.matrix.data).mean())))
            if error > LARGEST_ERROR:
                break
    return found


def _one_spike_plan(plan: InputPlan, entries: Float, largest: Float, silent: float, timesteps: int) -> InputPlan:
    """The plan with a code of one spike whose last level is twice the given quantile of the entries.

    Each level is the mean of the entries that are sent as it, weighted by their inverse, since small entries are many.

    Args:
        plan: plan of the input.
        entries: entries relative to the largest one.
        largest: the largest entry.
        silent: share of the entries below half of the last level.
        timesteps: number of phases T.
    """
    some = entries[np.linspace(0, len(entries) - 1, min(ENTRIES, len(entries))).astype(np.int64)]
    some = some[some > 0]
    last = 2 * float(np.quantile(some, silent))
    levels = _apart(companded_levels(timesteps, CURVE) / FIRST_LEVEL, last)
    for _ in range(ITERATIONS):
        place = timesteps - np.searchsorted(middles(levels)[::-1], some, side="right")  # timesteps is silence
        number = np.bincount(place, 1 / some, timesteps + 1)[:-1]
        total = np.bincount(place, minlength=timesteps + 1)[:-1]
        levels = _apart(np.where(number > 0, total / np.where(number > 0, number, 1), levels), last)
    code = Codebook.nearest(FIRST_LEVEL * levels)
    kept = float(code.decode(code.encode(some * FIRST_LEVEL)).sum()) / FIRST_LEVEL
    return replace(plan, code=code, scale=largest / FIRST_LEVEL * float(some.sum()) / (kept or 1.0))


def _apart(levels: Float, last: float) -> Float:
    """Decreasing levels with ratios that gains can express, the first near 1 and the last one at least `last`."""
    apart = np.empty_like(levels)
    apart[0] = np.clip(levels[0], LEAST_FIRST, 1.0)
    for k in range(1, len(levels)):
        apart[k] = np.clip(levels[k], apart[k - 1] / WIDEST_STEP, apart[k - 1] / CLOSEST_STEP)
    least = min(last, apart[0] * CLOSEST_STEP ** (1 - len(levels)))
    return np.maximum(apart, least * CLOSEST_STEP ** np.arange(len(levels) - 1, -1, -1.0))
