"""What every population costs per sample, in both accounts: α's additions and the energy of a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from loihi_onespike.core.graphs.network import Network, Readout
from loihi_onespike.core.operation_prices import OperationPrices, neuron_updates
from loihi_onespike.evaluation.spike_counter import SpikeCounter


@dataclass(frozen=True)
class PopulationCost:
    """Means per sample of one population: what its spikes cause, and its own updates.

    Attributes:
        name: name of the population.
        neurons: number of neurons.
        spikes_per_neuron: spikes per neuron; of a sparse input per stored entry, of the readout 0.
        synaptic_operations: its spikes times their targets, stored weights of 0 included.
        additions: its spikes as α counts them (Eq. 6), without those of weights of 0; None where the network does not
            record the multiply-accumulates of its ANN.
        updates: its neurons times the steps of the period; 0 for the input, which is not on cores.
        energy_nj: energy in nJ at the prices of a board; None without a board.
    """

    name: str
    neurons: int
    spikes_per_neuron: float
    synaptic_operations: float
    additions: float | None
    updates: int
    energy_nj: float | None


def population_costs(
    network: Network, counter: SpikeCounter, prices: OperationPrices | None = None
) -> tuple[PopulationCost, ...]:
    """Costs of all populations, in the order of the network.

    A spike is a message per group of synapses that reads its population, as on cores that hold all its targets; how
    many cores hold them follows from a placement. Messages of the input come from outside and are not counted.

    Args:
        network: network that ran.
        counter: counts of its spikes.
        prices: prices of a board; None for none.
    """
    rates, made, updates = counter.spikes_per_neuron(), counter.made(), neuron_updates(network)
    macs = network.facts.get("ann_macs")
    found = []
    for population in network.populations:
        name = population.name
        sent = [s for s in network.synapses if s.pre == name]
        operations = sum(counter.synaptic_operations.get(s.name, 0) for s in sent) / counter.images
        active, inactive = updates.get(name, (0, 0))
        additions = None
        if isinstance(macs, Mapping):
            each = 0 if isinstance(population, Readout) else population.code.additions_per_spike
            kept = sum(float(macs.get(s.name, 0)) * made.get(s.name, 1.0) for s in sent)
            additions = rates.get(name, 0.0) * each * kept
        energy = None
        if prices is not None:
            spikes = 0.0 if name == network.input.name else counter.spikes.get(name, 0) / counter.images
            energy = prices.energy_nj(operations, active, inactive, spikes * len(sent))
        found.append(
            PopulationCost(
                name,
                prod(population.shape),
                rates.get(name, 0.0),
                operations,
                additions,
                active + inactive,
                energy,
            )
        )
    return tuple(found)
