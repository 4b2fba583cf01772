"""A population of products: each factor by the kernels of a layer that never spikes, then one decision per neuron.

    v = saturate( (u · w >> shift) + bias )

A product waits for the whole input of both factors, so that its word is the first whose threshold v reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.codes import V_MAX, V_MIN, WORD_DTYPE
from loihi_onespike.core.graphs.network import InputPopulation, Population, Readout, Synapse
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.fast.copy_layer import CopyLayer
from loihi_onespike.executors.fast.dense_layer import DenseLayer
from loihi_onespike.executors.fast.event.event_layer import EventLayer
from loihi_onespike.executors.threads import over_rows

BYTES_PER_NEURON = 32
"""Both sums, v and the word of a neuron."""


class ProductLayer:
    """One population of products with the synapses onto it.

    Args:
        population: a population with a product.
        synapses: groups of synapses and the populations that they read.
        device: torch device.
        events: False runs both factors as dense maps.
    """

    def __init__(
        self,
        population: Population,
        synapses: list[tuple[Synapse, InputPopulation | Population]],
        device: torch.device,
        events: bool = True,
    ) -> None:
        assert population.product is not None
        self.population, self.product = population, population.product
        self._factors: list[CopyLayer | EventLayer | DenseLayer] = []
        for i, membrane in enumerate(population.membranes):
            probe = Readout(population.name, population.shape, membrane)
            inputs = [(s, pre) for s, pre in synapses if s.factor == i]
            kernels = events and device.type == "cpu"
            kernel = CopyLayer.of(probe, inputs) or EventLayer.of(probe, inputs) if kernels else None
            self._factors.append(kernel or DenseLayer(probe, inputs, device))
        flat = (prod(population.shape),)
        threshold = np.broadcast_to(population.threshold, population.shape).reshape(flat)
        self._threshold = np.ascontiguousarray(threshold, np.int64)
        self._bias = np.ascontiguousarray(np.broadcast_to(self.product.bias, population.shape).reshape(flat), np.int64)
        tables = (population.table, population.negative, population.far)
        self._tables = [
            (np.array(table.mant if table else (), np.int64), np.array(table.shift if table else (), np.int64))
            for table in tables
        ]

    @property
    def _ordered(self) -> bool:
        """Whether thresholds fall from word to word and no v reaches one of each sign: a search then finds the word."""
        p = self.population
        falling = all(np.all(np.diff(table.gains()) <= 0) for table in p.tables.values())
        apart = p.negative is None or min(*p.table.mant, *p.negative.mant) > 0
        return p.far is None and falling and apart and int(self._threshold.min()) > 0

    @property
    def bytes_per_image(self) -> int:
        """Peak bytes per image: the work of one factor beside the sum of the other, v and the words."""
        work = max(layer.bytes_per_image for layer in self._factors)
        return work + BYTES_PER_NEURON * prod(self.population.shape)

    def run_batch(self, words: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """Words and v of a batch, (B, *shape), from the words of the presynaptic populations.

        Args:
            words: code words of the presynaptic populations, (B, *shape) each.
            keep: record the peaks too.
        """
        traces = [layer.run_batch(words, keep) for layer in self._factors]
        sums = []
        for trace in traces:
            assert trace.v is not None
            sums.append(trace.v.reshape(len(trace.v), -1).astype(np.int32, copy=False))
        u, w = sums
        v, sent = np.empty(u.shape, np.int32), np.empty(u.shape, WORD_DTYPE)
        tables = [array for table in self._tables for array in table]
        of_phase = self.population.code.words_per_phase
        parameters = (self.product.shift, self._bias, self._threshold, of_phase, self._ordered, *tables)
        over_rows(_decide, len(u), u, w, *parameters, v, sent)
        shape = (len(u), *self.population.shape)
        peak = max(*(trace.peak for trace in traces), int(np.abs(v).max(initial=0)))
        return LayerTrace(sent.reshape(shape), v.reshape(shape), peak, max(trace.input_peak for trace in traces))


@njit()
def _first(x, threshold, mant, right):  # type: ignore[no-untyped-def]
    """First word whose threshold x reaches, 0 for none, where thresholds do not increase from word to word."""
    low, high = 0, len(mant)
    while low < high:
        middle = (low + high) // 2
        if x >= (threshold * mant[middle]) >> right[middle]:
            high = middle
        else:
            low = middle + 1
    return low + 1 if low < len(mant) else 0


@njit()
def _decide(  # type: ignore[no-untyped-def]
    first,
    end,
    u,
    w,
    shift,
    bias,
    threshold,
    of_phase,
    ordered,
    mant,
    right,
    mant_negative,
    right_negative,
    mant_far,
    right_far,
    v,
    sent,
):
    """v and word of rows first..end of u and w (B, neurons)."""
    signed, dips = len(mant_negative) > 0, len(mant_far) > 0
    for n in range(first, end):
        for i in range(u.shape[1]):
            x = ((np.int64(u[n, i]) * np.int64(w[n, i])) >> shift) + bias[i]
            x = min(max(x, np.int64(V_MIN)), np.int64(V_MAX))
            v[n, i] = x
            if ordered:
                word = _first(x, threshold[i], mant, right)
                if word == 0 and signed:
                    word = -_first(-x, threshold[i], mant_negative, right_negative)
                sent[n, i] = word
                continue
            word, start = 0, 0
            while word == 0 and start < len(mant):
                for k in range(start, start + of_phase):
                    if x >= (threshold[i] * mant[k]) >> right[k]:
                        word = k + 1
                        break
                if signed and word == 0:
                    for k in range(start, start + of_phase):
                        inside = -x >= (threshold[i] * mant_negative[k]) >> right_negative[k]
                        if inside and (not dips or -x <= (threshold[i] * mant_far[k]) >> right_far[k]):
                            word = -(k + 1)
                            break
                start += of_phase
            sent[n, i] = word
