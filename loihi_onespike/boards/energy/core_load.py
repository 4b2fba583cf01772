"""Load of every core in every step of the pipeline's period, from the placement and measured spikes.

In a stream of images the load repeats every `period` steps. Spikes cause synaptic operations on the cores of their
targets (`arrivals`), and every neuron is updated in every step, whether anything arrives or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.arrivals import Arrivals
from loihi_onespike.boards.mapping import MappedLayer, Placement
from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent
from loihi_onespike.core.graphs.network import Network, Population, Readout
from loihi_onespike.core.operation_prices import window_steps


@dataclass(frozen=True, eq=False)
class CoreLoad:
    """Mean operations of one image, by core (in the order of `Placement.cores`) and step of the period.

    Attributes:
        synaptic_operations: (cores, period) spikes times targets on the core.
        active_updates: (cores, period) neurons inside their window, which integrate or may fire.
        inactive_updates: (cores, period) neurons whose window is over and that wait for the next image.
        packets_sent: (cores, period) spikes that leave the core, one per target core.
    """

    synaptic_operations: NDArray[np.float64]
    active_updates: NDArray[np.float64]
    inactive_updates: NDArray[np.float64]
    packets_sent: NDArray[np.float64]

    @property
    def period(self) -> int:
        """Steps per image."""
        return int(self.synaptic_operations.shape[1])


def core_load(network: Network, layers: tuple[MappedLayer, ...], placement: Placement, activity: Activity) -> CoreLoad:
    """Compute the load of every core and step of the period.

    Args:
        network: The network.
        layers: Its layers as they were mapped (`Mapping.layers`).
        placement: The cores that hold them.
        activity: Measured spikes.

    Returns:
        Mean operations per image.
    """
    size = (len(placement.cores), network.period_steps)
    load = CoreLoad(*(np.zeros(size) for _ in range(4)))
    for layer in layers:
        cores = placement.by_layer[layer.name]
        _updates(load, network, layer.name, {core: placement.cores[core].block for core in cores})
        for afferent in layer.afferents:
            _arrivals(load, network, placement, layer.name, afferent, activity)
    return load


def layer_load(network: Network, layer: MappedLayer, blocks: Sequence[Block], activity: Activity) -> CoreLoad:
    """Load of the cores of one layer without the packets that they send, which follow from where the others lie.

    Args:
        network: The network.
        layer: The layer.
        blocks: What its cores hold.
        activity: Measured spikes.

    Returns:
        Mean operations of one image, with the cores in the order of the blocks.
    """
    load = CoreLoad(*(np.zeros((len(blocks), network.period_steps)) for _ in range(4)))
    _updates(load, network, layer.name, dict(enumerate(blocks)))
    for afferent in layer.afferents:
        arrivals = Arrivals(network, afferent, activity)
        for core, block in enumerate(blocks):
            np.add.at(load.synaptic_operations[core], arrivals.steps, arrivals.onto(block)[0])
    return load


def _window_steps(network: Network, population: Population | Readout) -> NDArray[np.bool_]:
    """(period,) the steps of the period that lie in the window of a population."""
    period = network.period_steps
    inside = np.zeros(period, bool)
    inside[(network.starts[population.name] + np.arange(window_steps(population))) % period] = True
    return inside


def _updates(load: CoreLoad, network: Network, layer: str, blocks: Mapping[int, Block]) -> None:
    """Updates of the neurons of a layer, whose blocks are given by the number of their core."""
    population = network.by_name[layer]
    assert isinstance(population, Population | Readout)
    inside = _window_steps(network, population)
    for core, block in blocks.items():
        load.active_updates[core, inside] += block.neurons
        load.inactive_updates[core, ~inside] += block.neurons


def _arrivals(
    load: CoreLoad, network: Network, placement: Placement, layer: str, afferent: Afferent, activity: Activity
) -> None:
    """Synaptic operations of one group of synapses, and the packets that carry its spikes."""
    pre = network.by_name[afferent.pre]
    arrivals = Arrivals(network, afferent, activity)
    of_neurons = activity.mean(afferent.pre).reshape(len(arrivals.steps), -1)
    phases = np.arange(len(of_neurons))
    sent_at = (arrivals.steps - 1 - afferent.axon_delay) % load.period
    # The input comes from outside the cores.
    owner = None if pre.name not in placement.shapes else placement.core_of(pre.name).ravel()
    for core in placement.by_layer[layer]:
        operations, places = arrivals.onto(placement.cores[core].block)
        np.add.at(load.synaptic_operations[core], arrivals.steps, operations)
        if owner is None:
            continue
        neurons = afferent.neurons(places)  # a neuron that is read twice sends one packet
        senders, which = np.unique(owner[neurons], return_inverse=True)
        bins = which + len(senders) * phases[:, None]  # few cores send to one core
        sent = np.bincount(bins.ravel(), of_neurons[:, neurons].ravel(), len(senders) * len(phases))
        placed = senders >= 0
        for phase, of_senders in enumerate(sent.reshape(len(phases), len(senders))):
            load.packets_sent[senders[placed], sent_at[phase]] += of_senders[placed]
