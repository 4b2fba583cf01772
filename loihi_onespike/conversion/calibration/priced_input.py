"""Codes of a sparse input where a spike has a price: fewer bits, or one spike per entry with most small entries silent.

The entries of the adjacency of a graph span orders of magnitude, and most of them are small. Every bit less saves a
spike or two in the large entries and silences small ones. A code of one spike has levels that are as close, relative to
their size, for small entries as for large ones, and silence for the smallest. Rounded to the nearest level, all small
entries would be silent; their errors have one sign, and the sums over hundreds of entries add them up. So these codes
are dithered (`core.dither`): of many small entries some are sent as the smallest level, so that the mean stays, and the
errors of the entries are independent. The error at the output is measured, by running the ANN on the coded input. An
input of dense values, as images, keeps its bits, since few of the additions of such networks read it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import CLOSEST_STEP, FIRST_LEVEL, WIDEST_STEP
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
SENT_SHARES = (0.98, 0.9, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Shares of the entries that send a spike, of the codes of one spike that are tried."""
LARGEST_ERROR = 0.05
"""Squared error at the output, as a share of its variance, beyond which no fewer spikes are tried."""


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
    digits, plan = plan.code, replace(plan, dithered=True)
    largest = plan.scale / float(digits.scale_of_range(np.ones(())))
    fewer = [code_of_digits(bits, digits.digit) for bits in range(digits.bits - 1, FEWEST_BITS - 1, -1)]
    of_bits = (replace(plan, code=code, scale=code.scale_of_range(largest)) for code in fewer)
    entries = x.matrix.data.astype(np.float64) / float(largest)
    single = _codes_of_one_spike(entries, timesteps)
    of_one_spike = (replace(plan, code=code, scale=code.scale_of_range(largest)) for code in single)
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


def _codes_of_one_spike(entries: Float, timesteps: int) -> list[Codebook]:
    """Geometric levels from the largest entry down to one with which a share of SENT_SHARES sends a spike.

    A dithered entry x below the last level l is sent in the share x / l of its places.

    Args:
        entries: entries relative to the largest one.
        timesteps: number of phases T.
    """
    rising = np.sort(entries[entries > 0])
    sent = (np.cumsum(rising) / rising + np.arange(len(rising) - 1, -1, -1)) / len(entries)  # by each as the last level
    found: dict[Codebook, None] = {}
    for share in SENT_SHARES:
        few = np.flatnonzero(sent <= share)
        last = float(rising[few[0]]) if few.size else 1.0
        last = float(np.clip(last, WIDEST_STEP ** (1 - timesteps), CLOSEST_STEP ** (1 - timesteps)))
        found[Codebook.nearest(FIRST_LEVEL * np.geomspace(1.0, last, timesteps))] = None
    return list(found)
