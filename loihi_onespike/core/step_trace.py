"""What every neuron sent and held in every step of its windows, and the first place where two such records differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network


@dataclass(frozen=True, eq=False)
class StepTrace:
    """Spikes and potentials of every step, by name of the population; what was not recorded is left out.

    Index t - 1 of the second axis is local step t of a window.

    Attributes:
        spikes: (N, period, *shape) message of the spike that was sent at a step, 0 for none.
        v: (N, period, *shape) membrane potential after a step.
    """

    spikes: Mapping[str, NDArray[np.int32]]
    v: Mapping[str, NDArray[np.int32]]

    @classmethod
    def silent(cls, network: Network, images: int, spikes: Iterable[str], v: Iterable[str]) -> StepTrace:
        """Zeros, to be filled in by an executor.

        Args:
            network: the network that is to run.
            images: number of images, N.
            spikes: names of the populations whose spikes are wanted.
            v: names of the populations whose potentials are wanted.
        """

        def zeros(names: Iterable[str]) -> dict[str, NDArray[np.int32]]:
            shapes = {name: network.by_name[name].shape for name in names}
            return {n: np.zeros((images, network.period_steps, *shape), np.int32) for n, shape in shapes.items()}

        return cls(zeros(spikes), zeros(v))


@dataclass(frozen=True)
class StepDifference:
    """One place where two records differ.

    Attributes:
        population: name of the population.
        quantity: "v" or "spikes".
        image: number of the image, from 0.
        step: local step of the population's window, from 1.
        neuron: place of the neuron in the population.
        expected: value in the first record.
        found: value in the second record.
        count: number of differing values of this quantity in the population.
    """

    population: str
    quantity: str
    image: int
    step: int
    neuron: tuple[int, ...]
    expected: int
    found: int
    count: int

    def __str__(self) -> str:
        where = f"neuron {list(self.neuron)}, image {self.image}, step {self.step} of its window"
        values = f"expected {self.expected}, found {self.found}"
        return f"{self.population}: {self.quantity} at {where}: {values} ({self.count} values differ)"


def step_differences(expected: StepTrace, found: StepTrace, populations: Iterable[str]) -> list[StepDifference]:
    """The first difference of every population and quantity that both records hold, the earliest step first.

    Args:
        expected: the record to compare with.
        found: the record to judge.
        populations: names in the order of the network.

    Returns:
        At most two per population, in the order of the populations: the population in which an error began comes first,
        and of its two quantities the one that differed first; at the same step v, from which the spike follows.
    """
    differences = []
    for name in populations:
        pairs = [("v", expected.v, found.v), ("spikes", expected.spikes, found.spikes)]
        of_population = [
            difference
            for quantity, a, b in pairs
            if name in a and name in b and (difference := _first(name, quantity, a[name], b[name])) is not None
        ]
        differences += sorted(of_population, key=lambda d: (d.image, d.step))
    return differences


def _first(name: str, quantity: str, a: NDArray[np.int32], b: NDArray[np.int32]) -> StepDifference | None:
    unequal = a != b
    count = int(unequal.sum())
    if not count:
        return None
    image, step, *neuron = (int(i) for i in np.argwhere(unequal)[0])
    place = (image, step, *neuron)
    return StepDifference(name, quantity, image, step + 1, tuple(neuron), int(a[place]), int(b[place]), count)
