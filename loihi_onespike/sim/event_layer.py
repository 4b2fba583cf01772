"""A population and its synapses in the tables of the event-driven kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, singledispatch
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.coding import BinaryCode, ThresholdTable
from loihi_onespike.ir.linear import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Window, op_input_shape
from loihi_onespike.ir.network import InputPopulation, Population, Readout, Synapse
from loihi_onespike.sim.event_kernel import CHANNELS, GROUP_OUT, WEIGHTS, run_layer
from loihi_onespike.sim.lanes import LANES
from loihi_onespike.sim.trace import LayerTrace

MAX_TABLE = 2**26
"""Largest number of weights or taps that are laid out for the kernel; beyond it a dense map is used."""


@dataclass(frozen=True, eq=False)
class Taps:
    """A linear map as places, taps and rows of weights.

    y[place p, channel o] = Σ_k Σ_c weights[rows[p, k], c, o] · x[places[p, k], c]

    Attributes:
        places: (output places, taps) input place or -1.
        rows: (output places, taps) row of weights.
        weights: (rows, input channels, output channels per group).
        groups: groups of channels.
        channel_first: channels are the first axis of input and output (maps), not the last.
    """

    places: NDArray[np.int32]
    rows: NDArray[np.int32]
    weights: NDArray[np.int16]
    groups: int
    channel_first: bool


@singledispatch
def taps_of(op: LinearMap, shape: Shape) -> Taps | None:
    """Tables of a map over inputs of `shape`; None where it has no such form or would be too large."""
    return None


def _window_places(window: Window, spatial: Shape) -> NDArray[np.int32]:
    """(output places, taps) flat input place under each tap, -1 outside."""
    places = np.zeros((1, 1), np.int64)
    inside = np.ones((1, 1), bool)
    for size, out, kernel, stride, (before, _), dilation in zip(
        spatial, window.output(spatial), window.kernel, window.stride, window.padding, window.dilation, strict=True
    ):
        at = np.arange(out)[:, None] * stride - before + np.arange(kernel) * dilation  # (out, kernel)
        rows, columns = places.shape
        places = (places[:, None, :, None] * size + at[None, :, None, :]).reshape(rows * out, columns * kernel)
        fits = (at >= 0) & (at < size)
        inside = (inside[:, None, :, None] & fits[None, :, None, :]).reshape(rows * out, columns * kernel)
    return np.where(inside, places, -1).astype(np.int32)


def _same_rows(places: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.broadcast_to(np.arange(places.shape[1], dtype=np.int32), places.shape)


@taps_of.register
def _(op: Conv, shape: Shape) -> Taps | None:
    places = _window_places(op.window, shape[1:])
    out, per_group = op.weight.shape[:2]
    by_group = op.weight.reshape(op.groups, out // op.groups, per_group, -1)  # (g, o, i, tap)
    weights = by_group.transpose(3, 0, 2, 1).reshape(-1, op.groups * per_group, out // op.groups)
    return Taps(places, _same_rows(places), weights.astype(np.int16), op.groups, True)


@taps_of.register
def _(op: Pool, shape: Shape) -> Taps | None:
    places = _window_places(op.window, shape[1:])
    weights = np.full((1, shape[0], 1), op.weight, np.int16)
    return Taps(places, np.zeros_like(places), weights, shape[0], True)


@taps_of.register
def _(op: Dense, shape: Shape) -> Taps | None:
    places = np.arange(prod(shape[:-1]), dtype=np.int32)[:, None]
    return Taps(places, np.zeros_like(places), op.weight.T[None].astype(np.int16), 1, False)


@taps_of.register
def _(op: Diagonal, shape: Shape) -> Taps | None:
    channels, count = shape[0], prod(shape[1:])
    places = np.arange(count, dtype=np.int32)[:, None]
    aligned = op.weight.reshape((1,) * (len(shape) - op.weight.ndim) + op.weight.shape)
    if prod(aligned.shape[1:]) == 1:
        weights = np.broadcast_to(aligned.reshape(1, -1), (1, channels))
        rows = np.zeros_like(places)
    else:
        weights = np.broadcast_to(aligned, shape).reshape(channels, count).T
        rows = places
    return Taps(places, rows, weights[..., None].astype(np.int16), channels, True)


def memory_order(values: NDArray[Any]) -> NDArray[Any]:
    """(B, *shape) as (B, neurons) in the order in which the kernels hold it: maps with their channels last."""
    moved = np.moveaxis(values, 1, -1) if values.ndim > 3 else values
    return moved.reshape(len(values), -1)


def from_memory(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The inverse of `memory_order`, as a view.

    With one channel or one place both orders are the same; the view is then a plain one, since torch 2.3 reads beyond
    the values of a convolution's input that has one channel and the strides of channels-last memory.
    """
    if len(shape) < 3 or shape[0] == 1 or prod(shape[1:]) == 1:
        return values.reshape(len(values), *shape)
    return np.moveaxis(values.reshape(len(values), *shape[1:], shape[0]), -1, 1)


