"""The harness of NeuroBench measures what this toolkit counts."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.errors import NeuroBenchError
from loihi_onespike.neighbours.neurobench import neurobench_model
from tests.support.lava_networks import chain, everything

IMAGES, BATCH = 6, 3


def test_package_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "neurobench.models", None)
    with pytest.raises(NeuroBenchError, match=r"must be installed, got .*; pip install 'loihi-onespike\[neurobench\]'"):
        neurobench_model(OneSpikeNetwork(chain(6)))


@pytest.mark.parametrize("network", [chain(6), chain(2), everything(5)], ids=lambda n: n.name)
def test_its_metrics_equal_our_counts(network):
    pytest.importorskip("neurobench", reason="NeuroBench is not installed")
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.static import ConnectionSparsity, Footprint
    from neurobench.metrics.workload import ActivationSparsity, ClassificationAccuracy, SynapticOperations

    net = OneSpikeNetwork(network)
    rng = np.random.default_rng(3)
    images = rng.random((IMAGES, *network.input.shape)).astype(np.float32)
    trace = net.trace(images)
    classes = trace.output.reshape(IMAGES, -1).argmax(1)
    labels = np.where(np.arange(IMAGES) % 2, classes, classes + 1)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(images), torch.from_numpy(labels)), batch_size=BATCH
    )
    metrics = [[Footprint, ConnectionSparsity], [ClassificationAccuracy, ActivationSparsity, SynapticOperations]]
    choose = [lambda output: output.flatten(1).argmax(-1)]
    found = Benchmark(neurobench_model(net), loader, [], choose, metrics).run(quiet=True)

    assert found["ClassificationAccuracy"] == pytest.approx(0.5)
    weights = [np.asarray(s.op.weight_values) for s in network.synapses]
    zeros, stored = sum(int((w == 0).sum()) for w in weights), sum(w.size for w in weights)
    assert found["ConnectionSparsity"] == round(zeros / stored, 4)
    assert found["Footprint"] == stored + _other_bytes(network)
    fired, places = 0, 0
    for p in network.hidden:
        words = trace.layers[p.name].words
        assert words is not None
        fired, places = fired + int((words != 0).sum()), places + words.size * p.timesteps
    assert found["ActivationSparsity"] == pytest.approx(1 - fired / places)
    assert found["SynapticOperations"]["Effective_ACs"] == pytest.approx(_operations(network, trace) / IMAGES)
    assert found["SynapticOperations"]["Effective_MACs"] == 0


def _other_bytes(network):
    """Start values and thresholds of 4 bytes, leaks and mantissas of 2, shifts of 1, gathers of 4."""
    size = sum(4 * np.size(s.index) for s in network.synapses if s.index is not None)
    for p in network.populations[1:]:
        size += 4 * np.size(p.membrane.bias) + 2 * len(p.membrane.leak)
        if isinstance(p, Population):
            tables = [t for t in (p.table, p.negative) if t is not None]
            size += 4 * np.size(p.threshold) + sum(3 * len(t.mant) for t in tables)
    return size


def _operations(network, trace):
    """Each spike times its synapses with a weight other than 0."""
    total = 0
    for synapse in network.synapses:
        pre = network.by_name[synapse.pre]
        matrix = synapse_matrix(synapse.op, pre.shape, synapse.index)
        targets = np.asarray((matrix != 0).sum(axis=0)).ravel()
        words = trace.layers[pre.name].codes
        spikes = pre.code.count_spikes(words).reshape(len(words), -1)
        total += int((spikes.astype(np.int64) @ targets).sum())
    return total
