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
        synaptic_operations: spikes times the targets they have, per synapse group; stored weights of 0 count.
        nonzero_operations: the same without weights of 0.
    """

    network: Network
    images: int = 0
    spikes: dict[str, int] = field(default_factory=dict)
    synaptic_operations: dict[str, int] = field(default_factory=dict)
    nonzero_operations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sizes = {p.name: int(np.prod(p.shape)) for p in self.network.populations}
        self._fan_outs: dict[tuple[str, bool], NDArray[np.int64]] = {}

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
            for zeros, counted in ((True, self.synaptic_operations), (False, self.nonzero_operations)):
                operations = self._operations(synapse, sent[synapse.pre], zeros)
                counted[synapse.name] = counted.get(synapse.name, 0) + operations

    def _operations(self, synapse: Synapse, sent: NDArray[Any] | SparseSample, zeros: bool) -> int:
        """Spikes times targets of one group."""
        if isinstance(sent, SparseSample):
            # A dense map over features: the targets of an entry follow from its column; none are written out for all.
            if synapse.op.uniform_fan_out is not None and synapse.index is None:
                count = synapse.op.fan_out if zeros else synapse.op.nonzero_fan_out
                columns = np.broadcast_to(count(sent.matrix.shape), sent.matrix.shape[-1:])
                return int((sent.matrix.data.astype(np.int64) * columns[sent.matrix.indices]).sum())
            sent = sent.dense(f"{synapse.name}: the count of synaptic operations")
        return int((sent.sum(axis=0, dtype=np.int64) * self._targets(synapse, zeros)).sum())

    def _targets(self, synapse: Synapse, zeros: bool) -> NDArray[np.int64]:
        """Targets of every presynaptic neuron, counted once."""
        key = (synapse.name, zeros)
        if key not in self._fan_outs:
            shape = self.network.by_name[synapse.pre].shape
            self._fan_outs[key] = fan_out(synapse.op, shape, synapse.index, zeros)
        return self._fan_outs[key]

    def _sent(self, name: str, words: NDArray[np.integer]) -> NDArray[Any]:
        """Spikes of every neuron and image, a byte each: a batch has as many of them as words."""
        population = self.network.by_name[name]
        assert not isinstance(population, Readout)
        return population.code.count_spikes(words)

    def made(self) -> dict[str, float]:
        """Share of the synaptic operations of each group whose weight is not 0; 1 where nothing was sent."""
        return {
            name: self.nonzero_operations.get(name, count) / count if count else 1.0
            for name, count in self.synaptic_operations.items()
        }

    def spikes_per_neuron(self) -> dict[str, float]:
        """Mean spikes per neuron and image of every population that spikes.

        Of a sparse input, per stored entry: the ANN multiplies those alone, so that SpikeRate · OP_ANN of Eq. 6 is the
        number of additions its spikes cause, spikes · fan-out.
        """
        return {name: count / (self._sizes[name] * self.images) for name, count in self.spikes.items()}


def operations_made(network: Network, spikes: Mapping[str, NDArray[np.floating]]) -> dict[str, float]:
    """Share of the synaptic operations of each group whose weight is not 0; 1 where nothing is sent.

    Args:
        network: the network.
        spikes: (*shape) mean spikes of every neuron, by population.
    """
    found = {}
    for synapse in network.synapses:
        shape, sent = network.by_name[synapse.pre].shape, spikes[synapse.pre]
        every, kept = (
            float((sent * fan_out(synapse.op, shape, synapse.index, zeros)).sum()) for zeros in (True, False)
        )
        found[synapse.name] = kept / every if every else 1.0
    return found
