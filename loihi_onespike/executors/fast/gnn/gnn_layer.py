"""A population of a graph network and its synapses, run by the kernels of `gnn_kernel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, WORD_DTYPE, Code, ThresholdTable
from loihi_onespike.core.encoding import Codes, dense_codes
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout, Synapse
from loihi_onespike.core.maps import Dense, Diagonal, Sparse, op_input_shape
from loihi_onespike.core.maps.registry import MapRegistry
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.fast.code_bits import WITH_MESSAGE, code_bits, kernel_codes
from loihi_onespike.executors.fast.gnn import gnn_kernel as kernel
from loihi_onespike.executors.threads import over_rows

BLOCK_BYTES = 64 * 2**20
"""Memory for the synaptic inputs of one block of nodes."""
OUT_OF_REACH = 2**50
"""Threshold factor of the negative spikes of one-sided neurons, beyond every v with every entry of a table."""
NODES_PER_TASK = 64
"""Nodes that a thread takes at a time; nodes differ much in their number of edges."""

Add: TypeAlias = Callable[[NDArray[np.int32], int], None]
"""Adds one group's synaptic inputs to those of a block of nodes: add(sums, first node)."""
Scatter: TypeAlias = Callable[[Codes], Add]
"""Prepares a group for the codes of its presynaptic population."""


@dataclass(frozen=True)
class Group:
    """Properties of a synapse group that its kernel needs beside the map.

    Attributes:
        name: name of the group, for error messages.
        exponent: left shift of its weights.
        bits: how its kernel reads the codes, see `code_bits`.
        signed: whether its input spikes may be negative.
        shape: shape of the population that it reaches.
    """

    name: str
    exponent: int
    bits: int
    signed: bool
    shape: tuple[int, ...]


SCATTERS: MapRegistry[Callable[[Any, Group], Scatter]] = MapRegistry(
    "the kernels for graph networks", __name__, otherwise="the layer runs as dense maps"
)


def is_graph_network(network: Network) -> bool:
    """Whether the populations of a network have the shape (nodes, features) of one graph."""
    return "graph" in network.facts or any(isinstance(s.op, Sparse) for s in network.synapses)