def memory_positions(shape: Shape) -> NDArray[np.int64]:
    """Place of every neuron of a population in `memory_order`, by its flat index."""
    order = memory_order(np.arange(prod(shape)).reshape(1, *shape))[0]
    positions = np.empty(len(order), np.int64)
    positions[order] = np.arange(len(order))
    return positions


class EventLayer:
    """One population for the event-driven kernel; same results as `dense_layer.DenseLayer`.

    Use `EventLayer.of`, which gives None for what the kernel has no form for.
    """

    def __init__(
        self,
        population: Population | Readout,
        inputs: list[tuple[Synapse, InputPopulation | Population]],
        taps: list[Taps],
    ) -> None:
        self.population, self.inputs = population, inputs
        first = self.channel_first = taps[0].channel_first
        shape = population.shape
        self.channels = shape[0] if first else shape[-1]
        out_places = prod(shape) // self.channels
        # Maps leave the kernel with their channels last, as `memory_order` holds them.
        self.channels_last = first and len(shape) > 2
        by_channel = first and len(shape) == 2
        self._strides = (1, out_places, self.channels) if by_channel else (self.channels, 1, self.channels)
        self._padded = -(-self.channels // LANES) * LANES
        self._layout(taps, out_places)
        self._parameters(first, out_places)

    @classmethod
    def of(
        cls, population: Population | Readout, inputs: list[tuple[Synapse, InputPopulation | Population]]
    ) -> EventLayer | None:
        taps = []
        for synapse, pre in inputs:
            found = taps_of(synapse.op, op_input_shape(pre.shape, synapse.index))
            if found is None or found.weights.size > MAX_TABLE or found.places.size > MAX_TABLE:
                return None
            if isinstance(synapse.op, Diagonal) and len(inputs) > 1 and not _channel_first(inputs):
                found = _last_axis(found, synapse.op, op_input_shape(pre.shape, synapse.index))
            taps.append(found)
        if len({t.channel_first for t in taps}) > 1:
            return None
        return cls(population, inputs, taps)

    def _layout(self, taps: list[Taps], out_places: int) -> None:
        table, gathers, weights, offset, source = [], [], [], 0, 0
        sources: dict[str, int] = {}
        for (synapse, pre), tap in zip(self.inputs, taps, strict=True):
            if pre.name not in sources:
                sources[pre.name] = source
                source += prod(pre.shape)
            seen = op_input_shape(pre.shape, synapse.index)
            index = np.arange(prod(seen)).reshape(seen) if synapse.index is None else synapse.index
            index = np.where(index < 0, -1, memory_positions(pre.shape)[index])
            channels = tap.weights.shape[1]
            by_place = index.reshape(channels, -1).T if tap.channel_first else index.reshape(-1, channels)
            gathers.append(by_place.ravel().astype(np.int32))
            rows = tap.weights << synapse.weight_exp
            per_group = rows.shape[2]
            if tap.groups == 1:
                rows = np.pad(rows, [(0, 0), (0, 0), (0, self._padded - per_group)])
                per_group = self._padded
            bits = pre.code.bits if isinstance(pre.code, BinaryCode) else 0
            signed = isinstance(pre, Population) and pre.signed
            table.append(
                [by_place.shape[0], channels, tap.places.shape[1], per_group, channels // tap.groups, offset, bits,
                 int(signed), sources[pre.name], out_places]
            )  # fmt: skip
            weights.append(rows.ravel())
            offset += rows.size
        self._sources = list(sources)
        self._table = np.array(table, np.int64)
        self._gather, self._weights = np.concatenate(gathers), np.concatenate(weights).astype(np.int16)
        self._places = np.concatenate([t.places.ravel() for t in taps])
        self._rows = np.concatenate([np.ascontiguousarray(t.rows).ravel() for t in taps])

    def _parameters(self, channel_first: bool, out_places: int) -> None:
        p, m = self.population, self.population.membrane
        self.bias = self._by_place(m.bias, channel_first, out_places)
        spiking = isinstance(p, Population)
        timesteps = p.timesteps if isinstance(p, Population) else 0
        self._window = (m.input_shift, p.wait, timesteps)
        self.leak = np.array(m.leak, np.int64)
        self.theta = self.negative = np.zeros((1, 1, self._padded), np.int32)
        if isinstance(p, Population):
            self.theta = self._thresholds(p.table, channel_first, out_places)
            if p.negative is not None:
                self.negative = self._thresholds(p.negative, channel_first, out_places)
        self._flags = (spiking, spiking and self.population.signed)  # type: ignore[union-attr]

    def _thresholds(self, table: ThresholdTable, channel_first: bool, out_places: int) -> NDArray[np.int32]:
        assert isinstance(self.population, Population)
        theta = np.clip(table.thresholds(self.population.threshold), -(2**30), 2**30)
        return np.stack([self._by_place(row, channel_first, out_places) for row in theta])

    def _by_place(self, values: NDArray[np.integer], channel_first: bool, out_places: int) -> NDArray[np.int32]:
        """(1 or output places, padded channels) of parameters broadcastable to the shape."""
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
        """Sources, outputs and the kernel's list of spikes."""
        spikes = int(np.sum(self._table[:, 0] * self._table[:, 1] * np.maximum(self._table[:, 6], 1)))
        return 8 * spikes + 6 * prod(self.population.shape) + 4 * sum(prod(pre.shape) for _, pre in self.inputs)

    @cached_property
    def tables(self) -> tuple[NDArray[Any], ...]:
        """gather, table, places, rows and weights for `exact_kernel.settle`."""
        turned = np.empty_like(self._weights)
        starts = [*self._table[:, WEIGHTS], len(self._weights)]
        for group, first, end in zip(self._table, starts, starts[1:], strict=False):
            rows = self._weights[first:end].reshape(-1, group[CHANNELS], group[GROUP_OUT])
            turned[first:end] = rows.swapaxes(1, 2).ravel()
        return self._gather, self._table, self._places, self._rows, turned

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        shape = self.population.shape
        return from_memory(values, shape) if self.channels_last else values.reshape(len(values), *shape)

    def sources(self, phases: Mapping[str, NDArray[np.integer]]) -> NDArray[np.integer]:
        """(B, inputs) phases or codes of all presynaptic populations side by side, int16 or int32, in memory order."""
        parts = [memory_order(phases[name]) for name in self._sources]
        source = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return np.ascontiguousarray(source, np.int16 if source.dtype.itemsize <= 2 else np.int32)

    def run_batch(self, phases: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """Phases and v of a batch, (B, *shape).

        Args:
            phases: phases or codes of the presynaptic populations, (B, *shape) each.
            keep: record v and the peaks; a readout always records v.
        """
        source = self.sources(phases)
        images, neurons = len(source), prod(self.population.shape)
        spiking, signed = self._flags
        keep_v = keep or not spiking
        sent = np.empty((images, neurons if spiking else 0), np.int16)
        v = np.empty((images, neurons if keep_v else 0), np.int32)
        peaks = np.zeros((images, 2), np.int64)
        run_layer(
            source, self._gather, self._table, self._places, self._rows,
            self._weights, self.bias, self.theta, self.negative, self.leak, self._window,
            (spiking, signed, keep_v, keep), self._strides, sent, v, peaks,
        )  # fmt: skip
        return LayerTrace(
            self._shaped(sent) if spiking else None,
            self._shaped(v.astype(np.int64)) if keep_v else None,
            int(peaks[:, 0].max(initial=0)),
            int(peaks[:, 1].max(initial=0)),
        )


def _channel_first(inputs: list[tuple[Synapse, InputPopulation | Population]]) -> bool:
    return not any(isinstance(s.op, Dense) for s, _ in inputs)


def _last_axis(taps: Taps, op: Diagonal, shape: Shape) -> Taps:
    """A diagonal map beside dense ones: channels are the last axis."""
    weight = np.broadcast_to(op.weight, shape).reshape(-1, shape[-1])
    places = np.arange(len(weight), dtype=np.int32)[:, None]
    return replace(
        taps,
        places=places,
        rows=places,
        weights=weight[..., None].astype(np.int16),
        groups=shape[-1],
        channel_first=False,
    )
