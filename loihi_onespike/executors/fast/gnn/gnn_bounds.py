"""A population of a graph network with a full wait, decided by bounds around one float map; see `bounds`.

    Sparse map of one-spike neurons             z = A · levels, where the error of a row grows with its number of edges
    Dense map of a sparse input in digits       z = codes · W^T, exact below 2^24

The worst case of a dense map over all features is far above the sums of real rows, which have few entries. The bound is
therefore taken from the stored entries of each row; rows whose sum could exceed 2^24 or saturate v are left to the
exact recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from loihi_onespike.core.codes import V_MAX, WORD_DTYPE, PositionalCode
from loihi_onespike.core.encoding import Codes, dense_codes
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.maps import Dense, Sparse
from loihi_onespike.core.maps.registry import MapRegistry
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.fast.bounded.bounds import (
    EXACT_BELOW,
    UNIT_ROUNDOFF,
    Bounds,
    DecisionCounts,
    lookup_of,
    lowest_words,
    values_of_codes,
)
from loihi_onespike.executors.fast.code_bits import code_bits
from loihi_onespike.executors.fast.gnn.gnn_layer import GraphLayer, read_codes
from loihi_onespike.executors.fast.gnn.undecided_nodes import decide_aggregation_exactly, decide_entries_exactly
from loihi_onespike.executors.float.quantize_kernel import UNDECIDED, decide_by_bounds, look_up
from loihi_onespike.executors.float.threshold_lookup import ThresholdLookup, words_of_intervals
from loihi_onespike.executors.tensors.sample_map import torch_csr
from loihi_onespike.executors.threads import over_rows

MOST_LARGE = 1 / 64
"""Share of the entries in rows that the bounds cannot decide, above which the exact kernel of the layer is faster."""


class BoundedGraphLayer:
    """Code words of one population; `BoundedGraphLayer.of` makes one where the bounds apply."""

    def __init__(
        self,
        population: Population,
        group: _AggregationBounds | _SparseInputBounds,
        graph: GraphLayer,
        lookup: ThresholdLookup,
    ) -> None:
        self.population, self.group, self.graph, self.lookup = population, group, graph, lookup
        self.decisions = DecisionCounts()
        bounds = group.bounds(population)
        self.decidable = bounds.decidable
        self._bounds = bounds.laid_out(population.shape, channels_last=False)
        self._lowest = None if population.one_sided is None else lowest_words(population, channels_last=False)

    @classmethod
    def of(
        cls, population: Any, inputs: list[tuple[Synapse, InputPopulation | Population]], graph: GraphLayer | None
    ) -> BoundedGraphLayer | None:
        """The layer; None if neurons decide before the input ends, or if there are no bounds for its synapses.

        Args:
            population: population of the layer.
            inputs: groups of synapses and the populations that they read.
            graph: the same layer in the exact kernels, which decide what the bounds do not.
        """
        if graph is None or not isinstance(population, Population) or population.wait < population.membrane.input_steps:
            return None
        lookup = lookup_of(population)
        if lookup is None or population.threshold.min() < 1 or len(inputs) != 1 or inputs[0][0].index is not None:
            return None
        synapse, pre = inputs[0]
        make = BOUNDS.find(synapse.op)
        group = None if make is None else make(synapse, synapse.op, pre, population)
        if group is None:
            return None
        layer = cls(population, group, graph, lookup)
        return layer if layer.decidable > 0.5 else None

    @property
    def bytes_per_image(self) -> int:
        """Bytes for the float values of the input, the sums, and the tables of the bounds."""
        nodes, features = self.population.shape
        return self.group.bytes + 8 * nodes * features + sum(a.nbytes for a in self._bounds)

    def run_batch(self, words: Mapping[str, Codes]) -> LayerTrace:
        """Words (B, nodes, features); v is not computed."""
        given = words[self.group.pre]
        if isinstance(given, SparseSample) != self.group.sparse:
            return self.graph.run_batch(words, keep=False)
        parts = []
        for sample in [given] if isinstance(given, SparseSample) else given:
            sent = self._run_sample(sample)
            if sent is None:
                return self.graph.run_batch(words, keep=False)
            parts.append(sent)
        return LayerTrace(np.stack(parts), None)

    def _run_sample(self, sample: Any) -> NDArray[np.int16] | None:
        """(nodes, features); None where a bound does not hold."""
        z = self.group.sums(sample)
        if z is None:
            return None
        c, (factor, offset, slack, limit, _) = self.lookup, self._bounds
        sent = np.empty((1, *z.shape), WORD_DTYPE)
        over_rows(
            decide_by_bounds, 1, z[None], np.zeros((0, 0, 0), np.float32), factor, offset, slack, limit, c.cut, c.word,
            np.uint64(c.first), np.uint64(c.shift), c.low, c.high, np.uint64(c.cells), c.signed, sent,
        )  # fmt: skip
        counts = np.zeros((max(z.shape), 2), np.int64)
        self.group.decide_exactly(sample, self.graph.neurons, z, self._bounds, sent[0], counts)
        breached = bool(counts[:, 1].any())
        self.decisions.add(sent.size, int(counts[:, 0].sum()), int(breached))
        if breached:
            return None
        if self._lowest is not None:
            np.maximum(sent[0], self._lowest, out=sent[0])
        if self.population.far is None:
            return sent[0]
        return words_of_intervals(sent[0], len(self.population.code.messages)).astype(WORD_DTYPE)


class _AggregationBounds:
    """Sparse map along the nodes of one-spike neurons."""

    sparse = False

    def __init__(self, synapse: Synapse, op: Sparse, pre: Population, population: Population) -> None:
        self.pre, self._code, m = pre.name, pre.code, op.weight
        values = values_of_codes(pre, population.membrane)
        exact = m.astype(np.int32) * 2**synapse.weight_exp
        self._indptr, self._indices, self._weights = m.indptr, m.indices, exact.data
        self._float = torch_csr(exact, torch.float32)
        sums = np.asarray(abs(exact).sum(axis=1), np.float64).reshape(-1, 1)
        self._step, self._largest = sums * pre.code.largest_message, sums * values.max()
        self._error = (np.diff(m.indptr)[:, None] + 6) * UNIT_ROUNDOFF * self._largest
        self._table = (np.concatenate([values, -values[:0:-1]]) if pre.signed else values).astype(np.float32)
        self.bytes = 6 * int(np.prod(pre.shape)) + 12 * m.nnz

    def bounds(self, population: Population) -> Bounds:
        return Bounds.of(population, self._step, self._largest, self._error, single=True)

    def sums(self, words: NDArray[np.integer]) -> NDArray[np.float32]:
        """(nodes, features) Σ weight · value."""
        given = np.ascontiguousarray(words)
        levels = np.empty(given.shape, np.float32)
        over_rows(look_up, len(given), given, self._table, levels)
        return (self._float @ torch.from_numpy(levels)).numpy()

    def decide_exactly(self, words: Any, neurons: Any, z: Any, bounds: Any, sent: Any, counts: Any) -> None:
        # One feature of all nodes at a time fits into a cache; edges lead anywhere in it.
        nodes, features = np.nonzero(sent == UNDECIDED)
        order = np.argsort(features, kind="stable")
        start = np.searchsorted(features[order], np.arange(sent.shape[1] + 1))
        columns = np.ascontiguousarray(dense_codes(read_codes(words, self._code), self.pre).T)
        over_rows(
            decide_aggregation_exactly,
            len(columns),
            self._indptr,
            self._indices,
            self._weights,
            columns,
            self._code.payload_bits > 0,
            nodes[order],
            start,
            *neurons,
            z,
            bounds,
            sent,
            counts,
        )


class _SparseInputBounds:
    """Dense map of a sparse input in digits, each code the value of its digits in units of the last one."""

    sparse = True

    def __init__(self, synapse: Synapse, op: Dense, pre: InputPopulation, population: Population) -> None:
        assert isinstance(pre.code, PositionalCode)
        self.pre, self._bits, self._unit = pre.name, code_bits(pre.code), float(pre.code.unit)
        self._columns = np.ascontiguousarray(op.weight.T.astype(np.int32) << synapse.weight_exp)
        self._float = torch.from_numpy(self._columns.astype(np.float32))
        m = population.membrane
        per_code = m.gain * 2.0**m.input_shift / self._unit * max(float(np.abs(self._columns).max()), 1.0)
        bias = float(np.abs(m.bias).max()) * m.gain
        # |r(t)| ≤ gain_t (|bias| + Σ |w| code / unit 2^input_shift), as the first digits of a code are below the code.
        room = (V_MAX - m.gain * m.input_steps - bias) / per_code
        self.most = min(room, EXACT_BELOW / max(float(np.abs(self._columns).max()), 1.0))
        self._largest = np.array(self.most * max(float(np.abs(self._columns).max()), 1.0) / self._unit)
        self.bytes = 8 * self._columns.size

    @classmethod
    def of(cls, synapse: Synapse, op: Dense, pre: InputPopulation, population: Population) -> _SparseInputBounds | None:
        """The bounds; None if the value of a code is not code / unit, as they assume."""
        values = values_of_codes(pre, population.membrane)
        assert isinstance(pre.code, PositionalCode)
        if not np.array_equal(values, np.arange(len(values)) / float(pre.code.unit)):
            return None
        found = cls(synapse, op, pre, population)
        return found if found.most > 0 else None

    def bounds(self, population: Population) -> Bounds:
        nothing = np.zeros(())
        found = Bounds.of(population, nothing, self._largest, nothing, single=True)
        # Sums of codes instead of values.
        return Bounds(found.factor / self._unit, found.offset, found.slack, found.limit, found.unit)

    def sums(self, sample: SparseSample) -> NDArray[np.float32] | None:
        """Σ weight · code, (nodes, features).

        Rows whose sum might be inexact or saturate v are set to infinity, which leaves their neurons undecided. None if
        there are many of them.
        """
        m = sample.matrix
        codes = sp.csr_matrix((m.data.astype(np.float32), m.indices, m.indptr), shape=m.shape)
        # Sums of rows below 2^24 are exact, and those of larger rows are at least 2^24.
        large = np.flatnonzero(codes @ np.ones(m.shape[1], np.float32) >= self.most)
        if np.diff(m.indptr)[large].sum() > MOST_LARGE * m.nnz:
            return None
        z = (torch_csr(codes, torch.float32) @ self._float).numpy()
        z[large] = np.inf
        return z

    def decide_exactly(self, sample: SparseSample, neurons: Any, z: Any, bounds: Any, sent: Any, counts: Any) -> None:
        m = sample.matrix
        over_rows(
            decide_entries_exactly, len(sent), m.indptr, m.indices, m.data, self._bits, self._columns, *neurons, z,
            bounds, sent, counts,
        )  # fmt: skip


Group: TypeAlias = _AggregationBounds | _SparseInputBounds
BOUNDS: MapRegistry[Callable[[Synapse, Any, InputPopulation | Population, Population], Group | None]] = MapRegistry(
    "the bounds for graph networks", __name__, otherwise="the layer runs in its exact kernel"
)
"""make(synapse, op, pre, population): the float map of a group with its bounds; None for inputs of another code."""


@BOUNDS.register(Sparse)
def _aggregation(
    synapse: Synapse, op: Sparse, pre: InputPopulation | Population, population: Population
) -> _AggregationBounds | None:
    return _AggregationBounds(synapse, op, pre, population) if isinstance(pre, Population) else None


@BOUNDS.register(Dense)
def _sparse_input(
    synapse: Synapse, op: Dense, pre: InputPopulation | Population, population: Population
) -> _SparseInputBounds | None:
    if not isinstance(pre, InputPopulation) or not isinstance(pre.code, PositionalCode):
        return None
    return _SparseInputBounds.of(synapse, op, pre, population)
