"""Fingerprints do not change between versions, so that folders of earlier runs can be continued."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

import netx_export
from loihi_onespike.core.codes import BINARY, BinaryCode
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.evaluation import fingerprint
from tests.support.networks import sides

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("netx_v1/chain.h5", "2d5b9d230b28e5df81d60cac7f936cdf"),
        ("netx_v1/graph.h5", "e2072c75dc2a9aa7895455e3b2ee94e9"),
        ("netx_v1/nodes.h5", "4065883b6d7473e8ba12f67560014d87"),
        ("netx_v2/levels.h5", "90b7cdc54cf9934022e654ee9f23bb58"),
    ],
)
def test_fingerprint_of_a_network_is_that_of_earlier_versions(file: str, expected: str) -> None:
    """The values were computed with the version that wrote the first folders of `--resume`."""
    assert fingerprint.of_network(netx_export.read(GOLDEN / file)) == expected


def test_binary_code_is_made_of_its_bits_alone() -> None:
    """A pickle of an earlier version holds nothing but the bits."""
    code = BinaryCode(3)
    assert vars(pickle.loads(pickle.dumps(code))) == {"bits": 3}
    assert (code.timesteps, code.gains) == (3, (BINARY.mant,) * 3)


def test_neurons_without_negative_spikes_are_another_network() -> None:
    network = sides()
    alike = tuple(replace(p, one_sided=None) if isinstance(p, Population) else p for p in network.populations)
    assert fingerprint.of_network(network) != fingerprint.of_network(replace(network, populations=alike))
