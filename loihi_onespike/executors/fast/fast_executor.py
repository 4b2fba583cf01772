"""The fast integer executor: a layer over its whole window at once, equal to the oracle bit for bit.

A relay repeats its input (`relay_layer`), and max pooling of messages is a minimum (`message_pool_layer`). On the CPU a
layer runs in the event-driven kernel, which adds the weights of every spike once (`event_layer`). If only code words
are wanted and neurons decide after their whole input, bounds around one float map decide nearly all of them
(`bounded_layer`, `gnn_bounds`). Graph networks have kernels of their own (`gnn_layer`). Other maps, and all layers on a
GPU, run as dense maps (`dense_layer`). The results never depend on the choice: they are those of docs/arithmetic.md.
"""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.encoding import Codes, check_codes, decode_outputs, dense_codes
from loihi_onespike.core.gnn.sparse_sample import MAX_DENSE_ENTRIES, SparseSample
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Synapse
from loihi_onespike.core.trace import LayerTrace, Trace, v_of_layers
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.fast.bounded.bounded_layer import BoundedLayer
from loihi_onespike.executors.fast.dense_layer import DenseLayer
from loihi_onespike.executors.fast.event.event_layer import EventLayer
from loihi_onespike.executors.fast.fast_options import DEFAULT_BUDGET_BYTES
from loihi_onespike.executors.fast.gnn.gnn_bounds import BoundedGraphLayer
from loihi_onespike.executors.fast.gnn.gnn_layer import GraphLayer, is_graph_network
from loihi_onespike.executors.fast.message_pool_layer import MessagePoolLayer
from loihi_onespike.executors.fast.product_layer import ProductLayer
from loihi_onespike.executors.fast.relay_layer import RelayLayer
from loihi_onespike.executors.tensors.forked_children import compute_after_fork
from loihi_onespike.executors.threads import over_shares, sharing_threads

FEWEST_IMAGES = 8
"""Fewest images of a share: kernels and convolutions on fewer take longer per image."""
MOST_IMAGES = 64
"""Most images of a share; smaller ones stay in the processor's caches, and threads finish at nearly the same time."""


class Keep(Enum):
    """What a run keeps: everything, the code words, or the output alone."""

    ALL = "all"
    WORDS = "words"
    OUTPUT = "output"


