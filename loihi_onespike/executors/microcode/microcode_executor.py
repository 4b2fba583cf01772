"""A whole network on interpreters of the instruction set: an executor that equals the oracle bit for bit.

    trace = run(network, codes)                    # core.trace.Trace
    execution = execute(network, codes)            # trace, and instructions per population

Populations run all the time, as on a chip, windows before the first image and after the last included; the trace shows
the windows of the images. Spikes travel as in the oracle: one step of hop, the axon delay, the explicit matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.encoding import check_codes, decode_outputs
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout
from loihi_onespike.core.trace import LayerTrace, Trace, v_of_layers
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.executors.microcode.machine import IntArray, MicrocodeMachine
from loihi_onespike.microcode.interpreter import Interpreter
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec
from loihi_onespike.microcode.neuron_state import potential, sum_fields


@dataclass(frozen=True)
class Measured:
    """Instructions that a population executed.

    Attributes:
        executed: of all neurons and steps.
        passes: neurons times steps.
    """

    executed: int
    passes: int

    @property
    def mean(self) -> float:
        """Instructions per neuron and step."""
        return self.executed / self.passes


@dataclass(frozen=True, eq=False)
class Execution:
    """A trace and what it took, by population (without the input)."""

    trace: Trace
    measured: Mapping[str, Measured]


class _Windows:
    """The record of one population over the windows of the images."""

    def __init__(
        self, population: Population | Readout, core: Interpreter, start: int, period: int, images: int
    ) -> None:
        self.population, self.core, self.start, self.period, self.images = population, core, start, period, images
        self.words = np.zeros((images, core.neurons), WORD_DTYPE)
        self.v = np.zeros((images, core.neurons), np.int64)
        self.peak = self.input_peak = 0

    def record(self, step: int, a_in: IntArray, spikes: IntArray) -> None:
        image, t = divmod(step - self.start - 1, self.period)
        if 0 <= image < self.images:
            self._record(image, t + 1, a_in, spikes)

    def _record(self, image: int, t: int, a_in: IntArray, spikes: IntArray) -> None:
        sums = [self.core.state(field) for field in sum_fields(self.population)]
        v = potential(self.population, sums)
        # A product of sums that are not complete decides nothing.
        seen = (*sums, v) if t >= self.population.input_steps else sums
        self.peak = max(self.peak, *(int(np.abs(values).max()) for values in seen))
        self.input_peak = max(self.input_peak, int(np.abs(a_in).max()))
        if t == self.period:
            self.v[image] = v
        if spikes.any():
            assert isinstance(self.population, Population)
            if np.any((spikes != 0) & (self.words[image] != 0)):
                raise MicrocodeError(f"{self.population.name}: requires two spikes in one window, limit 1")
            self.words[image] += self.population.code.words_sent(spikes, t - self.population.wait)

    def trace(self) -> LayerTrace:
        shape = (self.images, *self.population.shape)
        words = self.words.reshape(shape) if isinstance(self.population, Population) else None
        return LayerTrace(words, self.v.reshape(shape), self.peak, self.input_peak)


def run(network: Network, codes: NDArray[np.integer], spec: MicrocodeSpec = DEFAULT_SPEC) -> Trace:
    """Run images as one stream, with a new image every `network.period_steps` steps.

    Args:
        network: network that runs.
        codes: input codes (N, *input shape) of N images.
        spec: assumed widths of the chip.

    Raises:
        MicrocodeError: a value does not fit the widths of `spec`.
    """
    return execute(network, codes, spec).trace


def execute(network: Network, codes: NDArray[np.integer], spec: MicrocodeSpec = DEFAULT_SPEC) -> Execution:
    """Run images as `run` does, and count the instructions.

    Args:
        network: network that runs.
        codes: input codes (N, *input shape) of N images.
        spec: assumed widths of the chip.

    Raises:
        MicrocodeError: a value does not fit the widths of `spec`.
    """
    check_codes(network.input, codes)
    images, period = len(codes), network.period_steps
    machine = MicrocodeMachine(network, spec)
    windows = {
        p.name: _Windows(p, machine.cores[p.name], network.starts[p.name], period, images)
        for p in network.populations
        if not isinstance(p, InputPopulation)
    }
    last = max(network.starts.values()) + period * images
    for step in range(1, last + 1):
        sent = machine.step(_input_spikes(network.input, codes, step, period))
        for name, window in windows.items():
            window.record(step, machine.a_in[name], sent[name])
    layers = {network.input.name: LayerTrace(codes, None)} | {name: w.trace() for name, w in windows.items()}
    measured = {name: Measured(core.executed, core.passes) for name, core in machine.cores.items()}
    return Execution(Trace(layers, decode_outputs(network, v_of_layers(layers))), measured)


def _input_spikes(source: InputPopulation, codes: NDArray[np.integer], step: int, period: int) -> IntArray:
    """Messages that the host sends; the input starts with step 1."""
    image, t = divmod(step - 1, period)
    t += 1
    if image >= len(codes) or t > source.timesteps:
        return np.zeros(codes[0].size, np.int64)
    values = codes[image].ravel().astype(np.int64)
    return source.code.spikes(values, t)
