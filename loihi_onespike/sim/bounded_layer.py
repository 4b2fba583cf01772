"""A population with a full wait, decided by bounds on its final potential; exact where they leave a doubt.

With a full wait only v(T), T = input steps, decides. Let r be the recursion without rounding and saturation,

    r(t) = Q_t r(t-1) + A_t,   r(0) = bias,   A_t = a_in(t) << input_shift,
    r(T) = gain_T · (bias + Σ_i w_i level_i 2^input_shift)                         one linear map of the levels.

**Rounding.** Each floor takes δ in [0, 1), and none where Q_t is a whole number: as long as nothing saturates,
v(t) = r(t) - e(t) with 0 ≤ e(t) ≤ G_t, G_t = Q_t G_(t-1) + [Q_t not whole].

**Saturation.** With |A_t| ≤ A, the worst case of the weights, |r(t-1)| ≤ (|r(t)| + A) / Q_t backwards, and forwards
|r(t)| ≤ Q_t |r(t-1)| + A (for one-spike inputs ≤ gain_t (|bias| + A / Q_1)). Nothing saturates where one of both
bounds, plus G_t, stays below V_MAX at every step; that is a limit on |r(T)|.

**Arithmetic.** A float32 sum of n products with rounded factors is off by at most (n + 4) u Σ|w x|, u = 2^-24, in
whatever order it is added. Where that is coarse, levels are split into level = head + rest with few bits in the head:
all partial sums of its products with integer weights are below 2^24 and exact, and the rest is small. Integer codes
of an input are exact by themselves.

So v(T) / threshold lies within y ± slack, where slack holds G/2, the float error and 1 / threshold for the floor of
θ(k). Neurons whose interval meets no threshold have their phase; the few others run the exact recursion (`settle`),
which also checks v against its interval: arithmetic that breaks the bound sends the whole batch to the exact kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.coding import LEAK_SHIFT, PHASE_DTYPE, V_MAX, BinaryCode
from loihi_onespike.ir.linear import Conv, Dense, LinearMap, Pool
from loihi_onespike.ir.network import InputPopulation, Membrane, Population, Synapse
from loihi_onespike.sim.cells import CellTable
from loihi_onespike.sim.event_layer import EventLayer, from_memory, memory_order
from loihi_onespike.sim.exact_kernel import settle
from loihi_onespike.sim.maps import tensor_map
from loihi_onespike.sim.quantize_kernel import decide, look_up
from loihi_onespike.sim.quantizer import parameters_by_place
from loihi_onespike.sim.stage_sum import memory_gather
from loihi_onespike.sim.trace import LayerTrace

UNIT_ROUNDOFF = 2.0**-24
EXACT_BELOW = 2.0**24
"""Integers up to here, and so all partial sums that stay below, are exact in float32."""
FINEST = 2.0**-12
"""A float error beyond this share of the threshold is worth a second map."""


@dataclass
class Settled:
    """How the neurons of a layer were decided so far.

    Attributes:
        neurons: decided in all.
        exact: of these, by the exact recursion of a single neuron.
        breaches: batches that went to the exact kernel because arithmetic broke a bound.
    """

    neurons: int = 0
    exact: int = 0
    breaches: int = 0


class BoundedLayer:
    """Phases of one population; use `BoundedLayer.of`."""

    def __init__(
        self, population: Population, inputs: list[tuple[Synapse, InputPopulation | Population]], event: EventLayer,
        cells: CellTable,
    ) -> None:  # fmt: skip
        self.population, self.event, self.cells, self.settled = population, event, cells, Settled()
        m, shape = population.membrane, population.shape
        threshold = population.threshold.astype(np.float64)
        worst = [_per_channel(s.op, pre, shape) * 2.0**s.weight_exp for s, pre in inputs]
        values = [_values(pre, m) for _, pre in inputs]
        largest = [w * v.max() for w, v in zip(worst, values, strict=True)]
        scaled = m.gain * 2.0**m.input_shift / threshold
        magnitude = sum(largest, np.zeros(())) * scaled
        offset = m.bias * m.gain / threshold
        self._sources = [
            _Source(s, pre, v, float((w * scaled).max()))
            for w, v, (s, pre) in zip(largest, values, inputs, strict=True)
        ]
        floors = _floors(m)
        error = sum((w * source.relative_error for w, source in zip(largest, self._sources, strict=True)), np.zeros(()))
        error = error * scaled + 16 * UNIT_ROUNDOFF * (magnitude + np.abs(offset) + 1)
        slack = (floors[-1] / 2 + 1) / threshold + error
        limit = _limit(m, sum(worst, np.zeros(())) * 2.0**m.input_shift, floors, inputs) / threshold - 2 * slack
        self.decidable = float(np.mean(limit > 0))
        self.channels_last: bool = event.channels_last
        parameters = [scaled, offset - floors[-1] / 2 / threshold, slack, limit, 1 / threshold]
        common = np.broadcast_shapes(*(np.shape(a) for a in parameters))
        layout = lambda a: parameters_by_place(np.broadcast_to(a, common), shape, self.channels_last)  # noqa: E731
        factor, offset, slack, limit, unit = parameters
        self.factor, self.offset = layout(factor), layout(offset)
        self.slack = np.nextafter(layout(slack), np.float32(np.inf))
        self.limit, self.unit = layout(np.maximum(limit, -1.0)), layout(unit)

    @classmethod
    def of(
        cls, population: Any, inputs: list[tuple[Synapse, InputPopulation | Population]], event: EventLayer | None
    ) -> BoundedLayer | None:
        """The layer; None where neurons decide before the input ends, or their thresholds have no cells."""
        if event is None or not isinstance(population, Population) or population.wait < population.membrane.input_steps:
            return None
        negative = population.negative
        cells = CellTable.of(
            population.table.gains(), None if negative is None else negative.gains(), population.code.levels()
        )
        ranks = {len(population.shape)} | {len(_seen(s, pre)) for s, pre in inputs}
        flat = len(population.shape) == 2 and event.channel_first
        if cells is None or len(ranks) > 1 or flat or len(population.shape) > 4 or population.threshold.min() < 1:
            return None
        layer = cls(population, inputs, event, cells)
        return layer if layer.decidable > 0.5 else None

    def run_batch(self, phases: Mapping[str, NDArray[np.integer]]) -> LayerTrace:
        """Phases (B, *shape); v is not computed."""
        z, rest = self._sums(phases)
        c, p, event = self.cells, self.population, self.event
        sent = np.empty(z.shape, PHASE_DTYPE)
        decide(
            z, rest, self.factor, self.offset, self.slack, self.limit, c.cut, c.phase, np.uint64(c.first),
            np.uint64(c.shift), c.low, c.high, np.uint64(c.cells), c.signed, sent,
        )  # fmt: skip
        counts = np.zeros((len(z), 2), np.int64)
        settle(
            event.sources(phases), *event.tables, event.bias, event.theta, event.negative, event.leak,
            p.membrane.input_shift, p.signed, z, rest, self.factor, self.offset, self.slack,
            np.stack([self.limit, np.broadcast_to(self.unit, self.limit.shape)]), sent, counts,
        )  # fmt: skip
        self.settled.neurons += sent.size
        self.settled.exact += int(counts[:, 0].sum())
        if counts[:, 1].any():
            self.settled.breaches += 1
            return event.run_batch(phases, keep=False)
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
        """Heads and rests of the inputs, the sums and what the convolution library copies of them."""
        seen = sum(int(np.prod(s.seen)) * (2 if s.split else 1) for s in self._sources)
        return 4 * (2 * seen + 6 * int(np.prod(self.population.shape))) + 8 * seen

    def _sums(self, phases: Mapping[str, NDArray[np.integer]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Σ weight · value of heads and rests, (B, places, channels) in memory order."""
        sums: list[torch.Tensor | None] = [None, None]
        with torch.no_grad():
            for source in self._sources:
                for i, values in enumerate(source.values(phases[source.pre.name])):
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


