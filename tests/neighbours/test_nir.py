"""Networks as graphs of NIR: the nodes compute the sums of the network, and what comes back is the same network."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Sparse, Window
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.errors import NirError
from loihi_onespike.neighbours.nir import network_of, nir_graph
from loihi_onespike.neighbours.nir_ratings import nir_ratings
from netx_export.encode import encode
from tests.strategies import random_network
from tests.support import networks
from tests.support.lava_networks import chain, everything, membrane, neurons, source, weights

SEEDS = range(80)


def residual() -> Network:
    """A branch with an exponent and a delay, a diagonal map, a convolution over one axis, and a flattened readout."""
    shape = (3, 8)
    m = membrane(8192, 4, 2)
    populations = (
        source(shape, BinaryCode(4)),
        neurons("a", shape, m, 4, 300, 4),
        neurons("b", shape, membrane(6144, 4, 2), 4, 300, 4),
        Readout("out", (5,), membrane(6144, 4)),
    )
    narrow = Conv(weights(1, (3, 3, 3)), Window((3,), (1,), ((1, 1),), (1,)))
    synapses = (
        Synapse("a", "input", "a", narrow),
        Synapse("b", "a", "b", narrow.with_weight(weights(2, (3, 3, 3))), None, 2),
        Synapse("b again", "a", "b", Diagonal(weights(3, (3, 1)))),
        Synapse("out", "b", "out", Dense(weights(4, (5, 24))), np.arange(24, dtype=np.int32), 0, 7),
    )
    return verify(Network("residual", populations, synapses))


def expressible():
    found = [networks.chain(), networks.sides(), chain(6), residual()]
    found += [random_network(seed, gathers=False, input_ranks=(1, 3)) for seed in SEEDS]
    return [n for n in found if all(r.grade != "unsupported" for r in nir_ratings(n))]


def assert_same(found: Network, wanted: Network) -> None:
    left, right = encode(found), encode(wanted)
    assert left.keys() == right.keys()
    for path, value in right.items():
        assert left[path].dtype == value.dtype and np.array_equal(left[path], value), path


def test_package_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(NirError, match=r"nir: must be installed, got .*; pip install 'loihi-onespike\[nir\]'"):
        nir_graph(chain(6))


def test_ratings():
    grades = {(r.name, r.node): r.grade for r in nir_ratings(residual())}
    assert grades == {
        ("input", "Input"): "approximate",
        ("a", "Conv1d"): "faithful",
        ("a", "IF"): "approximate",
        ("b", "Conv1d, Scale"): "faithful",
        ("b again", "Scale"): "faithful",
        ("b", "IF"): "approximate",
        ("out", "Flatten, Linear, Delay"): "faithful",
        ("out", "I"): "approximate",
    }
    assert all(r.reason for r in nir_ratings(residual()) if r.grade != "faithful")


TWO = np.array(2, np.int16)
UNEVEN = Window((3, 3), (1, 1), ((0, 1), (1, 1)), (1, 1))
REFUSED = {
    "differs between the sides": ((1, 4, 4), Conv(weights(1, (1, 1, 3, 3)), UNEVEN)),
    "over 3 axes": ((1, 4, 4, 4), Conv(weights(1, (1, 1, 2, 2, 2)), Window.plain((2, 2, 2)))),
    "with groups": ((2, 4, 4), Conv(weights(1, (2, 1, 3, 3)), Window.plain((3, 3)), groups=2)),
    "not square": ((1, 4, 4), Conv(weights(1, (1, 1, 3, 2)), Window.plain((3, 2)))),
    "over 1 axes": ((1, 4), Pool(Window.plain((2,)), TWO)),
    "no dilation": ((1, 4, 4), Pool(Window((2, 2), (1, 1), ((0, 0), (0, 0)), (2, 2)), TWO)),
    "several axes": ((2, 3), Dense(weights(1, (2, 3)))),
    "a sparse map": ((3, 2), Sparse(sp.csr_matrix(weights(1, (3, 3))))),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_has_no_node(reason):
    shape, op = REFUSED[reason]
    populations = (source(shape, BinaryCode(2)), Readout("out", op.output_shape(shape), membrane(8192, 2)))
    network = verify(Network("one map", populations, (Synapse("out", "input", "out", op),)))
    (rating,) = (r for r in nir_ratings(network) if r.grade == "unsupported")
    assert reason in rating.reason and rating.node == ""


def test_a_product_has_no_node():
    refused = {r.name: r.reason for r in nir_ratings(networks.products()) if r.grade == "unsupported"}
    assert "multiplies two sums" in refused["scaled"] and "multiplies two sums" in refused["squares"]


def test_all_parts_without_a_node_are_refused_together():
    pytest.importorskip("nir", reason="NIR is not installed")
    with pytest.raises(NirError, match=r"must have a node for every part, got \d without:") as raised:
        nir_graph(everything(5))
    lines = str(raised.value).splitlines()[1:]
    assert any("gather other than flattening" in line for line in lines)
    assert len(lines) == sum(r.grade == "unsupported" for r in nir_ratings(everything(5))) > 3


def test_neurons_without_negative_spikes_stand_in_the_metadata():
    pytest.importorskip("nir", reason="NIR is not installed")
    stored = nir_graph(networks.sides()).nodes["neurons"].metadata["neuron.oneSided"]
    assert stored.dtype == np.uint8 and stored.tolist() == [1, 0, 0, 1, 0, 0]
    assert "neuron.oneSided" not in nir_graph(networks.chain()).nodes["conv1"].metadata


@pytest.mark.thorough
def test_there_and_back(tmp_path):
    nir = pytest.importorskip("nir", reason="NIR is not installed")
    networks_of_nir = expressible()
    assert len(networks_of_nir) > 12
    for network in networks_of_nir:
        graph = nir_graph(network)
        assert_same(network_of(graph), network)
        nir.write(tmp_path / "network.nir", graph)
        assert_same(network_of(nir.read(tmp_path / "network.nir")), network)


def apply(node, x):
    """What a reader of NIR computes for a node, on (*shape) float64."""
    kind = type(node).__name__
    tensor = torch.from_numpy(x)[None]
    if kind == "Flatten":
        return x.reshape(-1)
    if kind in ("Conv1d", "Conv2d"):
        convolve = F.conv1d if kind == "Conv1d" else F.conv2d
        weight = torch.from_numpy(node.weight.astype(np.float64))
        return convolve(tensor, weight, None, node.stride, node.padding, node.dilation, node.groups)[0].numpy()
    if kind == "SumPool2d":
        size, stride, padding = (tuple(int(n) for n in a) for a in (node.kernel_size, node.stride, node.padding))
        padded = F.pad(tensor, (padding[1], padding[1], padding[0], padding[0]))
        return (F.avg_pool2d(padded, size, stride) * size[0] * size[1])[0].numpy()
    if kind == "Linear":
        return node.weight.astype(np.float64) @ x
    assert kind == "Scale", kind
    return node.scale.astype(np.float64) * x


def test_the_nodes_compute_the_sums_of_the_network():
    """From a population along its edges to the next one: the weighted sum of every neuron, exponent included."""
    pytest.importorskip("nir", reason="NIR is not installed")
    rng, seen = np.random.default_rng(0), set()
    for network in expressible():
        graph = nir_graph(network)
        after = {a: b for a, b in graph.edges if b not in network.by_name}
        for synapse in network.synapses:
            pre = network.by_name[synapse.pre]
            spikes = rng.integers(-1, 2, pre.shape)
            group = list(network.synapses_onto(synapse.post)).index(synapse)
            names = [n for n in graph.nodes if n.startswith(f"{synapse.post}.{group}.")]
            x = spikes.astype(np.float64)
            for name in names:
                node = graph.nodes[name]
                seen.add(type(node).__name__)
                if type(node).__name__ == "Delay":
                    assert np.all(node.delay == synapse.axon_delay)
                    continue
                x = apply(node, x)
            oracle = synapse_matrix(synapse.op, pre.shape, synapse.index).astype(np.int64) @ spikes.ravel()
            assert np.allclose(x.ravel(), oracle << synapse.weight_exp, rtol=0, atol=1e-6), (network.name, synapse.name)
        assert after
    assert seen == {"Flatten", "Conv1d", "Conv2d", "SumPool2d", "Linear", "Scale", "Delay"}


def test_weights_are_those_of_the_nodes():
    pytest.importorskip("nir", reason="NIR is not installed")
    graph = nir_graph(residual())
    graph.nodes["out.0.map"].weight = graph.nodes["out.0.map"].weight[::-1]
    (changed,) = network_of(graph).synapses_onto("out")
    (before,) = residual().synapses_onto("out")
    assert np.array_equal(changed.op.weight, before.op.weight[::-1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda w: w + 0.5, "weights must be integers of at most 254 in magnitude, got"),
        (lambda w: w * 1000, "weights must be integers of at most 254 in magnitude, got"),
        (lambda w: w * np.nan, "weights must be integers of at most 254 in magnitude, got nan"),
        (lambda w: w[:, :5], "must have the metadata that nir_graph wrote, got ValueError"),
    ],
)
def test_weights_that_no_network_has(changed, message):
    pytest.importorskip("nir", reason="NIR is not installed")
    graph = nir_graph(residual())
    graph.nodes["out.0.map"].weight = changed(graph.nodes["out.0.map"].weight)
    with pytest.raises(NirError, match=f"out.0.map: {message}"):
        network_of(graph)


def test_places_that_share_a_weight_keep_one():
    pytest.importorskip("nir", reason="NIR is not installed")
    graph = nir_graph(residual())
    graph.nodes["b.1.map"].scale[0, 3] += 2
    with pytest.raises(NirError, match=r"b\.1\.map: must have one weight for all places that share it"):
        network_of(graph)


def test_metadata_that_are_missing():
    pytest.importorskip("nir", reason="NIR is not installed")
    graph = nir_graph(residual())
    del graph.nodes["out.0.map"].metadata["weight_shape"]
    with pytest.raises(NirError, match=r"out\.0\.map: must have the metadata that nir_graph wrote, got KeyError"):
        network_of(graph)


def test_graphs_that_are_not_ours():
    nir = pytest.importorskip("nir", reason="NIR is not installed")
    other = nir.NIRGraph.from_list(nir.Linear(np.ones((2, 3), np.float32)))
    with pytest.raises(NirError, match="must be one that nir_graph made"):
        network_of(other)
    graph = nir_graph(residual())
    graph.edges.remove(("b.1.map", "b"))
    with pytest.raises(NirError, match="edges must be those of the network in the metadata"):
        network_of(graph)
