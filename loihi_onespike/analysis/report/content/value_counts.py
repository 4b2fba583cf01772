"""Distribution of a population's potentials, and the thresholds that cut it into levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Population

BINS = 160
BEYOND = 1.25
"""The histogram ends at this multiple of the first level."""
PASSING_ON = ("relay", "max_pool")
"""Kinds of populations that pass spikes on: they decide by no levels of their own."""


@dataclass(eq=False)
class ValueCounts:
    """Histogram of x = v · unit / (gain · λ), the pre-activation without the value of no spike, in units of λ.

    The unit over the gain is `Population.unit_at_end`.

    Attributes:
        population: the population.
        edges: (BINS + 1,) ends of the bins.
        counts: (BINS,) values in every bin.
        below, above: values outside the bins.
    """

    population: Population
    edges: NDArray[np.float64]
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    below: int = 0
    above: int = 0

    def add(self, v: NDArray[np.integer]) -> None:
        """Count the potentials (N, *shape) of a batch at the end of the window."""
        p = self.population
        self._count((v * (p.unit_at_end / p.scale)).ravel())

    def add_values(self, values: NDArray[np.floating]) -> None:
        """Count values (N, *shape) in the units of the ANN, relative to the value of no spike."""
        self._count((values / self.population.scale).ravel())

    def _count(self, x: NDArray[Any]) -> None:
        self.below += int((x < self.edges[0]).sum())
        self.above += int((x > self.edges[-1]).sum())
        self.counts += np.histogram(x, self.edges)[0]

    @property
    def total(self) -> int:
        """Values counted, those outside the bins included."""
        return int(self.counts.sum()) + self.below + self.above


def value_counts_of(population: Population) -> ValueCounts | None:
    """An empty histogram that holds all levels; None for a population that passes spikes on."""
    if population.kind in PASSING_ON:
        return None
    top = BEYOND * float(population.code.levels()[0])
    return ValueCounts(population, np.linspace(-top if population.signed else -0.6 * top, top, BINS + 1))


def borders(population: Population, which: Literal["table", "negative", "far"] = "table") -> NDArray[np.float64]:
    """(L, 3) smallest, middle and largest threshold of every word over the neurons, in the units of `ValueCounts`.

    The threshold of word w, which is decided at step wait + phase(w), applies to v with the gain of that step. The
    thresholds of negative spikes are given as positive numbers, over the neurons that may send them; those of a word
    that is never sent lie beyond every potential.

    Args:
        population: the population.
        which: thresholds of positive spikes, of negative ones (signed populations), or the far ends of those (a dip).
    """
    table = population.tables[which]
    code, membrane = population.code, population.membrane
    steps = np.minimum(population.wait + code.phase_of(code.words()[1:]), membrane.input_steps)
    theta = table.thresholds(population.threshold).astype(np.float64)
    factor = population.unit_at_end / population.scale
    one_sided = np.zeros((), bool) if which == "table" or population.one_sided is None else population.one_sided
    shape = np.broadcast_shapes(population.threshold.shape, factor.shape, one_sided.shape)
    rank = len(shape)
    # A product decides on the whole input alone.
    left = np.ones(len(steps)) if population.product is not None else membrane.gains[steps] / membrane.gain
    gains = left.reshape(-1, *(1,) * rank)
    theta = theta.reshape(len(steps), *(1,) * (rank - population.threshold.ndim), *population.threshold.shape)
    found = np.broadcast_to(theta * factor / gains, (len(steps), *shape)).reshape(len(steps), -1)
    decides = ~np.broadcast_to(one_sided, shape).reshape(-1)
    found = found[:, decides] if decides.any() else np.full((len(steps), 1), np.inf)
    return np.stack([found.min(axis=1), np.median(found, axis=1), found.max(axis=1)], axis=1)
