"""What the operations of one image cost on a chip: the account of energy that conversion and evaluation share.

    E = N_synop · E_synop + N_active · E_active + N_inactive · E_inactive + N_message · E_message

A spike costs a synaptic operation for each of its targets, whatever its payload, and a message. Every neuron is updated
in every step of the period, whether it spikes or not; that of a product, which integrates two sums, is one update too.
Hops between tiles and static power follow from a placement (`boards.energy`) and are not part of this account.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout

NJ_PER_PJ = 1e-3


@dataclass(frozen=True)
class OperationPrices:
    """Prices of operations in pJ.

    Attributes:
        name: name of the account: the board.
        source: whose energies they are.
        synaptic_operation: one spike at one synapse.
        update_active: update of a neuron inside its window.
        update_inactive: update of a neuron outside its window.
        message: one message to one core.
        sends_payload: whether spikes of the board's chip carry payload; True where that is not public.
    """

    name: str
    source: str
    synaptic_operation: float
    update_active: float
    update_inactive: float
    message: float
    sends_payload: bool = True

    def energy_nj(self, synaptic_operations: float, active: float, inactive: float, messages: float) -> float:
        """Energy in nJ of so many operations.

        Args:
            synaptic_operations: spikes times their targets.
            active: neuron updates inside windows.
            inactive: neuron updates outside windows.
            messages: spikes times the cores that they are sent to.
        """
        of_updates = active * self.update_active + inactive * self.update_inactive
        return NJ_PER_PJ * (synaptic_operations * self.synaptic_operation + of_updates + messages * self.message)


def window_steps(population: Population | Readout) -> int:
    """Number of steps of its window in which a neuron integrates or may fire."""
    decided = population.wait + population.timesteps if isinstance(population, Population) else 0
    return max(decided, population.input_steps)


def neuron_updates(network: Network) -> dict[str, tuple[int, int]]:
    """Updates per image inside and outside the window, by population; the input is not computed on cores.

    active = neurons · window,  inactive = neurons · (period - window)
    """
    period = network.period_steps
    found = {}
    for population in network.populations:
        if not isinstance(population, InputPopulation):
            neurons, window = prod(population.shape), window_steps(population)
            found[population.name] = (neurons * window, neurons * (period - window))
    return found
