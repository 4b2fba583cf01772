"""A sum of one synapse per neuron: its v follows from the word of the neuron that it reads, by a table.

Most factors of products are such copies: in a matrix product of two activations every pair of values has a neuron, and
there are far more pairs than values. The table holds v at the end of the input for every word and every set of equal
parameters, computed step by step as docs/arithmetic.md says.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import SingleSpikeCode, leak, saturate_v
from loihi_onespike.core.graphs.network import InputPopulation, Population, Readout, Synapse
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.threads import over_rows

MAX_TABLE = 2**22
"""Largest number of entries of a table."""


class CopyLayer:
    """A readout whose neurons have one synapse each; `CopyLayer.of` makes one where there is such a table.

    Args:
        probe: the readout.
        synapse: its only group of synapses, whose map is elementwise.
        pre: the population that it reads, of one spike per neuron.
    """

    def __init__(self, probe: Readout, synapse: Synapse, pre: Population) -> None:
        self.population, self._pre = probe, pre.name
        shape, m = probe.shape, probe.membrane
        weight = np.asarray(synapse.op.weight, np.int64)
        classes = np.broadcast_shapes(_aligned(weight, shape).shape, _aligned(m.bias, shape).shape)
        weight, bias = (np.broadcast_to(_aligned(a, shape), classes).reshape(-1, 1) for a in (weight, m.bias))
        last = len(pre.code.messages)
        words = np.arange(-last if pre.signed else 0, last + 1)[None]
        self._lowest = int(words[0, 0])
        v = np.broadcast_to(bias, (bias.size, words.size)).astype(np.int64)
        peak, most = np.zeros_like(v), 0
        for t in range(1, m.input_steps + 1):
            messages = pre.code.spikes(words, t) if t <= pre.timesteps else np.zeros_like(words)
            a_in = (weight * messages) << synapse.weight_exp
            v = saturate_v(leak(v, m.leak[t - 1]) + (a_in << m.input_shift))
            peak = np.maximum(peak, np.abs(v))
            most = np.maximum(most, np.abs(a_in))
        self._v, self._peak, self._a_in = v.astype(np.int32), peak, np.broadcast_to(most, v.shape)
        of_class = np.arange(bias.size, dtype=np.int32).reshape(classes)
        self._class = np.ascontiguousarray(np.broadcast_to(of_class, shape)).ravel()
        index = np.arange(prod(shape), dtype=np.int32) if synapse.index is None else synapse.index.ravel()
        self._index = np.ascontiguousarray(index, np.int32)

    @classmethod
    def of(cls, probe: Readout, inputs: list[tuple[Synapse, InputPopulation | Population]]) -> CopyLayer | None:
        """The layer; None where a neuron has more than one synapse, the input is no spike, or the table is too large.

        Args:
            probe: a readout.
            inputs: groups of synapses onto it, and the populations that they read.
        """
        if len(inputs) != 1:
            return None
        (synapse, pre), shape = inputs[0], probe.shape
        if not isinstance(pre, Population) or not synapse.op.elementwise:
            return None
        parameters = (np.asarray(synapse.op.weight), probe.membrane.bias)
        classes = prod(np.broadcast_shapes(*(_aligned(a, shape).shape for a in parameters)))
        entries = classes * (2 * len(pre.code.messages) + 1)
        fits = entries <= MAX_TABLE and isinstance(pre.code, SingleSpikeCode)
        return cls(probe, synapse, pre) if fits else None

    @property
    def bytes_per_image(self) -> int:
        """Bytes per image of v."""
        return 4 * prod(self.population.shape)

    def run_batch(self, words: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """v of a batch, (B, *shape), from the words of the presynaptic population.

        Args:
            words: code words by population, (B, *shape) each.
            keep: record the largest |v| and |a_in| too, of the words that occur.
        """
        sent = words[self._pre]
        rows = np.ascontiguousarray(sent.reshape(len(sent), -1), np.int16)
        v = np.empty((len(rows), len(self._index)), np.int32)
        seen = np.zeros(self._v.shape, np.bool_)
        over_rows(_look_up, len(rows), rows, self._index, self._class, self._lowest, self._v, v, seen, keep)
        peak, a_in = (int(table[seen].max(initial=0)) for table in (self._peak, self._a_in))
        return LayerTrace(None, v.reshape(len(rows), *self.population.shape), peak, a_in)


def _aligned(values: NDArray[np.integer], shape: tuple[int, ...]) -> NDArray[np.integer]:
    return values.reshape((1,) * (len(shape) - values.ndim) + values.shape)


@njit()
def _look_up(first, end, words, index, of_class, lowest, table, v, seen, keep):  # type: ignore[no-untyped-def]
    """v of rows first..end, and which entries of the table occurred."""
    for n in range(first, end):
        for i in range(len(index)):
            word = words[n, index[i]] if index[i] >= 0 else 0
            v[n, i] = table[of_class[i], word - lowest]
            if keep:
                seen[of_class[i], word - lowest] = True
