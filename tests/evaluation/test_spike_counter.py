"""Spikes, synaptic operations and α against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.maps import LinearMap, Sparse, with_weight
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.evaluation.alpha import FP32, INT8, relative_efficiency
from loihi_onespike.evaluation.spike_counter import SpikeCounter
from loihi_onespike.executors import reference
from tests.strategies import random_case
from tests.support.models import inputs, make


def _ones(op: LinearMap) -> LinearMap:
    """The same synapses, each of weight 1."""
    weight = op.weight.copy()
    if isinstance(op, Sparse):
        weight.data = np.ones_like(weight.data)
        return with_weight(op, weight)
    return with_weight(op, np.ones_like(weight))


@pytest.mark.parametrize("seed", range(15))
def test_synaptic_operations_are_spikes_times_targets(seed: int) -> None:
    network, codes = random_case(seed)
    trace = reference.run(network, codes)
    counter = SpikeCounter(network)
    counter.add(trace.layers)
    for synapse in network.synapses:
        pre = network.by_name[synapse.pre]
        phases = trace.layers[pre.name].words
        assert phases is not None
        sent = np.abs(np.sign(phases))
        if isinstance(getattr(pre, "code", None), BinaryCode):
            sent = np.vectorize(lambda n: bin(n).count("1"), otypes=[int])(phases)
        targets = np.asarray(synapse_matrix(_ones(synapse.op), pre.shape, synapse.index).sum(axis=0)).ravel()
        by_hand = int((sent.reshape(len(sent), -1) @ targets).sum())
        assert counter.synaptic_operations[synapse.name] == by_hand


def test_alpha_of_equation_6_by_hand() -> None:
    net = los.convert(make("mlp"), inputs(), method="paper")
    rates = {"input": 3.0, **{p.name: 0.5 for p in net.network.hidden}, net.network.input.name: 3.0}
    macs_1, macs_2 = 128 * 20, 20 * 5
    added = 3.0 * macs_1 + 0.5 * macs_2
    assert relative_efficiency(net.network, rates, FP32) == pytest.approx(4.6 * (macs_1 + macs_2) / (0.9 * added))
    assert relative_efficiency(net.network, rates, INT8) == pytest.approx(0.2 * (macs_1 + macs_2) / (0.03 * added))


def test_nothing_sent_costs_nothing() -> None:
    net = los.convert(make("mlp"), inputs(), method="paper")
    rates = {p.name: 0.0 for p in net.network.populations}
    assert relative_efficiency(net.network, rates, FP32) == float("inf")
