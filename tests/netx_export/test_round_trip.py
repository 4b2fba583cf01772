"""Write → read → write: the network is the same field by field, and the file byte by byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import GraphError
from netx_export import read, write
from netx_export.encode import encode
from tests.strategies import networks, random_network
from tests.support.equal import assert_same


def _round_trip(network: Network, folder: Path) -> None:
    write(network, folder / "first.net")
    again = read(folder / "first.net")
    assert_same(again, network)
    write(again, folder / "second.net")
    assert (folder / "first.net").read_bytes() == (folder / "second.net").read_bytes()


@given(networks())
@settings(max_examples=40, deadline=None)
@pytest.mark.thorough
def test_any_network(network: Network) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _round_trip(network, Path(folder))


@given(networks(payload=70, dips=50, products=40))
@settings(max_examples=25, deadline=None)
@pytest.mark.thorough
def test_any_network_with_payload_dips_and_products(network: Network) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _round_trip(network, Path(folder))


# Every second pair, so that the fast tests have every combination of payload and products.
@pytest.mark.parametrize(
    "seed", [pytest.param(5 * n, marks=pytest.mark.thorough if n % 4 in (1, 2) else []) for n in range(40)]
)
def test_seeded_networks(seed: int, tmp_path: Path) -> None:
    _round_trip(random_network(seed, payload=seed % 2 * 100, products=seed % 3 * 30), tmp_path)


def test_facts_keep_what_json_can_say(tmp_path: Path) -> None:
    plain = random_network(1)
    facts = {"λ": [1, 2.5, None, True], "nested": {"a": "b"}, "numpy": np.float64(0.5), "array": np.arange(3)}
    write(Network(plain.name, plain.populations, plain.synapses, facts), tmp_path / "a.net")
    found = read(tmp_path / "a.net").facts
    assert found == {"λ": [1, 2.5, None, True], "nested": {"a": "b"}, "numpy": 0.5, "array": [0, 1, 2]}


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_facts_that_are_no_json_are_refused(value: object, tmp_path: Path) -> None:
    plain = random_network(1)
    with pytest.raises(GraphError, match="facts"):
        write(Network(plain.name, plain.populations, plain.synapses, {"value": value}), tmp_path / "a.net")
    assert not list(tmp_path.iterdir())


def test_names_with_a_zero_byte_or_used_twice_are_refused() -> None:
    plain = random_network(1)
    with pytest.raises(GraphError, match="zero byte"):
        encode(Network("a\0b", plain.populations, plain.synapses))
    with pytest.raises(GraphError, match="used twice"):
        encode(Network("twice", plain.populations, (*plain.synapses, plain.synapses[0])))
