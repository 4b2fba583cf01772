"""Pass integer network → integer network whose phases line up.

A population starts wait + 1 steps after its input (one step is the hop). Where inputs of different depth meet, the
earlier ones are delayed on their axons; a delay beyond 62 steps goes through relay populations, each of which repeats
the phases it receives one hop later.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.coding import LEAK_SHIFT, ThresholdTable
from loihi_onespike.errors import GraphError
from loihi_onespike.ir.linear import Diagonal
from loihi_onespike.ir.network import (
    MAX_AXON_DELAY,
    AnyPopulation,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Synapse,
)


def align(network: Network) -> Network:
    """Set every axon delay and insert relays; raises GraphError where a many-spike input would have to be relayed."""
    starts = {network.input.name: 0}
    populations: list[AnyPopulation] = []
    synapses: list[Synapse] = []
    for population in network.populations:
        onto = list(network.synapses_onto(population.name))
        if onto:
            arrivals = [starts[s.pre] + network.by_name[s.pre].wait + 1 for s in onto]
            starts[population.name] = max(arrivals)
            for synapse, arrival in zip(onto, arrivals, strict=True):
                pre = network.by_name[synapse.pre]
                relays, last, delay = _bridge(pre, synapse, starts[population.name] - arrival)
                populations += [relay for relay, _ in relays]
                synapses += [onto_relay for _, onto_relay in relays]
                synapses.append(replace(synapse, pre=last.name, axon_delay=delay))
        populations.append(population)
    return replace(network, populations=tuple(populations), synapses=tuple(synapses))


def _bridge(
    pre: AnyPopulation, synapse: Synapse, delay: int
) -> tuple[list[tuple[Population, Synapse]], AnyPopulation, int]:
    """Relays (with the synapse onto each) that leave at most MAX_AXON_DELAY steps for the synapse itself."""
    relays: list[tuple[Population, Synapse]] = []
    last = pre
    while delay > MAX_AXON_DELAY:
        relay = _relay(last, f"{synapse.name}.relay{len(relays) + 1}")
        step = min(MAX_AXON_DELAY, delay - 1)
        weight = np.full((1,) * len(pre.shape), 2, np.int16)
        relays.append((relay, Synapse(relay.name, last.name, relay.name, Diagonal(weight), None, 0, step)))
        delay -= step + 1
        last = relay
    return relays, last, delay


def _relay(pre: AnyPopulation, name: str) -> Population:
    """Neurons that repeat the spike of their input at the same phase."""
    if not isinstance(pre, Population):
        kind = "input" if isinstance(pre, InputPopulation) else "readout"
        raise GraphError(f"{name}: {pre.name} is an {kind} and cannot be relayed by one-spike neurons; recode it first")
    table = ThresholdTable.constant(pre.timesteps)
    membrane = Membrane(2**LEAK_SHIFT, pre.timesteps, 0, np.zeros((), np.int64), np.ones(()))
    negative = table if pre.signed else None
    return Population(
        name, pre.shape, "relay", membrane, 0, pre.code, np.array(2, np.int64), table, negative, pre.scale
    )