class _Source:
    """The float map of one synapse group, and the values that it takes."""

    def __init__(
        self, synapse: Synapse, pre: InputPopulation | Population, values: NDArray[np.float64], magnitude: float
    ) -> None:
        self.pre, self.seen = pre, _seen(synapse, pre)
        op, terms = synapse.op, _terms(synapse.op)
        row = float(np.max(_row_sums(op)[2]))
        self._gather = memory_gather(synapse.index, torch.device("cpu"))
        self._map = tensor_map(op, None, torch.float32, channels_last=isinstance(op, Conv))
        self._exponent = 2.0**synapse.weight_exp
        self.split, plain = False, (terms + 6) * UNIT_ROUNDOFF
        bits = int(np.floor(np.log2(EXACT_BELOW / max(row, 1.0))))
        if np.array_equal(np.floor(values * 2.0**bits), values * 2.0**bits):
            self._tables, self.relative_error = [values], 0.0
        else:
            self.split = plain * magnitude > FINEST and bits >= 4
            head = np.floor(values * 2.0**bits) / 2.0**bits if self.split else values
            self._tables = [head, values - head] if self.split else [values]
            self.relative_error = plain * (float((values - head).max() / values.max()) if self.split else 1.0)
        if isinstance(pre, Population) and pre.signed:
            self._tables = [np.concatenate([t, -t[:0:-1]]) for t in self._tables]
        self._tables = [t.astype(np.float32) for t in self._tables]

    def values(self, codes: NDArray[np.integer]) -> list[torch.Tensor]:
        """Head and rest of what the codes (B, *shape) stand for, feature maps with their channels last in memory."""
        flat = np.ascontiguousarray(memory_order(codes))
        found = []
        for table in self._tables:
            out = np.empty(flat.shape, np.float32)
            look_up(flat, table, out)
            found.append(torch.from_numpy(from_memory(out, codes.shape[1:])))
        return found

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        y = self._map(x if self._gather is None else self._gather(x))
        return y if self._exponent == 1 else y * self._exponent


