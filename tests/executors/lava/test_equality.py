"""Lava's fixed point against the oracle: spike phases, v and largest values of every layer, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Trace, first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors.lava import run
from tests.strategies import random_case
from tests.support.lava_networks import chain, codes, everything, graded, sides
from tests.support.lava_processes import Watch, forked, needs_lava
from tests.support.networks import products

pytestmark = needs_lava


def assert_equal(expected: Trace, found: Trace) -> None:
    assert first_difference(expected, found) is None
    assert np.array_equal(expected.output, found.output)
    for name, layer in expected.layers.items():
        assert (layer.peak, layer.input_peak) == (found.layers[name].peak, found.layers[name].input_peak), name


def fires(network: Network, trace: Trace) -> bool:
    """Every hidden layer has neurons that spike and neurons that stay silent, at several phases."""
    phases = [trace.layers[p.name].words for p in network.hidden]
    return all(p is not None and len(np.unique(p)) > 2 for p in phases)


@forked
@pytest.mark.parametrize("wait", [0, 3, 6])
def test_chain_of_convolutions_and_pools(wait: int) -> None:
    network = chain(wait)
    x = codes(network, 8)
    expected = reference.run(network, x)
    assert fires(network, expected)
    assert_equal(expected, run(network, x, timeout_s=60))


def test_a_worker_of_its_own_tells_its_progress_and_leaves_nothing() -> None:
    network = chain(1)
    x = codes(network, 8)
    watch = Watch()
    assert_equal(reference.run(network, x), run(network, x, progress=watch, timeout_s=60))
    assert watch.nothing_left()
    assert watch.calls[0][0] == 0 and watch.calls[-1] == (watch.calls[-1][1],) * 2
    assert [done for done, _ in watch.calls] == sorted(done for done, _ in watch.calls)


@forked
@pytest.mark.parametrize("wait", [1, 5])
def test_every_feature_of_the_ir(wait: int) -> None:
    network = everything(wait)
    x = codes(network, 4)
    expected = reference.run(network, x)
    assert fires(network, expected)
    assert expected.layers["wide"].peak == 2**23, "v saturates in this network"
    assert (np.asarray(expected.layers["signed"].words) < 0).any()
    assert_equal(expected, run(network, x, timeout_s=60))


@forked
@pytest.mark.parametrize("wait", [0, 1, 3])
def test_payload(wait: int) -> None:
    network = graded(wait)
    x = codes(network, 5)
    expected = reference.run(network, x)
    for p in network.hidden:
        words = np.abs(np.asarray(expected.layers[p.name].words))
        assert len(np.unique(words)) > 6, f"{p.name} sends several messages at several phases"
    assert_equal(expected, run(network, x, timeout_s=60))


@forked
@pytest.mark.parametrize("options", [{}, {"processes": "whole"}, {"synapses": "stock"}], ids=str)
def test_products(options: dict[str, Any]) -> None:
    network = products()
    x = codes(network, 5)
    expected = reference.run(network, x)
    assert fires(network, expected)
    assert_equal(expected, run(network, x, timeout_s=60, **options))


@forked
@pytest.mark.parametrize("options", [{}, {"processes": "whole"}, {"synapses": "stock"}], ids=str)
@pytest.mark.parametrize("wait", [0, 3])
def test_one_sided_neurons(wait: int, options: dict[str, Any]) -> None:
    network = sides(wait)
    x = codes(network, 10)
    expected = reference.run(network, x)
    words = np.asarray(expected.layers["pairs"].words)
    assert fires(network, expected) and words[:, 0].min() == 0 and words[:, 1].min() < 0
    assert_equal(expected, run(network, x, timeout_s=60, **options))


@forked
@pytest.mark.parametrize("network", [chain(2), everything(2), graded(2)], ids=["chain", "everything", "graded"])
def test_one_image_at_a_time(network: Network) -> None:
    x = codes(network, 3)
    assert_equal(reference.run(network, x), run(network, x, stream=False, timeout_s=60))


@forked
@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(n, marks=pytest.mark.thorough) for n in range(6, 10))])
def test_random_networks(seed: int) -> None:
    network, x = random_case(seed)
    assert_equal(reference.run(network, x), run(network, x, timeout_s=60))


@forked
@pytest.mark.parametrize("seed", [60, 61, 63])
def test_random_networks_with_products(seed: int) -> None:
    network, x = random_case(seed, payload=seed % 2 * 80, products=60)
    assert any(p.product is not None for p in network.hidden)
    assert_equal(reference.run(network, x), run(network, x, timeout_s=60))


@forked
@pytest.mark.parametrize("seed", [30, 31, 32, *(pytest.param(n, marks=pytest.mark.thorough) for n in (33, 34))])
def test_random_networks_with_payload_and_dips(seed: int) -> None:
    network, x = random_case(seed, payload=100, dips=60)
    assert_equal(reference.run(network, x), run(network, x, timeout_s=60))


def test_torch_stays_out_of_the_worker() -> None:
    def look(pid: int) -> None:
        with open(f"/proc/{pid}/maps") as maps:
            assert "libtorch" not in maps.read()

    network = chain(1)
    run(network, codes(network, 1), progress=Watch(look), timeout_s=60)
