"""A relay: a population whose output is its input, so that nothing is computed.

    s_out(t) = s_in(t),   v = weight · message after the spike

A population is a relay if its neurons have neither gain nor bias and no wait, and if a spike of each word reaches the
threshold of this word and that of no earlier word of its phase, while silence reaches none. This is checked from the
numbers; the name of the population does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, WORD_DTYPE
from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.trace import LayerTrace


class RelayLayer:
    """One relay population; same results as the kernels. Use `RelayLayer.of`."""

    def __init__(self, population: Population, synapse: Synapse, a_in: int) -> None:
        self.population, self._pre, self._a_in = population, synapse.pre, a_in
        self._v = a_in << population.membrane.input_shift

    @classmethod
    def of(cls, population: Any, inputs: list[tuple[Synapse, InputPopulation | Population]]) -> RelayLayer | None:
        """The relay; None for a population that may do more than repeat its input."""
        if not isinstance(population, Population) or len(inputs) != 1 or population.wait != 0:
            return None
        (synapse, pre), m = inputs[0], population.membrane
        if not isinstance(pre, Population) or not synapse.op.elementwise or synapse.index is not None:
            return None
        if (pre.signed and not population.signed) or not pre.timesteps == m.input_steps == population.timesteps:
            return None
        if pre.code.messages != population.code.messages or population.one_sided is not None:
            return None
        weights = np.unique(synapse.op.weight)
        if set(m.leak) != {2**LEAK_SHIFT} or np.any(m.bias) or len(weights) != 1 or weights[0] <= 0:
            return None
        a_in = int(weights[0]) << synapse.weight_exp
        v = np.array(pre.code.messages).reshape(-1, pre.code.words_per_phase, 1) * (a_in << m.input_shift)
        tables = [population.table] + ([population.negative] if population.negative is not None else [])
        for table in tables:
            theta = table.thresholds(population.threshold).reshape(*v.shape[:2], -1)
            if theta.min() <= 0 or np.any(theta > v) or np.any(theta[:, :-1] <= v[:, 1:]):
                return None
        return cls(population, synapse, a_in) if v.max() <= V_MAX else None

    @property
    def bytes_per_image(self) -> int:
        """Bytes for a copy of the words, and for v."""
        return 6 * prod(self.population.shape)

    def run_batch(self, words: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """Words and v of a batch, (B, *shape).

        Args:
            words: code words of the presynaptic population.
            keep: record v and the peaks.
        """
        sent = words[self._pre].astype(WORD_DTYPE, copy=keep)
        if not keep:
            return LayerTrace(sent, None)
        messages = np.array((0, *self.population.code.messages), np.int32)[np.abs(sent)] * np.sign(sent)
        largest = int(np.abs(messages).max(initial=0))
        return LayerTrace(sent, messages * np.int32(self._v), self._v * largest, self._a_in * largest)