def _seen(synapse: Synapse, pre: InputPopulation | Population) -> tuple[int, ...]:
    return pre.shape if synapse.index is None else synapse.index.shape


def _terms(op: LinearMap) -> int:
    """Most products that are added up onto one neuron."""
    match op:
        case Conv():
            return int(np.prod(op.weight.shape[1:]))
        case Dense():
            return int(op.weight.shape[1])
        case Pool():
            return int(np.prod(op.window.kernel))
    return 1


def _row_sums(op: LinearMap) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sums of the positive weights, of the magnitudes of the negative ones, and of all, per output channel."""
    if isinstance(op, Conv | Dense):
        rows = op.weight.astype(np.float64).reshape(len(op.weight), -1)
    elif isinstance(op, Pool):
        rows = np.full((1, int(np.prod(op.window.kernel))), float(op.weight))
    else:
        rows = np.asarray(op.weight, np.float64)[..., None]
    axis = -1
    return np.maximum(rows, 0).sum(axis), np.maximum(-rows, 0).sum(axis), np.abs(rows).sum(axis)


def _per_channel(op: LinearMap, pre: InputPopulation | Population, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Largest |Σ w s| of a step, broadcastable to the shape."""
    up, down, both = _row_sums(op)
    largest = both if isinstance(pre, Population) and pre.signed else np.maximum(up, down)
    # The float error grows with Σ |w x|, which for inputs of one sign is the sum of all magnitudes.
    largest = np.maximum(largest, both)
    if isinstance(op, Conv):
        return largest.reshape(-1, *(1,) * (len(shape) - 1))
    if isinstance(op, Pool):
        return largest.reshape((1,) * len(shape))
    return largest.reshape((1,) * (len(shape) - largest.ndim) + largest.shape)


def _values(pre: InputPopulation | Population, m: Membrane) -> NDArray[np.float64]:
    """What each code or phase adds to r(T) / gain_T per unit of weight: Σ over its spikes of 1 / gain_t."""
    levels = 1 / m.gains[1 : pre.timesteps + 1]
    if not isinstance(pre.code, BinaryCode):
        return np.concatenate([[0.0], levels])
    codes = np.arange(2**pre.code.bits)
    return np.stack([pre.code.spikes(codes, t) for t in range(1, pre.timesteps + 1)], axis=1) @ levels


def _floors(m: Membrane) -> NDArray[np.float64]:
    """(input steps + 1,) G_t: the most that the floors take from v until step t."""
    floors = [0.0]
    for mant in m.leak:
        floors.append(floors[-1] * mant / 2**LEAK_SHIFT + (mant % 2**LEAK_SHIFT != 0))
    return np.array(floors)


def _limit(
    m: Membrane, step: NDArray[np.float64], floors: NDArray[np.float64], inputs: list[tuple[Synapse, Any]]
) -> NDArray[np.float64]:
    """Largest |r(T)| with which no step can have saturated; negative where there is none.

    Args:
        step: A, largest |a_in| << input_shift.
    """
    gains = np.array(m.leak) / 2**LEAK_SHIFT
    single = all(not isinstance(pre.code, BinaryCode) for _, pre in inputs)
    bias = np.abs(m.bias.astype(np.float64))
    limit = np.asarray(V_MAX - floors[-1] - np.zeros_like(step) - np.zeros_like(bias))
    forward = np.asarray(bias + np.zeros_like(step))
    forwards = []
    for t, gain in enumerate(gains, 1):
        once = m.gains[t] * (bias + step / gains[0])
        forward = forward * gain + step
        forwards.append(np.minimum(forward, once) if single else forward)
    share, taken = 1.0, np.zeros_like(step)
    for t in range(len(gains) - 1, 0, -1):
        gain = gains[t]
        share, taken = share / gain, (taken + step) / gain
        allowed = (V_MAX - floors[t] - taken) / share
        limit = np.where(forwards[t - 1] + floors[t] <= V_MAX, limit, np.minimum(limit, allowed))
    return limit
