"""Tables of the synapse groups for the event-driven kernel (`event_kernel.run_layer`).

A spike of input channel c at input place i adds a row of weights to the channels of every output place that it
reaches. Rows are ordered by (row, channel), as spikes are in the kernel's list. Neighbouring taps over neighbouring
places therefore form a **run**: their spikes are one range of the list, and one number leads from each to its weights.

Rows of grouped maps reach the channels of one group only. They are stored with the smallest multiple of LANES that
holds these, and start at the column of their group. All weights are divided by their largest common power of two;
negated copies serve negative spikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import InputPopulation, Population, Synapse
from loihi_onespike.core.maps import op_input_shape
from loihi_onespike.executors.fast.code_bits import code_bits
from loihi_onespike.executors.fast.event.event_kernel import BITS, CHANNELS, PLACES
from loihi_onespike.executors.fast.event.simd_operations import LANES
from loihi_onespike.executors.fast.event.windowed_map import WindowedMap
from loihi_onespike.executors.tensors.memory_order import memory_positions

LARGEST_OFFSET = 2**31 - 1
"""Largest address of a weight within a group; the kernel keeps addresses in 32 bits."""
LARGEST_SUM = 2**31 - 1
"""Largest |sum| of a step; the kernel adds up in 32 bits."""
MAX_UNIT = 8
"""Largest exponent of the power of two that the weights are divided by; no weight of 8 bits is divisible by more."""

Inputs = list[tuple[Synapse, InputPopulation | Population]]


@dataclass(frozen=True, eq=False)
class EventTables:
    """Arguments of the kernel that describe the synapses.

    gather, columns, groups, runs, run_start and weights are described at `event_kernel.run_layer`.

    Attributes:
        sources: presynaptic populations in the order in which their codes lie side by side.
        unit: exponent of the power of two that all weights were divided by.
        largest: largest Σ |weight · message| onto one neuron after that division.
    """

    sources: list[str]
    gather: NDArray[np.int32]
    columns: NDArray[np.int32]
    groups: NDArray[np.int64]
    runs: NDArray[np.int64]
    run_start: NDArray[np.int64]
    weights: NDArray[np.int16]
    unit: int
    largest: int

    @classmethod
    def of(cls, inputs: Inputs, taps: list[WindowedMap], padded: int) -> EventTables | None:
        """Tables of some groups onto one population; None if addresses of weights, or sums, need more than 32 bits.

        Args:
            inputs: groups of synapses and the populations that they read.
            taps: windowed map of every group.
            padded: number of output channels, rounded up to a multiple of LANES.
        """
        exponents = [s.weight_exp for s, _ in inputs]
        unit = min(MAX_UNIT, *(_common_power(t.weights, e) for t, e in zip(taps, exponents, strict=True)))
        gathers, columns, groups, runs, weights = [], [], [], [], []
        first_place = first_weight = 0
        sources: dict[str, int] = {}
        largest = np.zeros(padded, np.int64)
        for s, ((synapse, pre), tap, exponent) in enumerate(zip(inputs, taps, exponents, strict=True)):
            offset = sources.setdefault(pre.name, sum(prod(p.shape) for _, p in _distinct(inputs[:s])))
            gather = gather_of(synapse, pre, tap)
            scaled = (tap.weights.astype(np.int64) << exponent) >> unit
            rows, column = _wide_rows(scaled, tap.groups, padded)
            signed = isinstance(pre, Population) and pre.signed
            if gather.size * rows.shape[2] + rows.size > LARGEST_OFFSET:
                return None
            bits = code_bits(pre.code)
            places, channels = gather.shape
            groups.append([places, channels, bits, offset, rows.shape[2], rows.size])
            found = _runs(tap)
            found[:, 3] = first_weight + found[:, 3] * channels * rows.shape[2]
            found[:, 1:3] += first_place
            runs.append(np.insert(found, 1, s, axis=1))
            gathers.append(gather.ravel())
            columns.append(column)
            weights += [rows.ravel(), -rows.ravel()] if signed else [rows.ravel()]
            first_place += places
            first_weight += rows.size * (1 + signed)
            largest += _largest_sums(scaled, tap, padded) * pre.code.largest_message
        if largest.max() > LARGEST_SUM:
            return None
        by_place = np.concatenate(runs)
        by_place = by_place[np.argsort(by_place[:, 0], kind="stable")]
        out_places = len(taps[0].places)
        return cls(
            list(sources), np.concatenate(gathers), np.concatenate(columns), np.array(groups, np.int64),
            np.ascontiguousarray(by_place[:, 1:]), np.searchsorted(by_place[:, 0], np.arange(out_places + 1)),
            np.concatenate(weights).astype(np.int16), unit, int(largest.max()),
        )  # fmt: skip

    @property
    def spikes(self) -> int:
        """Most spikes of one image."""
        g = self.groups
        return int(np.sum(g[:, PLACES] * g[:, CHANNELS] * np.maximum(g[:, BITS], 1)))


def gather_of(synapse: Synapse, pre: InputPopulation | Population, tap: WindowedMap) -> NDArray[np.int32]:
    """Neuron, by its place in memory order, that each (input place, channel) of a map reads; -1 for none.

    Args:
        synapse: the group of synapses.
        pre: population that it reads.
        tap: its windowed map.
    """
    seen = op_input_shape(pre.shape, synapse.index)
    index = np.arange(prod(seen)).reshape(seen) if synapse.index is None else synapse.index
    index = np.where(index < 0, -1, memory_positions(pre.shape)[index]).astype(np.int32)
    channels = tap.weights.shape[1]
    by_place = index.reshape(channels, -1).T if tap.channel_first else index.reshape(-1, channels)
    return np.ascontiguousarray(by_place)


def _distinct(inputs: Inputs) -> list[tuple[str, InputPopulation | Population]]:
    return list({pre.name: pre for _, pre in inputs}.items())


def _common_power(weights: NDArray[np.integer], exponent: int) -> int:
    """Largest u with 2^u dividing all weights << exponent."""
    found = int(np.bitwise_or.reduce(weights.astype(np.int64).ravel(), initial=0))
    return exponent + ((found & -found).bit_length() - 1 if found else MAX_UNIT)


def _wide_rows(weights: NDArray[np.int64], groups: int, padded: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Weights as rows (rows, channels, width), width a multiple of LANES, and the first output channel of each row."""
    rows, channels, per_group = weights.shape
    group = np.arange(channels) // (channels // groups)
    if groups == 1:
        wide = np.zeros((rows, channels, padded), np.int64)
        wide[:, :, :per_group] = weights
        return wide, np.zeros(channels, np.int32)
    first = group * per_group
    column = first // LANES * LANES
    width = int((-(-(first - column + per_group) // LANES) * LANES).max())
    column = np.minimum(column, padded - width)
    wide = np.zeros((rows, channels, width), np.int64)
    at = (first - column)[:, None] + np.arange(per_group)
    wide[:, np.arange(channels)[:, None], at] = weights
    return wide, column.astype(np.int32)


def _largest_sums(weights: NDArray[np.int64], tap: WindowedMap, padded: int) -> NDArray[np.int64]:
    """Upper bound of Σ |weight| onto any neuron of each output channel, (padded,)."""
    rows, channels, per_group = weights.shape
    by_group = np.abs(weights).reshape(rows, tap.groups, channels // tap.groups, per_group).sum(axis=2)
    each = by_group.reshape(rows, -1)
    # Either each row belongs to a tap, and all rows reach one neuron, or each row belongs to a place.
    most = each.max(axis=0) * tap.places.shape[1]
    taps_are_rows = rows == tap.places.shape[1]
    result = np.zeros(padded, np.int64)
    result[: each.shape[1]] = np.minimum(most, each.sum(axis=0)) if taps_are_rows else most
    return result


def _runs(tap: WindowedMap) -> NDArray[np.int64]:
    """Runs of a map, (runs, 4): output place, first input place, last + 1, and row of weights less input place."""
    places, rows = tap.places.astype(np.int64), tap.rows.astype(np.int64)
    inside = places >= 0
    follows = np.zeros(places.shape, bool)
    follows[:, 1:] = inside[:, 1:] & inside[:, :-1] & (np.diff(places) == 1) & (np.diff(rows) == 1)
    begins = inside & ~follows
    ends = inside.copy()
    ends[:, :-1] &= ~follows[:, 1:]
    place, k = np.nonzero(begins)
    first = places[begins]
    return np.stack([place, first, places[ends] + 1, rows[place, k] - first], axis=1)
