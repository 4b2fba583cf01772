"""A population and its synapses in the event-driven kernel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.graphs.network import NEVER_REACHED, InputPopulation, Population, Readout, Synapse
from loihi_onespike.core.maps import op_input_shape
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.fast.bounded.undecided_tables import exact_tables
from loihi_onespike.executors.fast.code_bits import kernel_codes
from loihi_onespike.executors.fast.event.event_kernel import DIPPED, POSITIVE, SIGNED, run_layer
from loihi_onespike.executors.fast.event.event_tables import EventTables, Inputs
from loihi_onespike.executors.fast.event.simd_operations import LANES
from loihi_onespike.executors.fast.event.windowed_map import WindowedMap, windowed_map_of
from loihi_onespike.executors.tensors.memory_order import from_memory, memory_order
from loihi_onespike.executors.threads import over_rows

MAX_TABLE = 2**26
"""Largest number of weights or taps of a layer in the event-driven kernel; larger layers run as dense maps."""
BLOCK_LANES = 128
"""Neurons whose recursions run side by side."""
NARROW = 2**15 - 1
"""Largest |sum| for which the kernel adds up in 16 bits, otherwise in 32."""


class EventLayer:
    """One population for the event-driven kernel; same results as `dense_layer.DenseLayer`.

    `EventLayer.of` makes one where the kernel can run the layer.
    """

    def __init__(
        self, population: Population | Readout, inputs: Inputs, taps: list[WindowedMap], tables: EventTables
    ) -> None:
        self.population, self.inputs, self._taps, self._tables = population, inputs, taps, tables
        first = self.channel_first = taps[0].channel_first
        shape = population.shape
        self.channels = shape[0] if first else shape[-1]
        out_places = prod(shape) // self.channels
        # Maps leave the kernel with their channels last, as `memory_order` holds them.
        self.channels_last = first and len(shape) > 2
        by_channel = first and len(shape) == 2
        self._strides = (1, out_places, self.channels) if by_channel else (self.channels, 1, self.channels)
        self._padded = _padded(self.channels)
        self._block = min(max(BLOCK_LANES // self._padded, 1), out_places)
        self._parameters(first)

    @classmethod
    def of(
        cls, population: Population | Readout, inputs: list[tuple[Synapse, InputPopulation | Population]]
    ) -> EventLayer | None:
        """The layer; None if a map has no windowed form, its tables would be too large, or it pools messages.

        Args:
            population: population of the layer.
            inputs: groups of synapses and the populations that they read.
        """
        if isinstance(population, Population) and population.digit_bits:
            return None
        taps = []
        features_last = len(inputs) > 1 and any(s.op.channel_axis == -1 for s, _ in inputs)
        for synapse, pre in inputs:
            seen = op_input_shape(pre.shape, synapse.index)
            found = windowed_map_of(synapse.op, seen, features_last)
            if found is None or found.weights.size > MAX_TABLE or found.places.size > MAX_TABLE:
                return None
            taps.append(found)
        if len({t.channel_first for t in taps}) > 1:
            return None
        channels = population.shape[0] if taps[0].channel_first else population.shape[-1]
        tables = EventTables.of(inputs, taps, _padded(channels))
        return None if tables is None else cls(population, inputs, taps, tables)

    def _parameters(self, channel_first: bool) -> None:
        p, m = self.population, self.population.membrane
        self.bias = self._by_place(m.bias, channel_first)
        timesteps, of_phase = (p.timesteps, p.code.words_per_phase) if isinstance(p, Population) else (0, 1)
        self._window = (m.input_shift, p.wait, timesteps, of_phase, self._tables.unit, self._block)
        self.leak = np.array(m.leak, np.int64)
        self.theta = self.negative = self.far = np.zeros((1, 1, self._padded), np.int32)
        self.signs = POSITIVE
        if isinstance(p, Population):
            threshold = np.broadcast_to(p.threshold, p.threshold_shape)
            self.theta = self._thresholds(p.table.thresholds(threshold), channel_first)
            negative = p.negative_thresholds(p.threshold_shape)
            if negative is not None:
                self.signs, self.negative = SIGNED, self._thresholds(negative, channel_first)
            if p.far is not None:
                self.signs, self.far = DIPPED, self._thresholds(p.far.thresholds(threshold), channel_first)
        graded = of_phase > 1 or any(pre.code.payload_bits for _, pre in self.inputs)
        self._graded = True if graded else None
        self._sums = np.empty(0, np.int16 if self._tables.largest <= NARROW else np.int32)

    def _thresholds(self, theta: NDArray[np.int64], channel_first: bool) -> NDArray[np.int32]:
        theta = np.clip(theta, -NEVER_REACHED, NEVER_REACHED)
        return np.stack([self._by_place(row, channel_first) for row in theta])

    def _by_place(self, values: NDArray[np.integer], channel_first: bool) -> NDArray[np.int32]:
        """Parameters broadcastable to the shape as (1 or output places, padded channels)."""
        shape = self.population.shape
        aligned = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
        others = aligned.shape[1:] if channel_first else aligned.shape[:-1]
        if prod(others) == 1:
            channels = aligned.reshape(1, -1)
            result = np.broadcast_to(channels, (1, self.channels))
        else:
            full = np.broadcast_to(aligned, shape)
            result = full.reshape(self.channels, -1).T if channel_first else full.reshape(-1, self.channels)
        padded = np.zeros((len(result), self._padded), np.int32)
        padded[:, : self.channels] = result
        return padded

    @property
    def bytes_per_image(self) -> int:
        """Bytes for the input codes, the outputs and the kernel's list of spikes."""
        sources = sum(prod(pre.shape) for _, pre in self.inputs)
        return 8 * self._tables.spikes + 6 * prod(self.population.shape) + 4 * sources

    @cached_property
    def tables(self) -> tuple[NDArray[Any], ...]:
        """gather, table, places, rows and weights for `undecided_kernel.decide_exactly`."""
        return exact_tables(self.inputs, self._taps, self._tables)

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.int32], ...]:
        """Bias and thresholds; those that all places share are repeated for every place of a block."""
        parameters = (self.bias, self.theta, self.negative, self.far)
        return tuple(np.tile(a, self._block) if a.shape[-2] == 1 else a for a in parameters)

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        shape = self.population.shape
        return from_memory(values, shape) if self.channels_last else values.reshape(len(values), *shape)

    def sources(self, words: Mapping[str, NDArray[np.integer]]) -> NDArray[np.integer]:
        """(B, inputs) what the kernels read of all presynaptic populations side by side, in memory order."""
        code = {pre.name: pre.code for _, pre in self.inputs}
        parts = [memory_order(kernel_codes(words[name], code[name])) for name in self._tables.sources]
        return np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))

    def run_batch(self, words: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """Words and v of a batch, (B, *shape).

        Args:
            words: code words of the presynaptic populations, (B, *shape) each.
            keep: record v and the peaks; a readout always records v.
        """
        source, t = self.sources(words), self._tables
        images, neurons = len(source), prod(self.population.shape)
        spiking = isinstance(self.population, Population)
        keep_v = keep or not spiking
        sent = np.empty((images, neurons if spiking else 0), WORD_DTYPE)
        v = np.empty((images, neurons if keep_v else 0), np.int32)
        peaks = np.zeros((images, 2), np.int64)
        over_rows(
            run_layer, images, source, t.gather, t.columns, t.groups, t.runs, t.run_start, t.weights, *self._blocks,
            self.leak, self._window, (spiking, self.signs, keep_v, keep), self._strides, self._sums, self._graded, sent,
            v, peaks,
        )  # fmt: skip
        return LayerTrace(
            self._shaped(sent) if spiking else None,
            self._shaped(v) if keep_v else None,
            int(peaks[:, 0].max(initial=0)),
            int(peaks[:, 1].max(initial=0)),
        )


def _padded(channels: int) -> int:
    return -(-channels // LANES) * LANES
