"""Exact counts of a run: spikes and synaptic operations (contract section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.coding import BinaryCode
from loihi_onespike.ir.fanout import fan_out
from loihi_onespike.ir.network import InputPopulation, Network
from loihi_onespike.sim.trace import LayerTrace


@dataclass
class SpikeCounter:
    """Adds up spikes and synaptic operations over batches.

    Attributes:
        network: what is counted.
        images: images so far.
        spikes: spikes per population.
        synaptic_operations: spikes times the targets they have, per synapse group.
    """

    network: Network
    images: int = 0
    spikes: dict[str, int] = field(default_factory=dict)
    synaptic_operations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_name = self.network.by_name
        self._fan_out = {s.name: fan_out(s.op, by_name[s.pre].shape, s.index) for s in self.network.synapses}

    def add(self, layers: Mapping[str, LayerTrace]) -> None:
        """Count one batch of traces."""
        sent = {name: self._sent(name, t.phases) for name, t in layers.items() if t.phases is not None}
        self.images += len(next(iter(sent.values())))
        for name, per_neuron in sent.items():
            self.spikes[name] = self.spikes.get(name, 0) + int(per_neuron.sum())
        for synapse in self.network.synapses:
            operations = int((sent[synapse.pre].sum(axis=0) * self._fan_out[synapse.name]).sum())
            self.synaptic_operations[synapse.name] = self.synaptic_operations.get(synapse.name, 0) + operations

    def _sent(self, name: str, phases: NDArray[np.integer]) -> NDArray[np.int64]:
        """Spikes of every neuron and image."""
        population = self.network.by_name[name]
        if isinstance(population, InputPopulation) and isinstance(population.code, BinaryCode):
            code = population.code
            return sum((code.spikes(phases, t) for t in range(1, code.bits + 1)), np.zeros(phases.shape, np.int64))
        return (phases != 0).astype(np.int64)

    def spikes_per_neuron(self) -> dict[str, float]:
        """Mean spikes per neuron and image of every population that spikes."""
        sizes = {p.name: int(np.prod(p.shape)) for p in self.network.populations}
        return {name: count / (sizes[name] * self.images) for name, count in self.spikes.items()}
