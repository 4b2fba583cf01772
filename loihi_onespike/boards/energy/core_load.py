"""Load of every core in every step of the pipeline's period, from the placement and measured spikes.

In a stream of images the load repeats every `period` steps. A spike at phase k of a population causes synaptic
operations on the cores of its targets in step

    s = start(pre) + wait(pre) + k + 1 + axon_delay   (modulo period, the first step being step 1)

and every neuron is updated in every step, whether anything arrives or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.mapping import MappedLayer, Placement
from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent
from loihi_onespike.boards.mapping.targets import target_counts
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
    populations = {layer.name: network.by_name[layer.name] for layer in layers}
    for layer in layers:
        population = populations[layer.name]
        assert isinstance(population, Population | Readout)
        _updates(load, placement, layer.name, _window_steps(network, population))
        for afferent in layer.afferents:
            _arrivals(load, network, placement, layer.name, afferent, activity)
    return load


def _window_steps(network: Network, population: Population | Readout) -> NDArray[np.bool_]:
    """(period,) the steps of the period that lie in the window of a population."""
    period = network.period_steps
    inside = np.zeros(period, bool)
    inside[(network.starts[population.name] + np.arange(window_steps(population))) % period] = True
    return inside


def _updates(load: CoreLoad, placement: Placement, layer: str, inside: NDArray[np.bool_]) -> None:
    for core in placement.by_layer[layer]:
        neurons = placement.cores[core].block.neurons
        load.active_updates[core, inside] += neurons
        load.inactive_updates[core, ~inside] += neurons


def _arrivals(
    load: CoreLoad, network: Network, placement: Placement, layer: str, afferent: Afferent, activity: Activity
) -> None:
    """Synaptic operations of one group of synapses, and the packets that carry its spikes."""
    pre = network.by_name[afferent.pre]
    spikes = activity.mean(afferent.pre)
    phases = np.arange(len(spikes))
    steps = (network.starts[pre.name] + pre.wait + phases + 1 + afferent.axon_delay) % load.period
    seen = _seen(afferent, spikes)
    sent_at = (steps - 1 - afferent.axon_delay) % load.period
    # The input comes from outside the cores.
    owner = None if pre.name not in placement.shapes else placement.core_of(pre.name).ravel()
    of_neurons = spikes.reshape(len(spikes), -1)
    for core in placement.by_layer[layer]:
        operations, places = _on_core(afferent, seen, placement.cores[core].block)
        np.add.at(load.synaptic_operations[core], steps, operations)
        if owner is None:
            continue
        neurons = afferent.neurons(places)  # a neuron that is read twice sends one packet
        senders, which = np.unique(owner[neurons], return_inverse=True)
        bins = which + len(senders) * phases[:, None]  # few cores send to one core
        sent = np.bincount(bins.ravel(), of_neurons[:, neurons].ravel(), len(senders) * len(phases))
        placed = senders >= 0
        for phase, of_senders in enumerate(sent.reshape(len(phases), len(senders))):
            load.packets_sent[senders[placed], sent_at[phase]] += of_senders[placed]


def _seen(afferent: Afferent, spikes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(phases, *what the map reads) spikes per image."""
    if afferent.index is None:
        return spikes
    index = np.asarray(afferent.index)
    flat = spikes.reshape(len(spikes), -1)
    seen = flat[:, np.maximum(index, 0)]
    seen[:, index < 0] = 0.0
    return seen


def _on_core(
    afferent: Afferent, seen: NDArray[np.float64], block: Block
) -> tuple[NDArray[np.float64], tuple[NDArray[np.int64], ...]]:
    """(phases,) synaptic operations on a block, and the places with targets there, along each axis.

    Targets are a product over the axes, so the sum over places is one contraction per axis, the last one first.
    """
    counts = target_counts(afferent.op, afferent.seen, block)
    places = tuple(np.flatnonzero(c) for c in counts)
    box = (slice(None), *_box(places))  # of all phases
    total = seen[box]
    for count in reversed(counts):
        total = total @ count[count > 0].astype(np.float64)
    return total, places


def _box(places: tuple[NDArray[np.int64], ...]) -> tuple[Any, ...]:
    """Index of a box of places: slices where each axis has a range of them, which copy nothing."""
    if all(len(axis) and axis[-1] - axis[0] + 1 == len(axis) for axis in places):
        return tuple(slice(int(axis[0]), int(axis[-1]) + 1) for axis in places)
    return np.ix_(*places)
