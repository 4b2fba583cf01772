"""Thresholds of a planned stage as integers: factor per neuron, table per word (docs/arithmetic.md, The neuron).

θ(w) = threshold · table_w · gain of v at step min(wait + k, T_in) / unit, with k the phase of word w
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.quantization.whole_numbers import in_units, whole_numbers_of_v
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
) -> tuple[NDArray[np.int64], dict[str, ThresholdTable]]:
    """Threshold factor per neuron, and the tables under the names of the fields of `core.graphs.network.Population`.

    A population without negative spikes has no table `negative`, one without a dip no table `far`.

    Args:
        plan: plan of the population.
        membrane: its integration.
        name: name of the population, for the error.

    Raises:
        GraphError: a threshold is NaN.
        HeadroomError: a threshold is wider than v.
    """
    gained = _gained(plan, membrane)
    tables = {field: ThresholdTable.from_gains(gains / gained.largest) for field, gains in gained.tables.items()}
    threshold = whole_numbers_of_v(name, "threshold", largest_threshold(plan, membrane))
    return np.maximum(threshold, ThresholdTable.SMALLEST), tables


@dataclass(frozen=True, eq=False)
class _Gained:
    """Threshold factors per word, (L,) each, for v with its gain.

    Attributes:
        tables: table, negative and far as far as the plan has them.
    """

    tables: dict[str, NDArray[np.float64]]

    @property
    def largest(self) -> float:
        """Largest finite magnitude of all."""
        every = np.abs(np.concatenate(list(self.tables.values())))
        return float(every[np.isfinite(every)].max(initial=0.0)) or 1.0


def _gained(plan: StagePlan, membrane: Membrane) -> _Gained:
    phases = plan.code.phase_of(plan.code.words()[1:])
    gain = membrane.gains[np.minimum(wait_steps(plan, membrane) + phases, membrane.input_steps)]
    every = {"table": plan.table, "negative": plan.negative, "far": plan.far}
    return _Gained({name: table * gain for name, table in every.items() if table is not None})
