"""The generator of random networks: everything that a network can contain does occur, and spikes come at all phases."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings

from loihi_onespike.core.codes import V_MAX, BinaryCode, Codebook, DigitCode, PayloadCode
from loihi_onespike.core.graphs.network import Membrane, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Diagonal, Pool, Window
from loihi_onespike.executors import reference
from loihi_onespike.microcode.neuron_state import mixes_sides
from tests.strategies import Case, cases, networks, random_case, random_codes, random_network

SEEDS = range(200)

EXPECTED = {
    *(f"rank {n}" for n in (1, 2, 3)),
    *(f"hidden {n}" for n in range(1, 6)),
    *(f"T {n}" for n in range(1, 13)),
    *(f"bits {n}" for n in range(1, 9)),
    *("Conv", "Dense", "Diagonal", "Pool", "Sparse", "conv 1-d", "conv 2-d", "grouped", "depthwise", "dense per place"),
    *("stride", "padding", "asymmetric padding", "dilation", "pool overlap", "pool padding", "empty sparse"),
    *("relu", "linear", "max_pool", "average_pool", "relay", "signed", "signed relay"),
    *("several synapses", "aligned by delay", "delay without need", "input and hidden joined", "concatenation"),
    *("index", "index with nothing", "index changes rank", "index repeats"),
    *("weight_exp", "input_shift", "bias per channel", "bias per neuron", "threshold per channel"),
    *("one-sided neurons beside others", "one-sided neurons alone", "one-sided per channel", "one-sided per neuron"),
    *("threshold per neuron", "table below zero", "other table for negative", "wait 0", "short wait", "full wait"),
    *(
        "single-spike input",
        "base change",
        "floor code",
        "gain that is no base",
        "codebook",
        "gain of every step",
        "saturates",
        "spike at last phase",
    ),
}


def _window(window: Window, what: str) -> set[str]:
    names = {
        "stride": max(window.stride) > 1,
        "dilation": max(window.dilation) > 1,
        "padding": any(a == b > 0 for a, b in window.padding),
        "asymmetric padding": any(a != b for a, b in window.padding),
        "pool overlap": what == "pool" and any(k > s for k, s in zip(window.kernel, window.stride, strict=True)),
        "pool padding": what == "pool" and any(max(p) > 0 for p in window.padding),
    }
    return {name for name, there in names.items() if there}


def _synapse(synapse: Synapse, network: Network) -> set[str]:
    op, index = synapse.op, synapse.index
    pre = network.by_name[synapse.pre]
    names = {type(op).__name__}
    if isinstance(op, Conv):
        names |= _window(op.window, "conv") | {f"conv {len(op.window.kernel)}-d"}
        names |= {"depthwise" if op.weight.shape[1] == 1 else "grouped"} if op.groups > 1 else set()
    elif isinstance(op, Pool):
        names |= _window(op.window, "pool")
    elif type(op).__name__ == "Dense" and len(pre.shape) > 1 and index is None:
        names.add("dense per place")
    elif type(op).__name__ == "Sparse" and op.weight.nnz == 0:
        names.add("empty sparse")
    if index is not None:
        names.add("index")
        seen = index[index >= 0]
        names |= {"index with nothing"} if (index < 0).any() else set()
        names |= {"index repeats"} if len(np.unique(seen)) < len(seen) else set()
        names |= {"index changes rank"} if index.ndim != len(pre.shape) else set()
    return names | ({"weight_exp"} if synapse.weight_exp else set())


def _joins(network: Network, post: str) -> set[str]:
    synapses = list(network.synapses_onto(post))
    delays = {s.axon_delay for s in synapses}
    pres = {s.pre for s in synapses}
    indices = [s.index for s in synapses if s.index is not None]
    names = {
        "several synapses": len(synapses) > 1,
        "aligned by delay": len(delays) > 1,
        "delay without need": min(delays) > 0,
        "input and hidden joined": network.input.name in pres and len(pres) > 1,
        "concatenation": len(indices) > 1
        and all(a.shape == indices[0].shape for a in indices)
        and bool(np.all(sum((a >= 0).astype(int) for a in indices) == 1)),
    }
    return {name for name, there in names.items() if there}


def _size(quantity: str, array: np.ndarray, shape: tuple[int, ...]) -> set[str]:
    return {f"{quantity} per neuron" if array.shape == shape else f"{quantity} per channel"} if array.ndim else set()


def _membrane(membrane: Membrane, shape: tuple[int, ...]) -> set[str]:
    return _size("bias", membrane.bias, shape) | ({"input_shift"} if membrane.input_shift else set())


def _population(p: Population, network: Network) -> set[str]:
    wait = "wait 0" if p.wait == 0 else "full wait" if p.wait == p.membrane.input_steps else "short wait"
    pres = [network.by_name[s.pre] for s in network.synapses_onto(p.name)]
    gains = [q.code.gains for q in pres if not isinstance(q, Readout)]
    names = {
        "signed": p.signed,
        "signed relay": p.signed and p.kind == "relay",
        "table below zero": min(p.table.mant) < 0,
        "one-sided neurons beside others": mixes_sides(p),
        "one-sided neurons alone": p.one_sided is not None and bool(p.one_sided.all()),
        "other table for negative": p.negative is not None and p.negative != p.table,
        "base change": p.code.gains not in gains,
        "codebook": isinstance(p.code, Codebook),
        "gain of every step": len(set(p.membrane.leak)) > 1,
        "floor code": not p.code.threshold_shift,
        "gain that is no base": p.membrane.leak[0] not in {4096, *(g[0] for g in gains)},
    }
    found = {name for name, there in names.items() if there} | {wait, p.kind}
    found |= set() if p.one_sided is None else _size("one-sided", p.one_sided, p.shape)
    return found | _membrane(p.membrane, p.shape) | _size("threshold", p.threshold, p.shape)


def features(network: Network) -> set[str]:
    """Names of everything that occurs in a network."""
    source = network.input
    code = f"bits {source.code.bits}" if isinstance(source.code, BinaryCode) else "single-spike input"
    found = {f"rank {len(source.shape)}", f"hidden {len(network.hidden)}", f"T {network.timesteps}", code}
    for synapse in network.synapses:
        found |= _synapse(synapse, network)
    for p in network.hidden:
        found |= _population(p, network) | _joins(network, p.name)
    return found | _membrane(network.readout.membrane, network.readout.shape)


@pytest.mark.thorough
def test_every_feature_occurs_and_spikes_are_varied() -> None:
    seen: Counter[str] = Counter()
    neurons = fired = late = 0
    for seed in SEEDS:
        network, codes = random_case(seed)
        seen.update(features(network))
        for p in network.hidden:
            layer = reference.run(network, codes).layers[p.name] if seed % 4 == 0 else None
            if layer is None or layer.words is None:
                continue
            phases = np.abs(layer.words)
            neurons += phases.size
            fired += int((phases > 0).sum())
            late += int((phases > 1).sum())
            seen["saturates"] += layer.peak >= V_MAX
            seen["spike at last phase"] += bool(p.timesteps > 3 and (phases == p.timesteps).any())
    assert seen.keys() >= EXPECTED, sorted(EXPECTED - seen.keys())
    rare = sorted(name for name in EXPECTED if seen[name] < 2)
    assert not rare, rare
    assert 0.3 < fired / neurons < 0.9
    assert late > 0.25 * fired


@pytest.mark.thorough
def test_everything_about_payload_occurs() -> None:
    seen: Counter[str] = Counter()
    for seed in range(100):
        for p in (n := random_network(seed, payload=70)).hidden:
            codes = {n.by_name[s.pre].code for s in n.synapses_onto(p.name)}  # type: ignore[union-attr]
            wait = "full wait" if p.wait == p.membrane.input_steps else "short wait"
            if p.code.payload_bits:
                seen.update({p.kind, f"{p.code.payload_bits} bits", f"{wait}, signed" if p.signed else wait})
            if len({c.payload_bits for c in codes}) > 1:
                seen["several payloads onto one population"] += 1
        seen["input"] += isinstance(n.input.code, PayloadCode)
        seen["digits"] += isinstance(n.input.code, DigitCode)
    wanted = {"relu", "linear", "max_pool", "average_pool", "relay", "1 bits", "2 bits", "3 bits", "full wait"}
    wanted |= {
        "short wait",
        "full wait, signed",
        "short wait, signed",
        "several payloads onto one population",
        "input",
        "digits",
    }
    assert not {name for name in wanted if seen[name] < 2}


@pytest.mark.thorough
def test_everything_about_dips_occurs() -> None:
    seen: Counter[str] = Counter()
    for seed in range(80):
        network, codes = random_case(seed, payload=seed % 2 * 100, dips=60)
        trace = reference.run(network, codes)
        for p in (p for p in network.hidden if p.far is not None and p.negative is not None):
            v, words = trace.layers[p.name].v, np.asarray(trace.layers[p.name].words)
            assert p.far is not None
            far = p.far.thresholds(np.broadcast_to(p.threshold, p.shape).astype(np.int64))
            seen["payload" if p.code.payload_bits else "phases"] += 1
            seen["full wait" if p.wait == p.membrane.input_steps else "short wait"] += 1
            seen["negative spike"] += bool((words < 0).any())
            seen["silent beyond the last far threshold"] += bool(((words == 0) & (v < -far[-1])).any())
    wanted = {"payload", "phases", "full wait", "short wait", "negative spike", "silent beyond the last far threshold"}
    assert not {name for name in wanted if seen[name] < 2}, seen


@pytest.mark.thorough
def test_everything_about_products_occurs() -> None:
    seen: Counter[str] = Counter()
    for seed in range(24):
        network, codes = random_case(seed, payload=seed % 2 * 70, products=60)
        trace = reference.run(network, codes)
        for p in network.hidden:
            groups = list(network.synapses_onto(p.name))
            if p.product is None:
                seen["read by another"] += any(
                    getattr(network.by_name[s.pre], "kind", "input") == "product" for s in groups
                )
                continue
            layer = trace.layers[p.name]
            assert layer.v is not None
            seen["payload" if p.code.payload_bits else "phases"] += 1
            seen["signed" if p.signed else "unsigned"] += 1
            seen["other input steps"] += len({m.input_steps for m in p.membranes}) > 1
            seen["a factor of one population twice"] += len(groups) > len({(s.pre, s.factor) for s in groups})
            seen["gather"] += any(s.index is not None for s in groups if s.factor)
            seen["short shift" if p.product.shift < 16 else "long shift"] += 1
            seen["saturates"] += bool((np.abs(layer.v) >= V_MAX).any())
            seen["both signs of v"] += bool((layer.v < 0).any() and (layer.v > 0).any())
            seen["several words"] += len(np.unique(np.asarray(layer.words))) > 3
    wanted = {"read by another", "payload", "phases", "signed", "unsigned", "other input steps", "gather", "saturates"}
    wanted |= {"a factor of one population twice", "short shift", "long shift", "both signs of v", "several words"}
    assert not {name for name in wanted if seen[name] < 2}, seen


def test_a_seed_gives_the_same_network_again() -> None:
    first, second = random_case(5), random_case(5)
    assert first.network.populations[1].name == second.network.populations[1].name
    assert np.array_equal(first.codes, second.codes)
    for a, b in zip(first.network.synapses, second.network.synapses, strict=True):
        assert np.array_equal(a.op.weight, b.op.weight) if not isinstance(a.op, Diagonal) else True


@given(networks())
@settings(max_examples=30, deadline=None)
def test_networks_are_verified(network: Network) -> None:
    assert verify(network) is network
    assert all(s.op.weight.dtype == np.int16 for s in network.synapses)


@given(cases(max_images=2))
@settings(max_examples=20, deadline=None)
def test_cases_run(case: Case) -> None:
    trace = reference.run(case.network, case.codes)
    readout = case.network.readout
    shape = readout.shape if readout.order is None else readout.order.shape
    assert trace.output.shape == (len(case.codes), *shape)


def test_options_narrow_the_choice() -> None:
    for seed in range(40):
        network = random_network(
            seed, max_hidden=2, input_ranks=(3,), ops=("conv",), kinds=("relu", "max_pool"), timesteps=(4, 4),
            gathers=False, branches=False, delays=False, full_wait=True, single_spike_input=False,
        )  # fmt: skip
        assert network.timesteps == 4
        assert len(network.hidden) <= 2
        assert {p.kind for p in network.hidden} <= {"relu", "max_pool"}
        assert all(p.wait == p.membrane.input_steps for p in network.hidden if p.kind == "relu")
        assert all(s.index is None and s.axon_delay == 0 for s in network.synapses)
        assert random_codes(network, seed).max() < 2**network.input.timesteps


@pytest.mark.thorough
def test_a_failing_network_shrinks_to_a_small_one() -> None:
    small = networks(max_hidden=2, kinds=("relu", "relay"), branches=False)
    found = find(small, lambda n: any(p.kind == "relay" for p in n.hidden), settings=settings(max_examples=200))
    assert len(found.hidden) == 1
    assert np.prod(found.input.shape) == 1
    assert found.timesteps == 1


@pytest.mark.parametrize("change", [{"no_such_option": 1}])
def test_unknown_options_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="no_such_option"):
        random_network(0, **change)
