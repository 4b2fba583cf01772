"""What a population allocates on cores, as plain numbers: made from the network, without lava-loihi."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.errors import LavaError
from loihi_onespike.microcode import DEFAULT_SPEC, MicrocodeSpec, initial_state, program_of, state_layout
from loihi_onespike.microcode.program_file import Ucode, program_files

if TYPE_CHECKING:
    from loihi_onespike.executors.lava.processes.network import LavaNetwork

KEY = "nc"
"""Name in a process's `proc_params`."""


@dataclass(frozen=True, eq=False)
class NcParameters:
    """Allocation of one population.

    Attributes:
        name: name of the population.
        neurons: their number; arrays are flat.
        ucode: program file.
        constants: shared constants by name, one number each for all neurons.
        state: per-neuron state by name, (neurons,) int32, the values before step 1.
        state_bits: width of each state field.
        message_bits: width of a spike's message: 0 for binary spikes, 8 for signed ones and for codes with payload;
            None for a readout, which sends none.
    """

    name: str
    neurons: int
    ucode: Path
    constants: Mapping[str, int]
    state: Mapping[str, NDArray[np.int32]]
    state_bits: Mapping[str, int]
    message_bits: int | None

    @classmethod
    def of(
        cls,
        population: Population | Readout,
        *,
        start: int,
        period: int,
        ucode: str | Path,
        spec: MicrocodeSpec = DEFAULT_SPEC,
    ) -> NcParameters:
        """Parameters of a population whose first window begins after `start` steps and lasts `period` steps.

        Args:
            population: population that the neurons belong to.
            start: steps before its first window.
            period: steps of a window.
            ucode: path of the microcode file.
            spec: assumed widths of the chip.

        Raises:
            ConfigurationError: no file at `ucode`, or a period beyond the clock.
            LavaError: the neurons are products, whose second input has no public way to a core.
            MicrocodeError: a number that does not fit the spec.
        """
        if len(population.membranes) > 1:
            raise LavaError(
                f"{population.name}: must have one synaptic input per neuron on cores, got products of two sums; how a "
                "second input is connected is not public, so run the network on Lava's simulator or on the stand-in"
            )
        files = program_files([population.name], {population.name: ucode})
        message_bits = None
        if isinstance(population, Population):
            message_bits = spec.message_bits if population.message_bits else 0
        return cls(
            population.name,
            prod(population.shape),
            files[population.name],
            dict(program_of(population, period, spec).constants),
            {n: v.astype(np.int32) for n, v in initial_state(population, start, period).items()},
            {f.name: f.bits for f in state_layout(population, period).fields},
            message_bits,
        )


def prepare(net: LavaNetwork, ucode: Ucode | None = None, spec: MicrocodeSpec = DEFAULT_SPEC) -> list[NcParameters]:
    """Give every neuron process of a network what its model for cores needs; returns it, in the order of the layers.

    Args:
        spec: assumed widths of the chip.
        net: the hierarchical process of a network.
        ucode: see `program_files`.

    Raises:
        ConfigurationError: program files missing, all of them listed.
        LavaError: a population is a product of two sums.
    """
    files = program_files([layer.name for layer in net.layers], ucode)
    made = []
    for layer in net.layers:
        start = net.network.starts[layer.name]
        parameters = NcParameters.of(
            layer.population, start=start, period=net.period, ucode=files[layer.name], spec=spec
        )
        layer.neuron.proc_params.overwrite(KEY, parameters)
        made.append(parameters)
    return made
