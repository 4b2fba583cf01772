"""Run of the calibration images through the integer network, population by population as `quantize` makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.encoding import Codes, dense_codes
from loihi_onespike.core.graphs.network import InputPopulation, Population, Readout, Synapse
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.fast.dense_layer import DenseLayer
from loihi_onespike.executors.fast.event.event_layer import EventLayer
from loihi_onespike.executors.fast.gnn.gnn_layer import GraphLayer
from loihi_onespike.executors.fast.message_pool_layer import MessagePoolLayer
from loihi_onespike.executors.fast.product_layer import ProductLayer

BUDGET_BYTES = 2**29
"""Memory for one layer on calibration images, which are run in parts that fit into it."""

Inputs = list[tuple[Synapse, InputPopulation | Population]]


@dataclass(frozen=True, eq=False)
class IntegerRun:
    """The populations so far, and the code words that they send on the calibration images.

    Attributes:
        populations: input and spiking populations by name.
        codes: code words of each on the calibration images.
        graph_layers: the populations have the shape (nodes, features) of one graph; kernels for graph networks run
        them.
    """

    populations: dict[str, InputPopulation | Population]
    codes: dict[str, Codes]
    graph_layers: bool

    def add(self, population: Population | Readout, trace: LayerTrace) -> None:
        """Add a population, so that later ones can read the words of its trace; a readout is ignored."""
        if isinstance(population, Population):
            assert trace.words is not None
            self.populations[population.name] = population
            self.codes[population.name] = trace.words

    def trace(self, population: Population | Readout, synapses: Sequence[Synapse]) -> LayerTrace:
        """Words, v and peaks of a population, with rounding and saturation."""
        inputs = self._inputs(synapses)
        if self.graph_layers:
            graph_layer = GraphLayer.of(population, inputs)
            if graph_layer is not None:
                return graph_layer.run_batch(self._read(synapses))
        if isinstance(population, Population) and population.product is not None:
            product = ProductLayer(population, inputs, torch.device("cpu"))
            return LayerTrace.joined([product.run_batch(p) for p in self._parts(synapses, product.bytes_per_image)])
        kernels = MessagePoolLayer.of(population, inputs) or EventLayer.of(population, inputs)
        layer = kernels or DenseLayer(population, inputs, torch.device("cpu"))
        return LayerTrace.joined([layer.run_batch(part) for part in self._parts(synapses, layer.bytes_per_image)])

    def potentials(self, probe: Readout, synapses: Sequence[Synapse]) -> NDArray[np.float64]:
        """Largest |v| of every neuron at the end of the input, (*shape), neither rounded nor saturated."""
        inputs = self._inputs(synapses)
        graph_layer = GraphLayer.of(probe, inputs) if self.graph_layers else None
        if graph_layer is not None:
            return graph_layer.ranges(self._read(synapses))
        layer = DenseLayer(probe, inputs, torch.device("cpu"))
        finals = (layer.final(part) for part in self._parts(synapses, layer.bytes_of_levels))
        return reduce(np.maximum, (np.abs(final).max(axis=0) for final in finals))

    def largest_product(self, factors: Sequence[Readout], synapses: Sequence[Synapse]) -> float:
        """Largest |u · w| of any neuron at the end of the input, neither rounded nor saturated.

        Args:
            factors: both integrations, as readouts.
            synapses: groups of synapses onto both.
        """
        layers = [
            DenseLayer(probe, self._inputs([s for s in synapses if s.factor == i]), torch.device("cpu"))
            for i, probe in enumerate(factors)
        ]
        parts = self._parts(synapses, sum(layer.bytes_of_levels for layer in layers))
        return max(float(np.abs(layers[0].final(p) * layers[1].final(p)).max(initial=0)) for p in parts)

    def _inputs(self, synapses: Sequence[Synapse]) -> Inputs:
        return [(s, self.populations[s.pre]) for s in synapses]

    def _read(self, synapses: Sequence[Synapse]) -> dict[str, Codes]:
        return {s.pre: self.codes[s.pre] for s in synapses}

    def _parts(self, synapses: Sequence[Synapse], bytes_per_image: int) -> Iterator[dict[str, NDArray[np.integer]]]:
        """Words that the synapses read, a few images at a time."""
        read = {s.pre: dense_codes(self.codes[s.pre], s.name) for s in synapses}
        images, step = len(next(iter(read.values()))), max(1, BUDGET_BYTES // bytes_per_image)
        return ({pre: p[i : i + step] for pre, p in read.items()} for i in range(0, images, step))
