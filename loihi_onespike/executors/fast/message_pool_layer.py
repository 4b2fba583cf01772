"""Max pooling of messages: the first word of every window, so that no decision is computed.

    word = smallest word in the window, which is the largest message of the first phase;   v = Σ weight · message

A population is computed in this way if it repeats the words of the populations that it reads, and if every neuron of a
window has a digit of v of its own (docs/arithmetic.md, The neuron). This is checked from the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.trace import LayerTrace


class MessagePoolLayer:
    """One population that pools messages; same results as `dense_layer.DenseLayer`. Use `MessagePoolLayer.of`."""

    def __init__(self, population: Population, reads: list[tuple[str, NDArray[np.int64], int]]) -> None:
        self.population, self._reads = population, reads
        code = population.code
        words = code.words()
        # (L + 1, T): message of each word at each phase.
        self._messages = np.stack([code.spikes(words, k) for k in range(1, code.timesteps + 1)], axis=1).astype(
            np.int32
        )

    @classmethod
    def of(cls, population: Any, inputs: list[tuple[Synapse, InputPopulation | Population]]) -> MessagePoolLayer | None:
        """The layer; None for a population that does not pool messages digit by digit.

        Args:
            population: population of the layer.
            inputs: groups of synapses and the populations that they read.
        """
        if not isinstance(population, Population) or not population.digit_bits:
            return None
        code, bits = population.code, population.digit_bits
        messages = np.array(code.messages).reshape(-1, *(1,) * population.threshold.ndim)
        if population.timesteps != population.membrane.input_steps:
            return None
        if np.any(population.table.thresholds(population.threshold) != messages):
            return None
        taken = np.zeros(population.shape, np.int64)
        reads = []
        for synapse, pre in inputs:
            weights = np.unique(synapse.op.weight)
            same = not pre.code.multi_spike and getattr(pre.code, "messages", ()) == code.messages
            if not same or not synapse.op.elementwise or len(weights) != 1:
                return None
            weight = int(weights[0]) << synapse.weight_exp
            digit, rest = divmod(weight.bit_length() - 2, bits)
            index = np.arange(prod(pre.shape)).reshape(pre.shape) if synapse.index is None else synapse.index
            own = (index >= 0) * (1 << max(digit, 0))
            if weight != 1 << (1 + digit * bits) or digit < 0 or rest or np.any(taken & own):
                return None
            taken |= own
            reads.append((pre.name, index.astype(np.int64), weight))
        return cls(population, reads)

    @property
    def bytes_per_image(self) -> int:
        """Bytes for the words of one group beside those of the window, for v, and for the sums of all phases."""
        return (24 + 8 * self.population.timesteps) * prod(self.population.shape)

    def run_batch(self, words: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """Words and v of a batch, (B, *shape).

        Args:
            words: code words of the presynaptic populations, (B, *shape) each.
            keep: record v and the peaks.
        """
        images = len(next(iter(words.values())))
        shape = (images, *self.population.shape)
        # Silence is the largest number: 0 - 1 is 2^16 - 1 in 16 bits without sign.
        first = np.full(shape, 2**16 - 1, np.uint16)
        sums = np.zeros((*shape, self.population.timesteps) if keep else (), np.int32)
        for pre, index, weight in self._reads:
            chosen = np.take(words[pre].reshape(images, -1), index.clip(0), axis=1)
            chosen = np.where(index >= 0, chosen, 0).astype(np.uint16)
            first = np.minimum(first, chosen - np.uint16(1))
            if keep:
                sums += self._messages[chosen] * np.int32(weight)
        sent = (first + np.uint16(1)).astype(WORD_DTYPE)
        if not keep:
            return LayerTrace(sent, None)
        v = sums.sum(axis=-1, dtype=np.int32)
        return LayerTrace(sent, v, int(v.max(initial=0)), int(sums.max(initial=0)))
