"""Mean number of spikes of every neuron at every phase, measured over images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import lcm

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.graphs.network import AnyPopulation, Network, Readout
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.errors import ConfigurationError


@dataclass
class Activity:
    """Sums spikes by phase over batches of traces.

    Attributes:
        network: The network whose spikes are counted.
        images: Number of images counted so far.
        spikes: (T, *shape) spikes of every neuron at phase 1, 2, …, T, summed over images, for every population that
            spikes.
    """

    network: Network
    images: int = 0
    spikes: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Network, layers: Mapping[str, LayerTrace]) -> Activity:
        """Activity of a single batch.

        Args:
            network: The network that ran.
            layers: Traces of its populations, by name.
        """
        made = cls(network)
        made.add(layers)
        return made

    @classmethod
    def every_neuron(cls, network: Network) -> Activity:
        """What a window allows at most, for want of measured spikes: one spike of every neuron per image.

        The spike is at every phase equally often; an input that may spike at several phases spikes at all of them.

        Args:
            network: The network.
        """
        spiking = [p for p in network.populations if not isinstance(p, Readout)]
        made = cls(network, images=lcm(*(p.timesteps for p in spiking)))  # so that a share of them is a whole number
        for population in spiking:
            single = isinstance(population.code, SingleSpikeCode)
            sent = made.images // population.timesteps if single else made.images
            made.spikes[population.name] = np.full((population.timesteps, *population.shape), sent, np.int32)
        return made

    def add(self, layers: Mapping[str, LayerTrace]) -> None:
        """Count one batch of traces.

        Args:
            layers: Traces of all populations, by name.

        Raises:
            ConfigurationError: the input is a sparse sample that is too large to be written out as an array.
        """
        for population in self.network.populations:
            if isinstance(population, Readout):
                continue
            codes = layers[population.name].codes
            assert codes is not None
            shape = (population.timesteps, *population.shape)
            counts = self.spikes.setdefault(population.name, np.zeros(shape, np.int32))
            if isinstance(population.code, SingleSpikeCode):
                _count_single(counts.reshape(len(counts), -1), population.code, codes.reshape(len(codes), -1))
                continue
            for phase in range(1, population.timesteps + 1):
                counts[phase - 1] += _sent(population, codes, phase).sum(axis=0, dtype=np.int32)
        self.images += len(layers[self.network.input.name].codes)  # type: ignore[arg-type]

    def mean(self, population: str) -> NDArray[np.float64]:
        """(T, *shape) mean spikes per image of a population.

        Raises:
            ConfigurationError: nothing was counted yet.
        """
        if not self.images:
            raise ConfigurationError("activity: requires at least 1 image, got 0; call add with a trace first")
        return self.spikes[population] / self.images

    def per_neuron(self) -> dict[str, NDArray[np.float64]]:
        """(*shape) mean spikes per image of every neuron, by population, as `mapping.spike_hops` takes them."""
        return {name: self.mean(name).sum(axis=0) for name in self.spikes}


def _sent(population: AnyPopulation, codes: NDArray[np.integer], phase: int) -> NDArray[np.integer]:
    """(N, *shape) 1 where a neuron spikes at the phase, whatever its message."""
    assert not isinstance(population, Readout)
    return (population.code.spikes(codes, phase) != 0).astype(np.int64)


def _count_single(counts: NDArray[np.int32], code: SingleSpikeCode, words: NDArray[np.integer]) -> None:
    """Add the spikes of words (N, neurons) to counts (T, neurons): at most one a neuron, so that one pass is enough."""
    for image in words:
        neurons = np.flatnonzero(image)
        counts[code.phase_of(image[neurons]) - 1, neurons] += 1
