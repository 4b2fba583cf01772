"""A population with a full wait, decided by bounds on its final potential, and exactly where the bounds leave a doubt.

`bounds` gives an interval for the final potential of every neuron. A neuron whose interval contains no threshold has
the same word everywhere in it. The few other neurons run the exact recursion (`undecided_kernel.decide_exactly`). It
also checks that their potentials lie in their intervals; if one does not, the event-driven kernel computes the whole
batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.fast.bounded.bounds import (
    Bounds,
    DecisionCounts,
    lookup_of,
    lowest_words,
    values_of_codes,
)
from loihi_onespike.executors.fast.bounded.float_source import FloatSource, largest_step, seen_by
from loihi_onespike.executors.fast.bounded.undecided_kernel import decide_exactly
from loihi_onespike.executors.fast.event.event_layer import EventLayer
from loihi_onespike.executors.float.quantize_kernel import decide_by_bounds
from loihi_onespike.executors.float.threshold_lookup import ThresholdLookup, words_of_intervals
from loihi_onespike.executors.tensors.memory_order import from_memory
from loihi_onespike.executors.threads import over_rows


class BoundedLayer:
    """Code words of one population, (B, *shape); `BoundedLayer.of` makes one where the bounds apply."""

    def __init__(
        self, population: Population, inputs: list[tuple[Synapse, InputPopulation | Population]], event: EventLayer,
        lookup: ThresholdLookup,
    ) -> None:  # fmt: skip
        self.population, self.event, self.lookup, self.decisions = population, event, lookup, DecisionCounts()
        shape = population.shape
        worst = [largest_step(s.op, shape) * 2.0**s.weight_exp for s, _ in inputs]
        steps = [w * pre.code.largest_message for w, (_, pre) in zip(worst, inputs, strict=True)]
        values = [values_of_codes(pre, population.membrane) for _, pre in inputs]
        largest = [w * v.max() for w, v in zip(worst, values, strict=True)]
        scaled = population.membrane.gain * 2.0**population.membrane.input_shift / population.threshold
        self._sources = [
            FloatSource(s, pre, v, float((w * scaled).max()))
            for w, v, (s, pre) in zip(largest, values, inputs, strict=True)
        ]
        nothing = np.zeros(())
        error = sum((w * source.relative_error for w, source in zip(largest, self._sources, strict=True)), nothing)
        single = all(not pre.code.multi_spike for _, pre in inputs)
        bounds = Bounds.of(population, sum(steps, nothing), sum(largest, nothing), error, single)
        self.decidable = bounds.decidable
        self.channels_last: bool = event.channels_last
        self.factor, self.offset, self.slack, self.limit, self.unit = bounds.laid_out(shape, self.channels_last)
        self._lowest = None if population.one_sided is None else lowest_words(population, self.channels_last)

    @classmethod
    def of(
        cls, population: Any, inputs: list[tuple[Synapse, InputPopulation | Population]], event: EventLayer | None
    ) -> BoundedLayer | None:
        """The layer; None if neurons decide before the input ends, or `ThresholdLookup` cannot hold their thresholds.

        Args:
            population: population of the layer.
            inputs: groups of synapses and the populations that they read.
            event: event-driven layer for the neurons that the bounds do not decide.
        """
        if event is None or not isinstance(population, Population) or population.wait < population.membrane.input_steps:
            return None
        lookup = lookup_of(population)
        ranks = {len(population.shape)} | {len(seen_by(s, pre)) for s, pre in inputs}
        flat = len(population.shape) == 2 and event.channel_first
        if lookup is None or len(ranks) > 1 or flat or len(population.shape) > 4 or population.threshold.min() < 1:
            return None
        layer = cls(population, inputs, event, lookup)
        return layer if layer.decidable > 0.5 else None

    def run_batch(self, words: Mapping[str, NDArray[np.integer]]) -> LayerTrace:
        """Words (B, *shape); v is not computed."""
        z, rest = self._sums(words)
        c, p, event = self.lookup, self.population, self.event
        sent = np.empty(z.shape, WORD_DTYPE)
        over_rows(
            decide_by_bounds, len(z), z, rest, self.factor, self.offset, self.slack, self.limit, c.cut, c.word,
            np.uint64(c.first), np.uint64(c.shift), c.low, c.high, np.uint64(c.cells), c.signed, sent,
        )  # fmt: skip
        counts = np.zeros((len(z), 2), np.int64)
        over_rows(
            decide_exactly, len(z), event.sources(words), *event.tables, event.bias, event.theta, event.negative,
            event.far, event.leak, p.membrane.input_shift, p.code.words_per_phase, event.signs, z, rest, self.factor,
            self.offset, self.slack, np.stack([self.limit, np.broadcast_to(self.unit, self.limit.shape)]), sent, counts,
        )  # fmt: skip
        breached = bool(counts[:, 1].any())
        self.decisions.add(sent.size, int(counts[:, 0].sum()), int(breached))
        if breached:
            return event.run_batch(words, keep=False)
        if self._lowest is not None:
            np.maximum(sent, self._lowest, out=sent)
        if p.far is not None:
            sent = words_of_intervals(sent, len(p.code.messages)).astype(WORD_DTYPE)
        shaped = sent.reshape(len(sent), -1)
        if self.channels_last:
            return LayerTrace(from_memory(shaped, p.shape), None)
        return LayerTrace(shaped.reshape(len(sent), *p.shape), None)

    @property
    def splits(self) -> int:
        """Synapse groups whose values are split into head and rest."""
        return sum(source.split for source in self._sources)

    @property
    def bytes_per_image(self) -> int:
        """Bytes for heads and rests of the inputs, the sums, and the copies that the convolution library makes."""
        seen = sum(int(np.prod(s.seen)) * (2 if s.split else 1) for s in self._sources)
        return 4 * (2 * seen + 6 * int(np.prod(self.population.shape))) + 8 * seen

    def _sums(self, words: Mapping[str, NDArray[np.integer]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Σ weight · value of heads and rests, (B, places, channels) in memory order."""
        sums: list[torch.Tensor | None] = [None, None]
        with torch.no_grad():
            for source in self._sources:
                for i, values in enumerate(source.values(words[source.pre.name])):
                    part = source.apply(values)
                    total = sums[i]
                    sums[i] = part if total is None else total.add_(part)
        return self._laid_out(sums[0]), self._laid_out(sums[1])

    def _laid_out(self, total: torch.Tensor | None) -> NDArray[np.float32]:
        if total is None:
            return np.zeros((0, 0, 0), np.float32)
        if not self.channels_last:
            return total.reshape(len(total), -1, total.shape[-1]).numpy()
        return total.movedim(1, -1).reshape(len(total), -1, total.shape[1]).contiguous().numpy()
