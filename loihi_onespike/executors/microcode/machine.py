"""A whole network on interpreters of the instruction set, step by step, as a board runs it."""

from __future__ import annotations

from collections import defaultdict
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import InputPopulation, Network, Population
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.microcode.interpreter import Interpreter
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec
from loihi_onespike.microcode.neuron import initial_state, program_of
from loihi_onespike.microcode.neuron_state import potential, sum_fields
from loihi_onespike.microcode.semantics import READ_AS_STATED, Semantics

IntArray = NDArray[np.int64]


class MicrocodeMachine:
    """All populations but the input, each on its interpreter, and the spikes that travel between them.

    Populations run all the time, windows before the first image and after the last included. A spike takes one step of
    hop and the axon delay, then the explicit matrix of its synapses, as in the oracle.

    Args:
        network: network that runs.
        spec: assumed widths of the chip.
        semantics: how the instructions are read.

    Attributes:
        cores: the interpreters by population.
        a_in: (factors, neurons) synaptic input of the last step by population; one factor but for products.
    """

    def __init__(
        self, network: Network, spec: MicrocodeSpec = DEFAULT_SPEC, semantics: Semantics = READ_AS_STATED
    ) -> None:
        self.network = network
        period = network.period_steps
        self._matrices = {
            s.name: synapse_matrix(s.op, network.by_name[s.pre].shape, s.index).astype(np.int64)
            for s in network.synapses
        }
        self.cores = {
            p.name: Interpreter(
                program_of(p, period, spec),
                initial_state(p, network.starts[p.name], period),
                graded_spikes=isinstance(p, Population) and p.message_bits > 0,
                semantics=semantics,
            )
            for p in network.populations
            if not isinstance(p, InputPopulation)
        }
        self._none = {
            p.name: np.zeros((len(p.membranes), prod(p.shape)), np.int64)
            for p in network.populations
            if not isinstance(p, InputPopulation)
        }
        self.a_in: dict[str, IntArray] = {}
        self._in_flight: dict[int, dict[str, IntArray]] = defaultdict(dict)
        self._step = 0

    def step(self, from_host: NDArray[np.integer]) -> dict[str, IntArray]:
        """Run one step.

        Args:
            from_host: (*input shape) messages of the input population, 0 for no spike.

        Returns:
            (neurons,) messages that every population sends, 0 for none, by name.

        Raises:
            MicrocodeError: a value does not fit where it is written.
        """
        self._step += 1
        arriving = self._in_flight.pop(self._step, {})
        self._send(self.network.input.name, from_host.ravel().astype(np.int64))
        sent = {}
        for name, core in self.cores.items():
            self.a_in[name] = arriving.get(name, self._none[name])
            sent[name] = core.step(self.a_in[name])
            self._send(name, sent[name])
        return sent

    def potential(self, name: str) -> IntArray:
        """(neurons,) v of a population, which in a product follows from the sums of both factors."""
        population = self.network.by_name[name]
        assert not isinstance(population, InputPopulation)
        return potential(population, [self.cores[name].state(field) for field in sum_fields(population)])

    def _send(self, name: str, spikes: IntArray) -> None:
        if not spikes.any():
            return
        for synapse in (s for s in self.network.synapses if s.pre == name):
            queue = self._in_flight[self._step + 1 + synapse.axon_delay]
            sums = (self._matrices[synapse.name] @ spikes) << synapse.weight_exp
            arriving = queue.setdefault(synapse.post, self._none[synapse.post].copy())
            arriving[synapse.factor] += sums
