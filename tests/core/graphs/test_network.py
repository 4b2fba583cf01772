"""When the populations of a network run: starts, period and latency, counted by hand."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.graphs.network import Membrane
from tests.support.networks import chain, graph


def test_gains_of_the_potential() -> None:
    membrane = Membrane((8192, 4096, 6144), 0, np.zeros((), np.int64), np.ones(()))
    assert membrane.gains.tolist() == [1.0, 2.0, 2.0, 3.0]
    assert (membrane.input_steps, membrane.gain) == (3, 3.0)


def test_starts_follow_the_waits_along_a_chain() -> None:
    """A hop takes one step, and conv1 waits 8 steps before it sends, conv2 4."""
    assert chain().starts == {"input": 0, "conv1": 1, "pool1": 1 + 8 + 1, "conv2": 11, "readout": 11 + 4 + 1}


def test_latency_and_period_of_a_stream() -> None:
    """The readout takes in 4 steps; conv1 has the longest window, 8 steps of wait and 4 phases."""
    network = chain()
    assert (network.latency_steps, network.period_steps) == (16 + 4, 12)
    assert (network.steps(1), network.steps(3)) == (20, 20 + 2 * 12)


def test_starts_count_axon_delays() -> None:
    """start waits 4; deep waits 3 and late 0 with 3 more steps of delay, so that both arrive at sum together."""
    starts = graph().starts
    assert (starts["start"], starts["deep"], starts["late"]) == (1, 6, 9)
    assert starts["sum"] == 6 + 3 + 1 == 9 + 0 + 1


def test_parts_of_a_network() -> None:
    network = chain()
    assert (network.input.name, network.readout.name) == ("input", "readout")
    assert [p.name for p in network.hidden] == ["conv1", "pool1", "conv2"]
    assert [s.pre for s in graph().synapses_onto("sum")] == ["deep", "late"]
    assert network.timesteps == 4
    assert not any(p.signed for p in network.hidden)
