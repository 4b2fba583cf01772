"""Pass integer network → integer network that makes the phases of all inputs of a population arrive together.

The output phases of a population start wait + 1 steps after those of its input (one step is the hop). Where a
population has inputs of different depth, the earlier ones are delayed on their axons. A delay beyond 62 steps goes
through relay populations, which repeat the phases that they receive.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.core.codes import LEAK_SHIFT, ThresholdTable
from loihi_onespike.core.graphs.network import (
    MAX_AXON_DELAY,
    AnyPopulation,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Readout,
    Synapse,
)
from loihi_onespike.core.maps import Diagonal
from loihi_onespike.errors import GraphError


def align(network: Network) -> Network:
    """The network with all axon delays set and relays inserted.

    The relays of a population form one chain for all its readers. Each relay is MAX_AXON_DELAY + 1 steps behind the
    previous one.

    Raises:
        GraphError: a relay would have to repeat a code of many spikes.
    """
    starts = {network.input.name: 0}
    populations: list[AnyPopulation] = []
    synapses: list[Synapse] = []
    chains: dict[str, list[Population]] = {}
    for population in network.populations:
        onto = list(network.synapses_onto(population.name))
        if onto:
            arrivals = [starts[s.pre] + network.by_name[s.pre].wait + 1 for s in onto]
            starts[population.name] = max(arrivals)
            for synapse, arrival in zip(onto, arrivals, strict=True):
                pre = network.by_name[synapse.pre]
                delay = starts[population.name] - arrival
                needed = -(-max(delay - MAX_AXON_DELAY, 0) // (MAX_AXON_DELAY + 1))
                chain = chains.setdefault(pre.name, [])
                while len(chain) < needed:
                    relay, onto_relay = _relay(chain[-1] if chain else pre, f"{pre.name}.relay{len(chain) + 1}")
                    chain.append(relay)
                    populations.append(relay)
                    synapses.append(onto_relay)
                source = chain[needed - 1] if needed else pre
                rest = delay - needed * (MAX_AXON_DELAY + 1)
                synapses.append(replace(synapse, pre=source.name, axon_delay=rest))
        populations.append(population)
    populations.sort(key=lambda p: isinstance(p, Readout))  # behind the relays of other readouts
    return replace(network, populations=tuple(populations), synapses=tuple(synapses))


def _relay(pre: AnyPopulation, name: str) -> tuple[Population, Synapse]:
    """Neurons that repeat the spike of their input, phase and message, and the delayed synapse onto them.

    All relays of a population with negative spikes may send them: from a one-sided neuron none arrives to repeat.
    """
    if not isinstance(pre, Population):
        kind = "input" if isinstance(pre, InputPopulation) else "readout"
        raise GraphError(f"{name}: {pre.name} is an {kind} and cannot be relayed by one-spike neurons; recode it first")
    table = ThresholdTable.of_messages(pre.code.messages)
    membrane = Membrane((2**LEAK_SHIFT,) * pre.timesteps, 0, np.zeros((), np.int64), np.ones(()))
    negative = table if pre.signed else None
    threshold, weight = np.array(2, np.int64), np.full((1,) * len(pre.shape), 2, np.int16)
    relay = Population(name, pre.shape, "relay", membrane, 0, pre.code, threshold, table, negative, pre.scale)
    return relay, Synapse(name, pre.name, name, Diagonal(weight), None, 0, MAX_AXON_DELAY)