class GraphLayer:
    """One population of shape (nodes, features); same results as `dense_layer.DenseLayer`.

    `GraphLayer.of` makes one where the kernels can run the layer. Beside spikes and v it needs memory for the synapses
    and for one block of nodes.
    """

    def __init__(self, population: Population | Readout, scatters: list[tuple[str, Code, Scatter]]) -> None:
        self.population, self._scatters = population, scatters
        m = population.membrane
        nodes, features = population.shape
        self._bias = np.broadcast_to(m.bias.astype(np.int64), population.shape)
        spiking = isinstance(population, Population)
        threshold = population.threshold if isinstance(population, Population) else np.zeros((), np.int64)
        self._threshold = np.broadcast_to(threshold.astype(np.int64), population.shape)
        self._below = self._threshold
        if isinstance(population, Population) and population.one_sided is not None:
            self._below = np.where(population.one_sided, OUT_OF_REACH, self._threshold)
        code = population.code if isinstance(population, Population) else None
        timesteps, of_phase = (0, 1) if code is None else (code.timesteps, code.words_per_phase)
        self._window = (m.input_shift, population.wait, timesteps, of_phase)
        self._leak = np.array(m.leak) / 2**LEAK_SHIFT
        self._table = _entries(population.table if isinstance(population, Population) else None)
        self._negative = _entries(population.negative if isinstance(population, Population) else None)
        far = population.far if isinstance(population, Population) else None
        self._far = np.zeros(0) if far is None else far.gains()
        self._flags = (spiking, isinstance(population, Population) and population.signed)
        self._block = int(np.clip(BLOCK_BYTES // (4 * features * (m.input_steps + 1)), 1, nodes))

    @classmethod
    def of(
        cls, population: Population | Readout, inputs: list[tuple[Synapse, InputPopulation | Population]]
    ) -> GraphLayer | None:
        """The layer; None if a synapse group has no kernel, its sums need more than 32 bits, or it pools messages."""
        if isinstance(population, Population) and population.digit_bits:
            return None
        makers = [SCATTERS.find(s.op) for s, _ in inputs]
        seen = [op_input_shape(pre.shape, s.index) for s, pre in inputs]
        if {len(shape) for shape in (population.shape, *seen)} != {2}:
            return None
        if sum(s.op.row_magnitude * 2.0**s.weight_exp * pre.code.largest_message for s, pre in inputs) >= 2**31:
            return None
        scatters = []
        for make, (synapse, pre) in zip(makers, inputs, strict=True):
            if make is None:
                return None
            scatter = make(synapse.op, _group(synapse, pre, population.shape))
            scatters.append((pre.name, pre.code, _behind_gather(synapse, scatter)))
        return cls(population, scatters)

    @property
    def neurons(self) -> tuple[Any, ...]:
        """bias, threshold, below, leak, 2^input_shift, tables, words of a phase, signed, for `undecided_nodes`."""
        factor, of_phase, signed = 2.0 ** self._window[0], self._window[3], self._flags[1]
        tables = self._table, self._negative, self._far
        return self._bias, self._threshold, self._below, self._leak, factor, *tables, of_phase, signed

    @property
    def bytes_per_image(self) -> int:
        """Bytes for the one sample that a graph is."""
        return BLOCK_BYTES + 16 * prod(self.population.shape)

    def run_batch(self, words: Mapping[str, Codes], keep: bool = True) -> LayerTrace:
        """Words and v, (B, nodes, features), from the words of the presynaptic populations.

        Args:
            words: code words of the presynaptic populations.
            keep: record v and the peaks; a readout always records v.
        """
        spiking, _ = self._flags
        keep_v = keep or not spiking
        shape = self.population.shape
        parts = [self._run_sample(_sample(words, i), keep) for i in range(_samples(words))]
        sent, v, peaks = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return LayerTrace(
            sent.reshape(-1, *shape) if spiking else None,
            v.reshape(-1, *shape) if keep_v else None,
            int(peaks[:, 0].max(initial=0)),
            int(peaks[:, 1].max(initial=0)),
        )

    def _run_sample(self, words: Mapping[str, Codes], keep: bool) -> tuple[Any, Any, Any]:
        spiking, signed = self._flags
        keep_v = keep or not spiking
        shape = self.population.shape
        sent = np.zeros(shape if spiking else (0, 0), WORD_DTYPE)
        v = np.zeros(shape if keep_v else (0, 0), np.int32)
        peaks = np.zeros((shape[0], 2), np.int64)

        def decide(sums: NDArray[np.int32], first: int) -> None:
            _over_nodes(
                kernel.recursion, sums, first, self._bias, self._threshold, self._below, self._leak, self._window,
                self._table, self._negative, self._far, (spiking, signed, keep_v, keep), sent, v,
                peaks[first : first + len(sums)],
            )  # fmt: skip

        self._in_blocks(words, decide)
        return sent, v, peaks

    def ranges(self, words: Mapping[str, Codes]) -> NDArray[np.float64]:
        """Largest |v| of every neuron over the window, without rounding or saturation, (nodes, features)."""
        factor = 2.0**self.population.membrane.input_shift
        largest = np.zeros(self.population.shape)

        def measure(sums: NDArray[np.int32], first: int) -> None:
            _over_nodes(kernel.largest_potential, sums, first, self._bias, self._leak, factor, peak)

        for i in range(_samples(words)):
            peak = np.zeros(self.population.shape)
            self._in_blocks(_sample(words, i), measure)
            largest = np.maximum(largest, peak)
        return largest

    def _in_blocks(self, words: Mapping[str, Codes], finish: Callable[[NDArray[np.int32], int], None]) -> None:
        nodes, features = self.population.shape
        buffer = np.empty((self._block, self.population.membrane.input_steps + 1, features), np.int32)
        adds = [scatter(read_codes(words[pre], code)) for pre, code, scatter in self._scatters]
        for first in range(0, nodes, self._block):
            sums = buffer[: nodes - first]
            sums[:] = 0
            for add in adds:
                add(sums, first)
            finish(sums, first)


def _over_nodes(kernel: Callable[..., object], sums: NDArray[np.int32], *args: Any) -> None:
    """Run a kernel on all nodes of a block, a few at a time."""
    over_rows(kernel, len(sums), sums, *args, at_once=NODES_PER_TASK)


def read_codes(words: Codes, code: Code) -> Codes:
    """What the kernels read for code words: the words themselves, or phases and messages."""
    if not code.payload_bits:
        return words
    if isinstance(words, SparseSample):
        return words.with_data(kernel_codes(words.matrix.data, code))
    return kernel_codes(words, code)


def _entries(table: ThresholdTable | None) -> NDArray[np.float64]:
    return np.zeros(0) if table is None else table.gains()


def _samples(words: Mapping[str, Codes]) -> int:
    return len(next(iter(words.values())))


def _sample(words: Mapping[str, Codes], i: int) -> dict[str, Codes]:
    """One sample, without the batch axis where it is dense."""
    return {name: p if isinstance(p, SparseSample) else np.ascontiguousarray(p[i]) for name, p in words.items()}


def _behind_gather(synapse: Synapse, scatter: Scatter) -> Scatter:
    """The group with the gather index in front of its map."""
    index = synapse.index
    if index is None:
        return scatter

    def gathered(codes: Codes) -> Add:
        flat = dense_codes(codes, f"{synapse.name}: a rearrangement").ravel()
        return scatter(np.append(flat, flat.dtype.type(0))[index])

    return gathered


def _group(synapse: Synapse, pre: InputPopulation | Population, shape: tuple[int, ...]) -> Group:
    return Group(
        synapse.name, synapse.weight_exp, code_bits(pre.code), isinstance(pre, Population) and pre.signed, shape
    )


@SCATTERS.register(Dense)
def _dense(op: Dense, group: Group) -> Scatter:
    # Weights of 16 bits keep the rows that a sparse input reads in the cache.
    bits, exponent = group.bits, group.exponent
    columns = (np.ascontiguousarray(op.weight.T, np.int32) << exponent).astype(np.int32 if exponent else np.int16)

    def dense(codes: Codes) -> Add:
        if isinstance(codes, SparseSample):
            m = codes.matrix
            return lambda sums, first: _over_nodes(
                kernel.dense_of_sparse, sums, first, m.indptr, m.indices, m.data, bits, columns
            )
        return lambda sums, first: _over_nodes(kernel.dense, sums, first, codes, bits, group.signed, columns)

    return dense


@SCATTERS.register(Diagonal)
def _diagonal(op: Diagonal, group: Group) -> Scatter:
    each = np.broadcast_to(op.weight.astype(np.int32) << group.exponent, group.shape).copy()

    def diagonal(codes: Codes) -> Add:
        array = dense_codes(codes, f"{group.name}: a diagonal map")
        array = array[0] if isinstance(codes, SparseSample) else array
        return lambda sums, first: _over_nodes(kernel.diagonal, sums, first, array, group.bits, group.signed, each)

    return diagonal


@SCATTERS.register(Sparse)
def _aggregation(op: Sparse, group: Group) -> Scatter:
    indptr, indices = op.weight.indptr, op.weight.indices
    edges = op.weight.data.astype(np.int32) << group.exponent

    def aggregate(codes: Codes) -> Add:
        array = dense_codes(codes, f"{group.name}: an aggregation")
        array = array[0] if isinstance(codes, SparseSample) else array
        if group.bits == WITH_MESSAGE:
            start, places, messages = _messages(array)
            return lambda sums, first: _over_nodes(
                kernel.aggregate_messages, sums.reshape(len(sums), -1), first, indptr, indices, edges, start, places,
                messages,
            )  # fmt: skip
        if group.bits:
            return lambda sums, first: _over_nodes(
                kernel.aggregate_codes, sums, first, indptr, indices, edges, array, group.bits
            )
        signs = (1, -1) if group.signed else (1,)
        lists = [(sign, *_spikes(array, sign)) for sign in signs]

        def add(sums: NDArray[np.int32], first: int) -> None:
            flat = sums.reshape(len(sums), -1)
            for sign, start, places in lists:
                _over_nodes(kernel.aggregate, flat, first, indptr, indices, edges, sign, start, places)

        return add

    return aggregate


def _spikes(words: NDArray[np.integer], sign: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Spikes of one sign, listed by node: first entry of each node, and their places in its sums."""
    counts = np.count_nonzero(words * sign > 0, axis=1)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.empty(int(start[-1]), np.uint32)
    over_rows(kernel.list_spikes, len(words), words, sign, start, places)
    return start, places


def _messages(codes: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int8]]:
    """Spikes with payload, listed by node: first entry of each node, their places in its sums, and their messages."""
    counts = np.count_nonzero(codes, axis=1)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places, messages = np.empty(int(start[-1]), np.uint32), np.empty(int(start[-1]), np.int8)
    over_rows(kernel.list_messages, len(codes), codes, start, places, messages)
    return start, places, messages
