"""When neurons spike: mean spikes of every neuron at every phase, measured over images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import AnyPopulation, InputPopulation, Network, Readout
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.errors import ConfigurationError


@dataclass
class Activity:
    """Adds up spikes by phase over batches of traces.

    Attributes:
        network: what is counted.
        images: images so far.
        spikes: (phases, *shape) spikes of every neuron at phase 1, 2, …, of all populations that spike.
    """

    network: Network
    images: int = 0
    spikes: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Network, layers: Mapping[str, LayerTrace]) -> Activity:
        """Activity of one batch."""
        made = cls(network)
        made.add(layers)
        return made

    def add(self, layers: Mapping[str, LayerTrace]) -> None:
        """Count one batch of traces.

        Raises:
            ConfigurationError: an input given as a sparse sample too large to be written out.
        """
        for population in self.network.populations:
            if isinstance(population, Readout):
                continue
            codes = layers[population.name].codes
            assert codes is not None
            counts = self.spikes.setdefault(
                population.name, np.zeros((population.timesteps, *population.shape), np.int64)
            )
            for phase in range(1, population.timesteps + 1):
                counts[phase - 1] += _sent(population, codes, phase).sum(axis=0)
        self.images += len(layers[self.network.input.name].codes)  # type: ignore[arg-type]

    def mean(self, population: str) -> NDArray[np.float64]:
        """(phases, *shape) spikes per image. Raises ConfigurationError before anything was counted."""
        if not self.images:
            raise ConfigurationError("activity: found no images, supported 1 and more; call add with a trace first")
        return self.spikes[population] / self.images

    def per_neuron(self) -> dict[str, NDArray[np.float64]]:
        """(*shape) spikes per image of every neuron, what `mapping.spike_hops` takes."""
        return {name: self.mean(name).sum(axis=0) for name in self.spikes}


def _sent(population: AnyPopulation, codes: NDArray[np.integer], phase: int) -> NDArray[np.integer]:
    if isinstance(population, InputPopulation) and isinstance(population.code, BinaryCode):
        return population.code.spikes(codes, phase)
    return np.abs(codes) == phase
