"""All populations of a network, one step of the clock at a time: what the whole-network process model runs.

    advance(step)   v(t) = saturate((v(t-1)·leak_t >> 12) + (a_in << input_shift)), products of two such sums, and the
                    decisions of `graphs.network`
    receive(step)   the input's spikes of this step are on their way; like all others they arrive hop + delay later

Event-driven: a population costs nothing while its window is closed, a synapse nothing without spikes, and what waits
for its delay is spikes (a byte per neuron), not sums. Nothing of this step's input is needed to advance, so a
process can send before it receives. numpy and scipy: no torch, which hangs behind Lava's fork, no lava, no compiler.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, V_MIN, WORD_DTYPE, ThresholdTable, largest_digit
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Readout
from loihi_onespike.core.graphs.output_form import joined
from loihi_onespike.executors.lava.kernels import Kernel, event_kernel
from loihi_onespike.executors.lava.recording import Record, SpikeRecorder

NO_INPUT = np.zeros(1, np.int32)
Inputs: TypeAlias = "Sequence[NDArray[np.int32] | None]"
"""Flat input sums of every membrane, None for no input."""


@dataclass(frozen=True)
class _Line:
    """A synapse group: the spikes of a step become sums at the membrane `factor` of `post`, `steps` later."""

    kernel: Kernel
    post: str
    factor: int
    weight_exp: int
    steps: int

    def sums(self, spikes: NDArray[np.int8]) -> NDArray[np.int32]:
        sums: NDArray[np.int32] = self.kernel(spikes)
        return sums << self.weight_exp if self.weight_exp else sums


class Neurons:
    """One population: potentials, spikes of this window, and where both are recorded.

    Attributes:
        sums: v of every membrane (*shape), int64, so that the product of the leak and the shifted input fit before
            they saturate.
        v: (*shape) the only one of them, or the product of both.
        words: (*shape) code words of the spikes of this window.
        last_step: local step after which neither changes.
    """

    def __init__(self, population: Population | Readout, record: Record | None) -> None:
        self.p = population
        self.product = population.product if isinstance(population, Population) else None
        self.sums = [np.empty(population.shape, np.int64) for _ in population.membranes]
        self.v = self.sums[0] if self.product is None else np.empty(population.shape, np.int64)
        self._begin()
        self.spiking = isinstance(population, Population)
        self.words = np.zeros(population.shape if self.spiking else (0,), WORD_DTYPE)
        self.silent = np.ones(self.words.shape, bool)
        self.recorder = SpikeRecorder(record)
        self.last_step = population.input_steps
        if isinstance(population, Population):
            self.last_step = max(self.last_step, population.wait + population.timesteps)
            self.threshold = np.asarray(population.threshold, np.int64)

    def step(self, image: int, t: int, a_in: Inputs) -> NDArray[np.int8] | None:
        """Local step t of a window: the messages (flat), None where there are no spikes.

        Args:
            image: number of the image.
            t: window-local step, from 1.
            a_in: flat input sums of every membrane, None for no input.
        """
        if t == 1:
            self._begin()
            self.words[...] = 0
            self.silent[...] = True
        if t <= self.p.input_steps:
            for v, membrane, arrived in zip(self.sums, self.p.membranes, a_in, strict=True):
                if t <= membrane.input_steps:
                    _integrate(v, membrane, t, arrived)
            self._multiply()
            if self.recorder.watches(image):
                for v, arrived in zip(self.sums, a_in, strict=True):
                    self.recorder.see(v, NO_INPUT if arrived is None else arrived)
                if self.product is not None and t == self.p.input_steps:  # before, it decides nothing
                    self.recorder.see(self.v, NO_INPUT)
        spikes = self._decide(t)
        if t == self.last_step and self.recorder.watches(image):
            self.recorder.write(image, self.v, self.words if self.spiking else None)
        return spikes

    def _begin(self) -> None:
        for v, membrane in zip(self.sums, self.p.membranes, strict=True):
            v[...] = membrane.bias
        self._multiply()

    def _multiply(self) -> None:
        """v of a product from its factors; that of all others is the sum itself."""
        if self.product is not None:
            u, w = self.sums
            np.multiply(u, w, out=self.v)
            self.v >>= self.product.shift
            self.v += self.product.bias
            _saturate(self.v)

    def _decide(self, t: int) -> NDArray[np.int8] | None:
        if not isinstance(self.p, Population) or not 1 <= t - self.p.wait <= self.p.timesteps:
            return None
        k, code = t - self.p.wait, self.p.code
        spikes: NDArray[np.int8] | None = None
        v = largest_digit(self.v, self.p.digit_bits) if self.p.digit_bits else self.v
        sides = [(v, self.p.table, 1)] + ([(-self.v, self.p.negative, -1)] if self.p.negative else [])
        for distance, table, sign in sides:
            for word in range((k - 1) * code.words_per_phase + 1, k * code.words_per_phase + 1):
                reached = distance >= self._theta(table, word)
                if sign < 0 and self.p.far is not None:
                    reached &= distance <= self._theta(self.p.far, word)
                if sign < 0 and self.p.one_sided is not None:
                    reached &= ~self.p.one_sided
                fired = self._fire(reached, sign * word)
                if len(fired):
                    spikes = np.zeros(self.v.size, np.int8) if spikes is None else spikes
                    spikes[fired] = sign * code.messages[word - 1]
        return spikes

    def _fire(self, reached: NDArray[np.bool_], word: int) -> NDArray[np.intp]:
        """Neurons (flat) that spike now: those that reach the threshold and have been silent in this window."""
        fired = np.flatnonzero(reached & self.silent)
        self.silent.reshape(-1)[fired] = False
        self.words.reshape(-1)[fired] = word
        return fired

    def _theta(self, table: ThresholdTable, word: int) -> NDArray[np.int64]:
        # As broadcastable as the threshold: a copy per neuron and word would outgrow everything else.
        return (self.threshold * table.mant[word - 1]) >> table.shift[word - 1]


def _integrate(v: NDArray[np.int64], membrane: Membrane, t: int, a_in: NDArray[np.int32] | None) -> None:
    """Input step t of a membrane, in place."""
    leak_mant = membrane.leak[t - 1]
    if leak_mant != 1 << LEAK_SHIFT:
        v *= leak_mant
        v >>= LEAK_SHIFT
    if a_in is not None:
        v += (a_in.astype(np.int64) << membrane.input_shift).reshape(v.shape)
    _saturate(v)


def _saturate(v: NDArray[np.int64]) -> None:
    np.maximum(v, V_MIN, out=v)
    np.minimum(v, V_MAX, out=v)


class Stepper:
    """A stream of images through a network.

    Args:
        period: steps between two images.
        images: windows after which the populations rest; None to go on for ever.
        records: what to record, by population.
    """

    def __init__(
        self, network: Network, *, period: int, images: int | None = None, records: Mapping[str, Record] | None = None
    ) -> None:
        self.network, self.period, self.images = network, period, images
        records = records or {}
        self.neurons = {
            p.name: Neurons(p, records.get(p.name)) for p in network.populations if not isinstance(p, InputPopulation)
        }
        self.lines: dict[str, list[_Line]] = defaultdict(list)
        for s in network.synapses:
            kernel = event_kernel(s.op, network.by_name[s.pre].shape, s.index)
            self.lines[s.pre].append(_Line(kernel, s.post, s.factor, s.weight_exp, 1 + s.axon_delay))
        # step of arrival → population → the lines that deliver to it, each with the spikes it carries
        self.under_way: dict[int, dict[str, list[tuple[_Line, NDArray[np.int8]]]]] = {}

    @property
    def output(self) -> NDArray[np.int64]:
        """v of the readout after the last step; of several, flat and side by side."""
        return joined([self.neurons[p.name].v[None] for p in self.network.readouts])[0]

    def advance(self, step: int) -> None:
        """Step `step` = 1, 2, … of every population whose window is open, from the spikes of earlier steps."""
        arriving = self.under_way.pop(step, {})
        for name, neurons in self.neurons.items():
            image, t = divmod(step - self.network.starts[name] - 1, self.period)
            if image < 0 or t >= neurons.last_step or (self.images is not None and image >= self.images):
                continue
            spikes = neurons.step(image, t + 1, _sums(arriving.get(name), len(neurons.sums)))
            if spikes is not None:
                self._send(name, step, spikes)

    def receive(self, step: int, spikes: NDArray[Any]) -> None:
        """Spikes (*input shape) that the input population sends in this step."""
        if spikes.any():
            self._send(self.network.input.name, step, spikes.astype(np.int8).ravel())

    def _send(self, pre: str, step: int, spikes: NDArray[np.int8]) -> None:
        for line in self.lines[pre]:
            arrival = self.under_way.setdefault(step + line.steps, {})
            arrival.setdefault(line.post, []).append((line, spikes))


def _sums(arrivals: list[tuple[_Line, NDArray[np.int8]]] | None, factors: int) -> Inputs:
    """The input of every membrane."""
    totals: list[NDArray[np.int32] | None] = [None] * factors
    for line, spikes in arrivals or ():
        sums, total = line.sums(spikes), totals[line.factor]
        if total is None:
            totals[line.factor] = sums
        else:
            total += sums
    return totals
