"""Relays are not computed: their phases, v and peaks are those of the oracle all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.core.codes import ThresholdTable
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.core.trace import first_difference
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.fast.relay_layer import RelayLayer
from tests.strategies import random_case, random_codes
from tests.support.networks import graph


@pytest.mark.parametrize("seed", range(5))
def test_a_relay_repeats_its_input(seed: int) -> None:
    network = graph()
    codes = random_codes(network, seed, images=3)
    fast = FastExecutor(network)
    assert isinstance(fast.layers["late"], RelayLayer)
    expected, found = reference.run(network, codes), fast.run(codes)
    assert first_difference(expected, found) is None
    late, other = expected.layers["late"], found.layers["late"]
    assert (late.peak, late.input_peak) == (other.peak, other.input_peak)
    phases = fast.run(codes, potentials=False).layers["late"].words
    assert np.array_equal(phases, expected.layers["start"].words)  # type: ignore[arg-type]


@pytest.mark.parametrize("payload", [pytest.param(0, marks=pytest.mark.thorough), 80])
def test_random_networks_hold_signed_relays_too(payload: int) -> None:
    seen = {False: 0, True: 0}
    for seed in range(120):
        case = random_case(seed, payload=payload, max_hidden=3 if payload else 5, one_sided=0)
        fast = FastExecutor(case.network)
        relays = [layer for layer in fast.layers.values() if isinstance(layer, RelayLayer)]
        if relays:
            assert first_difference(reference.run(*case), fast.run(case.codes)) is None
        for layer in relays:
            seen[layer.population.signed] += not payload or layer.population.code.payload_bits > 0
    assert min(seen.values()) > 0, seen


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": np.array(3, np.int64)},  # one spike of weight 2 does not reach it
        {"threshold": np.array(0, np.int64)},  # silence does
        {"wait": 1},
        {"table": ThresholdTable.from_gains(np.array([1.0, 1.0, 1.0, 1.5]))},
    ],
)
def test_what_only_looks_like_a_relay_is_computed(change: dict[str, object]) -> None:
    network = graph()
    (late,) = (p for p in network.populations if p.name == "late")
    (synapse,) = network.synapses_onto("late")
    start = network.by_name["start"]
    assert isinstance(late, Population) and isinstance(start, Population)
    assert RelayLayer.of(late, [(synapse, start)]) is not None
    assert RelayLayer.of(replace(late, **change), [(synapse, start)]) is None  # type: ignore[arg-type]
