"""Exact counts of a run: spikes and synaptic operations (docs/arithmetic.md, Energy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.maps.connectivity import fan_out
from loihi_onespike.core.trace import LayerTrace


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
        self._sizes = {p.name: int(np.prod(p.shape)) for p in self.network.populations}
        self._fan_outs: dict[str, NDArray[np.int64]] = {}

    def add(self, layers: Mapping[str, LayerTrace]) -> None:
        """Count one batch of traces."""
        sent: dict[str, NDArray[Any] | SparseSample] = {}
        for name, trace in layers.items():
            if trace.sparse is not None:
                sent[name] = trace.sparse.with_data(self._sent(name, trace.sparse.matrix.data))
                self._sizes[name] = trace.sparse.nonzeros
            elif trace.words is not None:
                sent[name] = self._sent(name, trace.words)
        self.images += len(next(iter(sent.values())))
        for name, per_neuron in sent.items():
            values = per_neuron.matrix.data if isinstance(per_neuron, SparseSample) else per_neuron
            self.spikes[name] = self.spikes.get(name, 0) + int(values.sum(dtype=np.int64))
        for synapse in self.network.synapses:
            operations = self._operations(synapse, sent[synapse.pre])
            self.synaptic_operations[synapse.name] = self.synaptic_operations.get(synapse.name, 0) + operations

    def _operations(self, synapse: Synapse, sent: NDArray[Any] | SparseSample) -> int:
        """Spikes times targets of one group."""
        if isinstance(sent, SparseSample):
            fan_out_of_all = synapse.op.uniform_fan_out
            if fan_out_of_all is not None and synapse.index is None:
                return int(sent.matrix.data.sum(dtype=np.int64)) * fan_out_of_all
            sent = sent.dense(f"{synapse.name}: the count of synaptic operations")
        if synapse.name not in self._fan_outs:
            shape = self.network.by_name[synapse.pre].shape
            self._fan_outs[synapse.name] = fan_out(synapse.op, shape, synapse.index)
        return int((sent.sum(axis=0, dtype=np.int64) * self._fan_outs[synapse.name]).sum())

    def _sent(self, name: str, phases: NDArray[np.integer]) -> NDArray[Any]:
        """Spikes of every neuron and image, a byte each: a batch has as many of them as phases."""
        population = self.network.by_name[name]
        assert not isinstance(population, Readout)
        return population.code.count_spikes(phases)

    def spikes_per_neuron(self) -> dict[str, float]:
        """Mean spikes per neuron and image of every population that spikes.

        Of a sparse input, per stored entry: the ANN multiplies those alone, so that SpikeRate · OP_ANN of Eq. 6 is the
        number of additions its spikes cause, spikes · fan-out.
        """
        return {name: count / (self._sizes[name] * self.images) for name, count in self.spikes.items()}
