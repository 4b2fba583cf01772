"""Loads of cores against a clock over explicit synapses."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.core_load import core_load
from loihi_onespike.boards.mapping import map_network, spike_hops
from loihi_onespike.core.codes import PositionalCode
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.evaluation.spike_counter import SpikeCounter
from loihi_onespike.executors import reference
from tests.boards.mapping.boards import narrow
from tests.boards.mapping.test_traffic import without_zeros
from tests.strategies import random_case

SMALL = narrow("hala_point", state_words=24)


def by_hand(network, placement, layers, images):
    """Operations of every core and step: each spike of each image, at the step at which its sum arrives."""
    period = network.period_steps
    found = np.zeros((len(placement.cores), period))
    for synapse in network.synapses:
        pre = network.by_name[synapse.pre]
        matrix = synapse_matrix(without_zeros(synapse.op), pre.shape, synapse.index).tocsc()
        targets = placement.core_of(synapse.post).ravel()
        codes = layers[pre.name].words.reshape(images, -1)
        for phase in range(1, pre.timesteps + 1):
            if pre is network.input and isinstance(pre.code, PositionalCode):
                sent = pre.code.spikes(codes, phase) != 0
            else:
                sent = (pre.code.phase_of(codes) == phase).astype(int)
            step = network.starts[pre.name] + pre.wait + phase + 1 + synapse.axon_delay
            for neuron in np.flatnonzero(sent.sum(axis=0)):
                rows = matrix.indices[matrix.indptr[neuron] : matrix.indptr[neuron + 1]]
                np.add.at(found[:, (step - 1) % period], targets[rows], sent[:, neuron].sum() / images)
    return found


@pytest.mark.parametrize("payload", [0, 100])
@pytest.mark.parametrize("seed", range(8))
def test_operations_of_cores(seed, payload):
    """A spike is one operation per target, whatever its message."""
    network, codes = random_case(seed, gathers=False, payload=payload)
    trace = reference.run(network, codes)
    counted = Activity.of(network, trace.layers)
    mapping = map_network(network, SMALL, counted.per_neuron())
    load = core_load(network, mapping.layers, mapping.placement, counted)
    expected = by_hand(network, mapping.placement, trace.layers, len(codes))
    np.testing.assert_allclose(load.synaptic_operations, expected, atol=1e-9)


@pytest.mark.parametrize(("seed", "payload"), [*((s, 0) for s in range(8, 20)), *((s, 100) for s in range(20, 26))])
def test_sums_agree_with_other_counts(seed, payload):
    """Operations with those of the spike counter, gathers included; packets with those of the mapper."""
    network, codes = random_case(seed, payload=payload)
    trace = reference.run(network, codes)
    counted = Activity.of(network, trace.layers)
    counter = SpikeCounter(network)
    counter.add(trace.layers)
    mapping = map_network(network, SMALL, counted.per_neuron())
    load = core_load(network, mapping.layers, mapping.placement, counted)
    total = sum(counter.synaptic_operations.values()) / len(codes)
    assert load.synaptic_operations.sum() == pytest.approx(total)
    hops = spike_hops(mapping.layers, mapping.placement, counted.per_neuron())
    assert load.packets_sent.sum() == pytest.approx(hops.packets)
    neurons = sum(int(np.prod(p.shape)) for p in network.populations if p is not network.input)
    updates = load.active_updates + load.inactive_updates
    assert np.all(updates.sum(axis=0) == neurons)