class FastExecutor:
    """Runs an integer network on batches of input codes.

    Args:
        network: verified network.
        device: torch device; the event-driven kernel runs on "cpu" only.
        budget_bytes: memory that a run may take; images are run in parts that fit into it.
        events: False runs every layer as dense maps.
        bounds: False computes all layers exactly, without bounds around a float map.
    """

    def __init__(
        self,
        network: Network,
        device: str = "cpu",
        budget_bytes: int = DEFAULT_BUDGET_BYTES,
        events: bool = True,
        bounds: bool = True,
    ) -> None:
        compute_after_fork()
        self.network, self.device, self.budget_bytes = network, torch.device(device), budget_bytes
        self.bounded: dict[str, BoundedLayer | BoundedGraphLayer] = {}
        self.layers: dict[str, RelayLayer | MessagePoolLayer | ProductLayer | EventLayer | GraphLayer | DenseLayer] = {}
        form: type[EventLayer] | type[GraphLayer] = GraphLayer if is_graph_network(network) else EventLayer
        for p in network.populations:
            if isinstance(p, InputPopulation):
                continue
            inputs: list[tuple[Synapse, InputPopulation | Population]]
            inputs = [(s, network.by_name[s.pre]) for s in network.synapses_onto(p.name)]  # type: ignore[misc]
            if isinstance(p, Population) and p.product is not None:
                self.layers[p.name] = ProductLayer(p, inputs, self.device, events)
                continue
            kernels = events and self.device.type == "cpu"
            found = (
                RelayLayer.of(p, inputs) or MessagePoolLayer.of(p, inputs) or form.of(p, inputs) if kernels else None
            )
            self.layers[p.name] = found or DenseLayer(p, inputs, self.device)
            bounded = _bounded(p, inputs, found) if bounds else None
            if bounded is not None:
                self.bounded[p.name] = bounded

    @cached_property
    def _work(self) -> dict[str, int]:
        """Bytes per image of each layer.

        The bounds of a graph layer are not counted, since the layer runs without them where they do not fit (`_fits`).
        """
        work = {name: layer.bytes_per_image for name, layer in self.layers.items()}
        for name, layer in self.bounded.items():
            if isinstance(layer, BoundedLayer):
                work[name] = max(work[name], layer.bytes_per_image)
        return work

    def _fits(self, name: str) -> bool:
        """Whether the bounds of a layer fit into the budget, beside the memory that all layers need."""
        bounded = self.bounded[name]
        return isinstance(bounded, BoundedLayer) or self.bytes_per_image + bounded.bytes_per_image <= self.budget_bytes

    @cached_property
    def bytes_per_image(self) -> int:
        """Estimated bytes for one image: the words of all populations, and the work of the largest layer.

        An input that is too large for a dense array comes as a sparse sample, which the caller holds in memory.
        """
        held = sum(2 * prod(p.shape) for p in self.network.hidden)
        inputs = prod(self.network.input.shape)
        if inputs <= MAX_DENSE_ENTRIES:
            held += 34 * inputs  # codes, and the real numbers they are rounded from
        return held + max(self._work.values())

    @property
    def images_per_chunk(self) -> int:
        """Images that stay within the budget together.

        Raises ConfigurationError when a single one does not fit.
        """
        if self.bytes_per_image > self.budget_bytes:
            raise ConfigurationError(
                f"memory_budget: must be at least {self.bytes_per_image:,} bytes, which one image of "
                f"{self.network.name} needs, got {self.budget_bytes:,}; raise it"
            )
        return self.budget_bytes // self.bytes_per_image

    def run(self, codes: Codes, potentials: bool = True) -> Trace:
        """Every layer's code words and v for codes (N, *input shape).

        The trace takes 5 bytes per neuron and image with v (words in 8 bits up to word 127, v in 32 bits), 2 bytes
        without. The budget limits the memory beside the trace.

        Args:
            codes: input codes.
            potentials: record v and peaks of all layers; False records v of the readouts alone, which is faster.
        """
        parts = self._run(codes, Keep.ALL if potentials else Keep.WORDS)
        # `pop` frees the parts of a layer as soon as they are joined.
        layers = {p.name: LayerTrace.joined([part.pop(p.name) for part in parts]) for p in self.network.populations}
        return Trace(layers, decode_outputs(self.network, v_of_layers(layers)))

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Output in the units of the ANN, (N, *output shape); no trace is kept."""
        out = []
        for traces in self._run(codes, Keep.OUTPUT):
            out.append(decode_outputs(self.network, v_of_layers(traces)))
        return np.concatenate(out)

    def _run(self, codes: Codes, keep: Keep) -> list[dict[str, LayerTrace]]:
        """Traces of consecutive parts of a batch."""
        check_codes(self.network.input, codes)
        if isinstance(codes, SparseSample):
            return [self._run_chunk(codes, keep)]
        at_once = self._images_per_share(len(codes), keep)
        if at_once is None:
            size = self.images_per_chunk
            return [self._run_chunk(codes[i : i + size], keep) for i in range(0, len(codes), size)]
        shares = [codes[i : i + at_once] for i in range(0, len(codes), at_once)]
        return over_shares(lambda share: self._run_chunk(share, keep), shares)

    def _images_per_share(self, images: int, keep: Keep) -> int | None:
        """Images that one thread runs by itself; None where the threads work on every layer together.

        They do for traces of v, whose kernels need no torch, on a GPU, for graphs, and for small batches.
        """
        threads = sharing_threads()
        together = keep is Keep.ALL or self.device.type != "cpu" or is_graph_network(self.network)
        if threads == 1 or together or not self.bounded or images < threads * FEWEST_IMAGES:
            return None
        most = min(self.images_per_chunk // threads, MOST_IMAGES, -(-images // threads))
        return most if most >= FEWEST_IMAGES else None

    def _run_chunk(self, codes: Codes, keep: Keep) -> dict[str, LayerTrace]:
        """Traces by population; with Keep.OUTPUT only those of the readouts."""
        source = self.network.input.name
        words: dict[str, Codes] = {source: codes}
        traces = {source: LayerTrace.of_input(codes)}
        for name, layer in self.layers.items():
            if not isinstance(layer, GraphLayer):
                words = {pre: dense_codes(p, name) for pre, p in words.items()}
            if keep is not Keep.ALL and name in self.bounded and self._fits(name) and full_precision():
                trace = self.bounded[name].run_batch(words)  # type: ignore[arg-type]
            else:
                trace = layer.run_batch(words, keep is Keep.ALL)  # type: ignore[arg-type]
            if trace.words is not None:
                words[name] = trace.words
            if keep is not Keep.OUTPUT or trace.words is None:
                traces[name] = trace.compact() if keep is Keep.ALL else trace
            for pre in self._done_after(name):
                words.pop(pre, None)
        return traces

    def _done_after(self, name: str) -> list[str]:
        """Populations that no later layer reads."""
        last_reader = {s.pre: s.post for s in self.network.synapses}
        return [pre for pre, reader in last_reader.items() if reader == name]


def _bounded(population: Any, inputs: Any, exact: Any) -> BoundedLayer | BoundedGraphLayer | None:
    """The layer that decides by bounds, for a layer with an exact kernel; None where bounds do not apply."""
    if isinstance(exact, GraphLayer):
        return BoundedGraphLayer.of(population, inputs, exact)
    return BoundedLayer.of(population, inputs, exact) if isinstance(exact, EventLayer) else None


def full_precision() -> bool:
    """Whether float maps run in float32, as the error bounds assume, and not in bfloat16 or TF32."""
    return torch.get_float32_matmul_precision() == "highest"
