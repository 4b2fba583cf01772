"""Thresholds of a planned stage as integers: factor per neuron, table per word (docs/arithmetic.md, The neuron).

θ(w) = threshold · table_w · gain of v at step min(wait + k, T_in) / unit, with k the phase of word w
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.quantization.whole_numbers import in_units, whole_numbers
from loihi_onespike.core.codes import ThresholdTable
from loihi_onespike.core.graphs.network import Membrane
from loihi_onespike.core.graphs.stage import StagePlan


def wait_steps(plan: StagePlan, membrane: Membrane) -> int:
    """Wait of a population in steps, at most as many as its input lasts; a full wait is as long as the input."""
    return membrane.input_steps if plan.wait is None else min(plan.wait, membrane.input_steps)


def largest_threshold(plan: StagePlan, membrane: Membrane) -> NDArray[np.float64]:
    """Largest θ(w) of every neuron, in units of v."""
    return in_units(plan.threshold * _gained(plan, membrane).largest, membrane.unit)


def integer_thresholds(
    plan: StagePlan, membrane: Membrane, name: str
) -> tuple[NDArray[np.int64], ThresholdTable, ThresholdTable | None]:
    """Threshold factor per neuron, and the tables of positive and of negative spikes; None for no negative spikes.

    Args:
        plan: plan of the population.
        membrane: its integration.
        name: name of the population, for the error.

    Raises:
        GraphError: a threshold is NaN.
    """
    gained = _gained(plan, membrane)
    table = ThresholdTable.from_gains(gained.positive / gained.largest)
    negative = None if gained.negative is None else ThresholdTable.from_gains(gained.negative / gained.largest)
    threshold = whole_numbers(f"{name}: threshold", largest_threshold(plan, membrane))
    return np.maximum(threshold, ThresholdTable.SMALLEST), table, negative


@dataclass(frozen=True, eq=False)
class _Gained:
    """Threshold factors per word, (L,) each, for v with its gain."""

    positive: NDArray[np.float64]
    negative: NDArray[np.float64] | None

    @property
    def largest(self) -> float:
        """Largest finite magnitude of both."""
        both = np.abs(self.positive if self.negative is None else np.concatenate([self.positive, self.negative]))
        return float(both[np.isfinite(both)].max(initial=0.0)) or 1.0


def _gained(plan: StagePlan, membrane: Membrane) -> _Gained:
    phases = plan.code.phase_of(plan.code.words()[1:])
    gain = membrane.gains[np.minimum(wait_steps(plan, membrane) + phases, membrane.input_steps)]
    return _Gained(plan.table * gain, None if plan.negative is None else plan.negative * gain)
