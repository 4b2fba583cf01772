"""Spikes, synaptic operations and α against their definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import loihi_onespike as los
from loihi_onespike.boards.energy.break_even import PaperBalance
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.maps import LinearMap, Sparse, with_weight
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.evaluation.alpha import (
    FP32,
    INT8,
    ArithmeticCounts,
    additions_per_spike,
    operations,
    relative_efficiency,
)
from loihi_onespike.evaluation.spike_counter import SpikeCounter
from loihi_onespike.executors import reference
from tests.strategies import random_case
from tests.support.models import inputs, make
from tests.support.networks import payload


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
        matrix = synapse_matrix(synapse.op, pre.shape if synapse.index is None else synapse.index.shape)
        nonzero = np.asarray((matrix != 0).sum(axis=0)).ravel()
        if synapse.index is not None:
            read = synapse.index.ravel() >= 0
            nonzero = np.bincount(synapse.index.ravel()[read], nonzero[read], int(np.prod(pre.shape)))
        assert counter.nonzero_operations[synapse.name] == int((sent.reshape(len(sent), -1) @ nonzero).sum())
        assert counter.nonzero_operations[synapse.name] <= by_hand


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


def test_a_spike_with_payload_counts_as_b_plus_1_additions() -> None:
    network = replace(payload(), facts={"ann_macs": {"first": 100, "readout": 10}})
    rates = {p.name: 0.5 for p in network.populations}
    # `first` reads the input and `readout` reads `both`, each with messages 7, 5, 3, 2, 7, 5, 4, 1 of two bits.
    assert additions_per_spike(network) == 3
    assert operations(network, rates) == ArithmeticCounts(110.0, 0.5 * 3 * 110)
    assert relative_efficiency(network, rates, FP32) == pytest.approx(4.6 / (0.9 * 0.5 * 3))
    balance = PaperBalance.of(network, rates, {})
    assert balance is not None and balance.alpha(FP32) == relative_efficiency(network, rates, FP32)
    assert "A spike with payload counts as 3 additions, an upper bound." in balance.sentence()
    assert "payload" not in replace(balance, additions_per_spike=1).sentence()
    assert balance.every is None and balance.alpha_all(FP32) == balance.alpha(FP32)  # all were said to be made
