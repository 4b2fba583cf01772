"""lava-dl's own reader finds every standard field where it looks for it, and its loaders get the oracle's sums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Window
from loihi_onespike.core.maps.connectivity import synapse_matrix
from netx_export import write
from netx_export.encode import encode
from netx_export.layout import FIELDS, pattern
from tests.strategies import random_network
from tests.support.lava_networks import membrane, source
from tests.support.networks import chain, graph, nodes

pytestmark = pytest.mark.lava
pytest.importorskip("lava.lib.dl.netx", reason="lava-dl is not installed")

SEEDS = range(60)
CONVOLUTIONS = {"ops": ("conv",), "input_ranks": (2, 3), "kinds": ("relu", "linear"), "gathers": False}


def _netdict(network: Network, folder: Path) -> Any:
    from lava.lib.dl.netx.utils import NetDict

    write(network, folder / "network.net")
    return NetDict(str(folder / "network.net"))


def _plain(value: Any) -> Any:
    """NetDict hands out arrays for what it knows, and wraps what it does not."""
    return value if not hasattr(value, "f") else value.f[()]


@pytest.mark.parametrize(
    "network", [chain(), graph(), nodes(), random_network(3), random_network(8)], ids=lambda n: n.name
)
def test_netdict_reads_every_standard_field(network: Network, tmp_path: Path) -> None:
    net = _netdict(network, tmp_path)
    fields = encode(network)
    layers = {name.split("/")[1] for name in fields if name.startswith("layer/")}
    assert len(net["layer"]) == len(layers)
    for name, value in fields.items():
        if not FIELDS[pattern(name)].netx or "/onespike/" in name:
            continue
        place, *rest = name.split("/")[1:] if name.startswith("layer/") else (None, *name.split("/"))
        holder = net["layer"][int(place)] if place is not None else net
        for step in rest[:-1]:
            holder = holder[step]
        found = _plain(holder[rest[-1]])
        if rest[-1] == "type":
            assert found == value[0].decode() if isinstance(found, str) else found == value
        else:
            assert np.array_equal(found, value), name


DOCS = Path(__file__).parents[2] / "docs" / "netx_format.md"
WRAPPED = {"kernelSize", "inChannels", "outChannels", "inFeatures", "outFeatures", "Ts", "tSample"}
"""Standard fields that NetDict's lists of keys lack (docs/netx_format.md, Stock lava-dl)."""


def test_fields_that_netdict_wraps_instead_of_reading(tmp_path: Path) -> None:
    """NetDict takes these for groups: an object comes back in place of the value, which stands in its data set."""
    net = _netdict(chain(), tmp_path)
    values: dict[str, tuple[Any, Any]] = {
        "kernelSize": (net["layer"][1], [3, 3]),
        "inChannels": (net["layer"][1], 1),
        "outChannels": (net["layer"][1], 3),
        "inFeatures": (net["layer"][5], 16),
        "outFeatures": (net["layer"][5], 10),
        "Ts": (net["simulation"], 1),
        "tSample": (net["simulation"], chain().latency_steps),
    }
    assert set(values) == WRAPPED
    for name, (holder, value) in values.items():
        found = holder[name]
        assert type(found) is type(net), name
        assert np.array_equal(found.f[()], value), name


def test_no_other_standard_field_is_wrapped(tmp_path: Path) -> None:
    wrapped = set()
    for network in (chain(), graph(), nodes()):
        net = _netdict(network, tmp_path)
        for number in range(len(net["layer"])):
            layer = net["layer"][number]
            holders = [("layer/#/", layer)]
            if "neuron" in layer.f:
                holders.append(("layer/#/neuron/", layer["neuron"]))
            for prefix, holder in holders:
                names = [n for n in holder.f if prefix + n in FIELDS and FIELDS[prefix + n].netx]
                wrapped |= {n for n in names if type(holder[n]) is type(net)}
    assert wrapped == WRAPPED - {"Ts", "tSample"}


def _one_map(op: LinearMap, shape: Shape, out: Shape) -> Network:
    populations = (source(shape, BinaryCode(2)), Readout("out", out, membrane(8192, 2)))
    return verify(Network("one map", populations, (Synapse("out", "input", "out", op),)))


HALVES = Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
TWO = np.array(2, np.int16)
STOCK_ANSWERS = {
    "AttributeError: 'NoneType' object has no attribute 'pop'": chain,
    "KeyError: \"Unable to synchronously open object (object 'padding' doesn't exist)\"": graph,
    "NotImplementedError: pool is not implemented.": lambda: _one_map(Pool(HALVES, TWO), (1, 4, 4), (1, 2, 2)),
    "IndexError: list index out of range": lambda: _one_map(Diagonal(TWO), (3,), (3,)),
}


@pytest.mark.parametrize("answer", STOCK_ANSWERS)
def test_what_the_stock_loader_answers(answer: str, tmp_path: Path) -> None:
    """The answers that docs/netx_format.md lists: the stock loader has no one-spike neuron."""
    from lava.lib.dl.netx.hdf5 import Network as StockNetwork

    write(STOCK_ANSWERS[answer](), tmp_path / "network.net")
    with pytest.raises(Exception) as raised:
        StockNetwork(str(tmp_path / "network.net"))
    assert f"{type(raised.value).__name__}: {raised.value}" == answer
    assert f"`{answer}`" in DOCS.read_text(encoding="utf-8")


