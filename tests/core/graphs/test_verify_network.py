"""Each rule of an integer network, broken once: the error names the object, what was found and the limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.codes import ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Diagonal, with_weight
from loihi_onespike.errors import GraphError
from tests.support.networks import dips, graph

Change = Callable[[Network], Network]


def population(name: str, /, **changes: Any) -> Change:
    def change(network: Network) -> Network:
        changed = tuple(replace(p, **changes) if p.name == name else p for p in network.populations)
        return replace(network, populations=changed)

    return change


def membrane(name: str, /, **changes: Any) -> Change:
    def change(network: Network) -> Network:
        m = replace(network.by_name[name].membrane, **changes)  # type: ignore[union-attr]
        return population(name, membrane=m)(network)

    return change


def synapse(i: int, /, **changes: Any) -> Change:
    def change(network: Network) -> Network:
        changed = tuple(replace(s, **changes) if k == i else s for k, s in enumerate(network.synapses))
        return replace(network, synapses=changed)

    return change


def odd_weights(network: Network) -> Network:
    first = network.synapses[0]
    return synapse(0, op=with_weight(first.op, first.op.weight + 1))(network)


def wide_weights(network: Network) -> Network:
    first = network.synapses[0]
    return synapse(0, op=with_weight(first.op, np.full_like(first.op.weight, 256)))(network)


def float_weights(network: Network) -> Network:
    first = network.synapses[0]
    return synapse(0, op=with_weight(first.op, first.op.weight.astype(float)))(network)


def cases() -> list[tuple[str, Change, str]]:
    base = graph()
    hidden = base.hidden[0].name
    source, readout = base.input.name, base.readout.name
    table = base.hidden[0].table
    shortcut = next(i for i, s in enumerate(base.synapses) if s.axon_delay)
    return [
        ("odd", odd_weights, "even integers in -254..254"),
        ("wide", wide_weights, "even integers in -254..254"),
        ("float", float_weights, "weights must be integers, got float64"),
        ("exponent", synapse(0, weight_exp=8), "weight_exp must be in 0..7, got 8"),
        ("delay", synapse(0, axon_delay=63), "axon_delay must be in 0..62 steps, got 63"),
        ("unaligned", synapse(shortcut, axon_delay=base.synapses[shortcut].axon_delay + 1), "phases do not line up"),
        ("nowhere", synapse(0, pre="nobody"), "does not exist"),
        ("backwards", synapse(0, pre=readout), "runs backwards"),
        ("index", synapse(0, index=np.full(base.input.shape, 10**6, np.int32)), "index reaches outside"),
        ("shape", population(hidden, shape=(1,)), "gives shape|broadcast"),
        ("bias", membrane(hidden, bias=np.array(2**23)), "bias must be in .*24 bits"),
        ("bias shape", membrane(hidden, bias=np.zeros(17, np.int64)), "bias must broadcast to .* got shape"),
        ("bias type", membrane(hidden, bias=np.array(0.5)), "bias must be integers, got float64"),
        ("leak", membrane(hidden, leak=(4095,) * 4), "leak must be in .* got 4095"),
        ("shift", membrane(hidden, input_shift=17), "input_shift must be in .* got 17"),
        ("steps", membrane(hidden, leak=(8192,)), "input_steps must be .* got 1|wait"),
        ("unit", membrane(hidden, unit=np.array(0.0)), "unit must be positive"),
        ("wait", population(hidden, wait=99), "wait must be in .* got 99|do not line up"),
        ("threshold", population(hidden, threshold=np.array(2**23)), "threshold must be in .*24 bits"),
        (
            "table",
            population(hidden, table=replace(table, mant=(1,), shift=(0,))),
            "threshold table of 1",
        ),
        ("far alone", population(hidden, far=table), "far thresholds are of negative spikes, got no table"),
        ("short far", population(hidden, negative=table, far=ThresholdTable.constant(1)), "threshold table of 1"),
        (
            "one-sided alone",
            population(hidden, one_sided=np.ones(1, bool)),
            "one_sided must be None .* got 1 one-sided",
        ),
        ("numbers of sides", population(hidden, negative=table, one_sided=np.ones(1)), "must be bool .* got float64"),
        (
            "shape of sides",
            population(hidden, negative=table, one_sided=np.ones(17, bool)),
            r"must be bool and broadcast to .* got bool of shape \(17,\)",
        ),
        (
            "one-sided below 0",
            population(hidden, negative=replace(table, mant=(-1, *table.mant[1:])), one_sided=np.ones(1, bool)),
            "tables not negative where neurons are one-sided, got a threshold of .* and a table entry of -1",
        ),
        ("scale", population(hidden, scale=np.array(-1.0)), "scale must be positive"),
        ("input scale", population(source, scale=np.array(0.0)), "scale must be positive"),
        ("input offset", population(source, offset=np.array(np.nan)), "offset must be finite"),
        ("read order", population(readout, order=np.array([10**6], np.int32)), "order reaches outside"),
        ("names", population(hidden, name=source), "used twice"),
        ("synapse names", synapse(0, name=base.synapses[1].name), "used twice"),
        ("no synapse", lambda n: replace(n, synapses=n.synapses[1:]), "no synapse onto it|do not line up|input_steps"),
        (
            "two inputs",
            lambda n: replace(n, populations=(replace(n.input, name="second"), *n.populations)),
            "exactly one",
        ),
        ("order", lambda n: replace(n, populations=n.populations[::-1]), "must be the first|runs backwards"),
    ]


@pytest.mark.parametrize(("name", "change", "message"), cases(), ids=[c[0] for c in cases()])
def test_a_broken_rule_is_found(name: str, change: Change, message: str) -> None:
    network = graph()
    assert verify(network) is network
    with pytest.raises(GraphError, match=message):
        verify(change(network))


def test_far_thresholds_must_not_decrease_within_a_phase() -> None:
    network = dips()
    last = network.hidden[1]
    assert last.far is not None
    far = replace(last.far, mant=(last.far.mant[0], 0, *last.far.mant[2:]))
    with pytest.raises(GraphError, match="hardswish: far thresholds must not decrease from message to message"):
        verify(population("hardswish", far=far)(network))


def test_types_of_the_fixture() -> None:
    network = graph()
    assert isinstance(network.populations[0], InputPopulation) and isinstance(network.populations[-1], Readout)
    assert all(isinstance(p, Population) for p in network.hidden)


def test_a_diagonal_that_does_not_fit_is_a_graph_error() -> None:
    with pytest.raises(GraphError, match="diagonal weight"):
        Diagonal(np.zeros((3, 1))).output_shape((2, 2))
