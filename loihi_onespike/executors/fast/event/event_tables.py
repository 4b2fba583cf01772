"""Synapse groups in the tables of the event-driven kernel (`event_kernel.run_layer`).

A spike of input channel c at input place i adds a row of weights to the channels of every output place that it
reaches. Rows lie as (row, channel), as events do within a group, so that taps over places side by side are one **run**:
all their spikes are one range of the list of events, and one offset leads from an event to its weights.

Rows of grouped maps reach few channels; they are as wide as LANES need and start at the column of their group.
Weights are divided by the largest power of two common to all, and negated copies serve negative spikes.
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
from loihi_onespike.executors.fast.event.tap_tables import Taps
from loihi_onespike.executors.fast.event.vector_lanes import LANES
from loihi_onespike.executors.tensors.memory_order import memory_positions

LARGEST_OFFSET = 2**31 - 1
"""Weights of one group and sums of one block are addressed with 32 bits."""
MAX_UNIT = 8
"""Largest power of two that is taken out of the weights; an even weight of 8 bits has no more."""

Inputs = list[tuple[Synapse, InputPopulation | Population]]


@dataclass(frozen=True, eq=False)
class EventTables:
    """Arguments of the kernel that describe the synapses; see there.

    Attributes:
        sources: presynaptic populations in the order in which their codes lie side by side.
        unit: power of two that all weights were divided by.
        largest: largest Σ |weight| onto one neuron after that division.
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
    def of(cls, inputs: Inputs, taps: list[Taps], padded: int) -> EventTables | None:
        """Tables for outputs of `padded` channels; None where the weights of a group are too many to be addressed.

        Args:
            inputs: groups of synapses and the populations that they read.
            taps: taps of every group.
            padded: number of output channels with padding.
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
            largest += _largest_sums(scaled, tap, padded)
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


def gather_of(synapse: Synapse, pre: InputPopulation | Population, tap: Taps) -> NDArray[np.int32]:
    """(input places, channels) place in memory order of what the map sees, -1 for nothing.

    Args:
        synapse: the group of synapses.
        pre: population that it reads.
        tap: its taps.
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
    """(rows, channels, width) and the first output channel of each input channel's row, multiples of LANES."""
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


def _largest_sums(weights: NDArray[np.int64], tap: Taps, padded: int) -> NDArray[np.int64]:
    """(padded,) at least Σ |weight| onto any neuron of each output channel."""
    rows, channels, per_group = weights.shape
    by_group = np.abs(weights).reshape(rows, tap.groups, channels // tap.groups, per_group).sum(axis=2)
    each = by_group.reshape(rows, -1)
    # Rows are taps of a window, all of which reach one neuron, or one row per place.
    most = each.max(axis=0) * tap.places.shape[1]
    taps_are_rows = rows == tap.places.shape[1]
    result = np.zeros(padded, np.int64)
    result[: each.shape[1]] = np.minimum(most, each.sum(axis=0)) if taps_are_rows else most
    return result


def _runs(tap: Taps) -> NDArray[np.int64]:
    """(runs, 4): output place, first input place, last + 1, and rows from an input place to its row of weights."""
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
