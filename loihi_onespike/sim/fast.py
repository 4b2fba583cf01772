"""The fast integer executor: a layer over its whole window at once, equal to the oracle bit for bit.

On the CPU a layer runs in the event-driven kernel (`event_layer`): every spike is scattered once. Graph networks have
kernels of their own (`graph_layer`). Maps without such a form, and all layers on a GPU, run as dense maps
(`dense_layer`). Nothing is ever rounded but by the contract's own shift, so the results never depend on the choice.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.ir.network import InputPopulation, Network
from loihi_onespike.sim.decode import Codes, decode_readout, dense_codes
from loihi_onespike.sim.dense_layer import DenseLayer
from loihi_onespike.sim.event_layer import EventLayer
from loihi_onespike.sim.graph_layer import GraphLayer, is_graph_network
from loihi_onespike.sim.sparse_sample import SparseSample
from loihi_onespike.sim.trace import LayerTrace, Trace

DEFAULT_BUDGET_BYTES = 2 * 2**30


class FastExecutor:
    """Runs an integer network on batches of input codes.

    Args:
        network: verified network.
        device: torch device; "cpu" takes the event-driven kernel where there is one.
        budget_bytes: memory for one layer; images are run in chunks that keep to it.
        events: False runs every layer as dense maps.
    """

    def __init__(
        self, network: Network, device: str = "cpu", budget_bytes: int = DEFAULT_BUDGET_BYTES, events: bool = True
    ) -> None:
        self.network, self.device, self.budget_bytes = network, torch.device(device), budget_bytes
        self.layers: dict[str, EventLayer | GraphLayer | DenseLayer] = {}
        form: type[EventLayer] | type[GraphLayer] = GraphLayer if is_graph_network(network) else EventLayer
        for p in network.populations:
            if isinstance(p, InputPopulation):
                continue
            inputs = [(s, network.by_name[s.pre]) for s in network.synapses_onto(p.name)]
            event = form.of(p, inputs) if events and self.device.type == "cpu" else None  # type: ignore[arg-type]
            self.layers[p.name] = event or DenseLayer(p, inputs, self.device)

    @property
    def images_per_chunk(self) -> int:
        """Images whose largest layer stays within the budget."""
        widest = max(layer.bytes_per_image for layer in self.layers.values())
        return max(1, self.budget_bytes // widest)

    def run(self, codes: Codes) -> Trace:
        """Every layer's spike phases and v for codes (N, *input shape)."""
        parts = [self._run_chunk(part, keep=True) for part in self._chunks(codes)]
        layers = {p.name: LayerTrace.joined([part[p.name] for part in parts]) for p in self.network.populations}
        v = layers[self.network.readout.name].v
        assert v is not None
        return Trace(layers, decode_readout(self.network.readout, v))

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Output in the units of the ANN, nothing else kept."""
        out = []
        for part in self._chunks(codes):
            v = self._run_chunk(part, keep=False)[self.network.readout.name].v
            assert v is not None
            out.append(decode_readout(self.network.readout, v))
        return np.concatenate(out)

    def _chunks(self, codes: Codes) -> Iterator[Codes]:
        if isinstance(codes, SparseSample):
            yield codes
            return
        for i in range(0, len(codes), self.images_per_chunk):
            yield codes[i : i + self.images_per_chunk]

    def _run_chunk(self, codes: Codes, keep: bool) -> dict[str, LayerTrace]:
        """Traces by population; without `keep` only that of the readout."""
        source = self.network.input.name
        phases: dict[str, Codes] = {source: codes}
        traces = {source: LayerTrace.of_input(codes)}
        last_reader = {s.pre: s.post for s in self.network.synapses}
        for name, layer in self.layers.items():
            if not isinstance(layer, GraphLayer):
                phases = {pre: dense_codes(p, name) for pre, p in phases.items()}
            trace = layer.run_batch(phases, keep)  # type: ignore[arg-type]
            if trace.phases is not None:
                phases[name] = trace.phases
            if keep or trace.phases is None:
                traces[name] = trace
            for pre in [pre for pre, reader in last_reader.items() if reader == name]:
                phases.pop(pre, None)
        return traces