def _stock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """lava-dl's loader with a stock neuron in place of ours, which it does not know."""
    from lava.lib.dl.netx.hdf5 import Network as StockNetwork
    from lava.proc.lif.process import LIF

    neuron = {"neuron_proc": LIF, "bias_key": "bias_mant", "vth": 1, "du": 0, "dv": 0, "bias_exp": 6}
    parameters = {**neuron, "num_message_bits": 0}
    monkeypatch.setattr(StockNetwork, "get_neuron_params", staticmethod(lambda *_, **__: dict(parameters)))
    return StockNetwork


def _synapse_process(block: Any) -> Any:
    return block.synapse


def _oracle(network: Network, synapse: Synapse, spikes: np.ndarray) -> np.ndarray:
    pre = network.by_name[synapse.pre]
    matrix = synapse_matrix(synapse.op, pre.shape, synapse.index).astype(np.int64)
    return (matrix @ spikes.ravel()).reshape(network.by_name[synapse.post].shape)


def _layer_numbers(network: Network) -> dict[str, int]:
    fields = encode(network)
    ends = "/onespike/name"
    return {
        bytes(v[()]).decode(): int(k.split("/")[1])
        for k, v in fields.items()
        if k.startswith("layer") and k.endswith(ends)
    }


def _standard_conv(synapse: Synapse) -> bool:
    op = synapse.op
    return isinstance(op, Conv) and synapse.index is None and all(a == b for a, b in op.window.padding)


@pytest.mark.thorough
def test_stock_convolutions_give_the_oracles_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File → lava-dl's create_conv (flip, transpose, W H C) → lava's conv = the synapse matrix of the network."""
    from lava.proc.conv import utils

    stock, rng, seen = _stock(monkeypatch), np.random.default_rng(0), 0
    for seed in SEEDS:
        network = random_network(seed, **CONVOLUTIONS)  # type: ignore[arg-type]
        net = _netdict(network, tmp_path)
        for post, number in _layer_numbers(network).items():
            synapse = next(network.synapses_onto(post), None)
            if synapse is None or not _standard_conv(synapse):
                continue
            pre_shape = network.by_name[synapse.pre].shape
            chw = pre_shape if len(pre_shape) == 3 else (pre_shape[0], 1, pre_shape[1])
            block, _ = stock.create_conv(net["layer"][number], input_shape=chw[::-1])
            arguments = _synapse_process(block).proc_params
            spikes = rng.integers(-1, 2, chw)
            weight = _synapse_process(block).weight.init
            geometry = {k: arguments.get(k) for k in ("stride", "padding", "dilation", "groups")}
            sums = utils.conv(spikes.transpose(2, 1, 0), weight, kernel_size=weight.shape[1:3], **geometry)
            oracle = _oracle(network, synapse, spikes)
            assert np.array_equal(sums.transpose(2, 1, 0).ravel(), oracle.ravel()), (seed, post)
            seen += 1
    assert seen > 60


@pytest.mark.thorough
def test_stock_dense_layers_give_the_oracles_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File → lava-dl's create_dense (weight bits, exponent, delays) = the synapse matrix of the network."""
    stock, rng, seen, delayed = _stock(monkeypatch), np.random.default_rng(0), 0, 0
    for seed in SEEDS:
        network = random_network(seed, ops=("dense",), kinds=("relu",), input_ranks=(1,))
        net = _netdict(network, tmp_path)
        for post, number in _layer_numbers(network).items():
            synapse = next(network.synapses_onto(post), None)
            if synapse is None or not isinstance(synapse.op, Dense) or not synapse.op.weight.any():
                continue
            block, _ = stock.create_dense(net["layer"][number])
            process = _synapse_process(block)
            exponent = int(process.proc_params.get("weight_exp", 0))
            weights = process.weights.init
            dense = np.asarray(weights.todense() if hasattr(weights, "todense") else weights, dtype=np.float64)
            seen_spikes = rng.integers(0, 2, synapse.op.weight.shape[1])
            expected = synapse.op.weight.astype(np.int64) @ seen_spikes
            assert np.array_equal(dense @ seen_spikes * 2.0**exponent, expected), (seed, post)
            if synapse.axon_delay:
                delays = process.delays.init
                delays = np.asarray(delays.todense() if hasattr(delays, "todense") else delays)
                assert set(np.unique(delays[dense != 0])) == {synapse.axon_delay}
                delayed += 1
            seen += 1
    assert seen > 60
    assert delayed > 5


def test_flatten_stands_where_the_stock_loader_expects_it(tmp_path: Path) -> None:
    """The stock loader feeds out.transpose([2, 1, 0]).flatten() of a W H C map: the row-major order of C H W."""
    net = _netdict(chain(), tmp_path)
    assert [net["layer"][i]["type"] for i in range(6)] == ["input", "conv", "pool", "conv", "flatten", "dense"]
    shape = tuple(net["layer"][3]["shape"])
    places = np.arange(np.prod(shape)).reshape(shape)
    stock_order = places.transpose(2, 1, 0).transpose(2, 1, 0).flatten()
    (readout,) = chain().synapses_onto("readout")
    assert np.array_equal(readout.index, stock_order)  # type: ignore[arg-type]


def test_stock_refuses_what_it_cannot_express(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uneven padding has no standard field: the stock loader stops instead of computing something else."""
    net = _netdict(graph(), tmp_path)
    with pytest.raises(KeyError):
        _stock(monkeypatch).create_conv(net["layer"][1], input_shape=(5, 4, 2))


def test_pooling_weights_have_the_stock_layout() -> None:
    """lava-dl's pool stores one kernel (1, 1, H, W) for all channels."""
    fields = encode(chain())
    assert fields["layer/2/weight"].shape == (1, 1, 2, 2)
    assert (fields["layer/2/weight"] == 2).all()
    pool = chain().synapses[1].op
    assert isinstance(pool, Pool)
    assert pool.window == Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
