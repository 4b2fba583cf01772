"""A whole network on interpreters of the instruction set: an executor that equals the oracle bit for bit.

    trace = run(network, codes)                    # core.trace.Trace
    execution = execute(network, codes)            # trace, and instructions per population

Populations run all the time, as on a chip, windows before the first image and after the last included; the trace shows
the windows of the images. Spikes travel as in the oracle: one step of hop, the axon delay, the explicit matrix.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.encoding import check_codes, decode_readout
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.trace import LayerTrace, Trace
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.interpreter import Interpreter
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec
from loihi_onespike.microcode.neuron import initial_state, program_of

IntArray = NDArray[np.int64]


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


class _Neurons:
    """One population: its interpreter, and the record of the windows of images."""

    def __init__(
        self, population: Population | Readout, start: int, period: int, images: int, spec: MicrocodeSpec
    ) -> None:
        self.population, self.start, self.period, self.images = population, start, period, images
        signed = isinstance(population, Population) and population.signed
        state = initial_state(population, start, period)
        self.core = Interpreter(program_of(population, period, spec), state, signed_spikes=signed)
        self.phases = np.zeros((images, self.core.neurons), WORD_DTYPE)
        self.v = np.zeros((images, self.core.neurons), np.int64)
        self.peak = self.input_peak = 0

    def step(self, step: int, a_in: IntArray) -> IntArray:
        spikes = self.core.step(a_in)
        image, t = divmod(step - self.start - 1, self.period)
        if 0 <= image < self.images:
            self._record(image, t + 1, a_in, spikes)
        return spikes

    def _record(self, image: int, t: int, a_in: IntArray, spikes: IntArray) -> None:
        v = self.core.state("v")
        self.peak = max(self.peak, int(np.abs(v).max()))
        self.input_peak = max(self.input_peak, int(np.abs(a_in).max()))
        if t == self.period:
            self.v[image] = v
        if spikes.any():
            if np.any((spikes != 0) & (self.phases[image] != 0)):
                raise MicrocodeError(f"{self.population.name}: requires two spikes in one window, limit 1")
            self.phases[image] += (spikes * (t - self.population.wait)).astype(WORD_DTYPE)

    def trace(self) -> LayerTrace:
        shape = (self.images, *self.population.shape)
        phases = self.phases.reshape(shape) if isinstance(self.population, Population) else None
        return LayerTrace(phases, self.v.reshape(shape), self.peak, self.input_peak)


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
    matrices = {
        s.name: synapse_matrix(s.op, network.by_name[s.pre].shape, s.index).astype(np.int64) for s in network.synapses
    }
    neurons = {
        p.name: _Neurons(p, network.starts[p.name], period, images, spec)
        for p in network.populations
        if not isinstance(p, InputPopulation)
    }
    in_flight: dict[int, dict[str, IntArray]] = defaultdict(dict)
    last = max(network.starts.values()) + period * images
    for step in range(1, last + 1):
        arriving = in_flight.pop(step, {})
        for p in network.populations:
            if isinstance(p, InputPopulation):
                spikes = _input_spikes(p, codes, step, period)
            else:
                spikes = neurons[p.name].step(step, arriving.get(p.name, np.zeros(prod(p.shape), np.int64)))
            if not spikes.any():
                continue
            for synapse in (s for s in network.synapses if s.pre == p.name):
                queue = in_flight[step + 1 + synapse.axon_delay]
                sums = (matrices[synapse.name] @ spikes) << synapse.weight_exp
                queue[synapse.post] = queue.get(synapse.post, np.int64(0)) + sums
    layers = {network.input.name: LayerTrace(codes, None)} | {name: n.trace() for name, n in neurons.items()}
    v = layers[network.readout.name].v
    assert v is not None
    measured = {name: Measured(n.core.executed, n.core.passes) for name, n in neurons.items()}
    return Execution(Trace(layers, decode_readout(network.readout, v)), measured)


def _input_spikes(source: InputPopulation, codes: NDArray[np.integer], step: int, period: int) -> IntArray:
    """0/1 spikes that the host sends; the input starts with step 1."""
    image, t = divmod(step - 1, period)
    t += 1
    if image >= len(codes) or t > source.timesteps:
        return np.zeros(prod(source.shape), np.int64)
    values = codes[image].ravel().astype(np.int64)
    return source.code.spikes(values, t)
