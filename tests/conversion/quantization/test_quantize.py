"""A planned graph of seven neurons as integers: weights, and the spikes that follow by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from loihi_onespike.conversion.quantization import quantize as module
from loihi_onespike.conversion.quantization.integer_run import IntegerRun
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.core.codes import V_MAX, Base, PhaseCode
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Synapse
from loihi_onespike.core.graphs.stage import InputPlan, Link, Stage, StageGraph
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.errors import GraphError, HeadroomError
from loihi_onespike.executors import reference
from tests.support.stage_graphs import CODE, two_layers

X = np.array([[0.5, 0.25], [0.25, 0.5]])


def codes(graph: StageGraph) -> np.ndarray:
    assert graph.input_plan is not None
    return encode_values(graph.input_plan, X)


def test_spikes_and_outputs_by_hand() -> None:
    """λ = 2 and thresholds 3/8, 3/16, 3/32, 3/64 of it.

    First image: z = (0.5, 0.25, 0.25), relative 1/4, 1/8, 1/8, phases 2, 3, 3 with the values 0.5, 0.25, 0.25. Then
    z = (0.5 + 0.5 + 0.5, -0.25 + 0.25), relative 3/4 and 0: phase 1 with the value 1, and no spike.

    Second image: z = (0.25, 0.5, -0.25), phases 3, 2, none. Then z = (0.25 + 1 + 0.5, -0.5): phase 1, and negative
    relative -1/4: phase -2 with the value -0.5.
    """
    graph = two_layers()
    network = quantize(graph, codes(graph))
    trace = reference.run(network, codes(graph))
    hidden, signed = trace.layers["hidden"].words, trace.layers["signed"].words
    assert hidden is not None and hidden.tolist() == [[2, 3, 3], [3, 2, 0]]
    assert signed is not None and signed.tolist() == [[1, 0], [1, -2]]
    np.testing.assert_allclose(trace.output, [[1.0, 0.0], [1.0, -0.5]], atol=1e-4)


@pytest.mark.parametrize(("bits", "largest"), [(8, 254), (4, 14), (2, 2)])
def test_weights_are_symmetric_and_even(bits: int, largest: int) -> None:
    """Rows (1, 0), (0, 1), (1, -1) take the whole range; in (1, 2, 0) a half is rounded to the even neighbour."""
    graph = two_layers()
    hidden, signed, _ = quantize(graph, codes(graph), bits).synapses
    assert (hidden.op.weight * 2 // largest).tolist() == [[2, 0], [0, 2], [2, -2]]
    half = 2 * int(np.rint(largest / 4))
    assert signed.op.weight.tolist() == [[half, largest, 0], [0, -largest, largest]]


def test_waits_codes_and_facts() -> None:
    graph = two_layers()
    seen: list[tuple[str, int, int]] = []
    network = quantize(graph, codes(graph), progress=lambda *step: seen.append(step))
    assert [p.wait for p in network.hidden] == [3, 4]  # full wait: the phases of the input, then those of hidden
    assert [p.code for p in network.hidden] == [CODE, CODE]
    assert [p.signed for p in network.hidden] == [False, True]
    assert seen == [("quantize", n, 3) for n in (1, 2, 3)]
    assert set(network.facts) == {"headroom", "ann_macs"}


def test_macs_of_a_layer_are_those_of_its_synapses() -> None:
    graph = two_layers()
    stages = tuple(
        replace(s, links=tuple(replace(link, macs=6) for link in s.links)) if isinstance(s, Stage) else s
        for s in graph.stages
    )
    network = quantize(replace(graph, stages=stages), codes(graph))
    assert network.facts["ann_macs"] == {"hidden": 6, "signed": 6, "output": 0}


def test_a_shortcut_of_large_weights_keeps_its_exponent() -> None:
    """Its weights are 16 times those beside it in units of λ = 1 of the input and 2 of hidden."""
    network = quantize(mixed_layers(), codes(mixed_layers()))
    assert [s.weight_exp for s in network.synapses_onto("signed")] == [0, 4]


def test_inputs_that_grow_beyond_24_bits() -> None:
    """A spike at the first of twelve phases grows by 4^11, and weights give up three bits at most."""
    graph = two_layers()
    steep = InputPlan(PhaseCode(Base.nearest(4.0), 12), np.ones(()), np.zeros(()))
    changed = replace(graph, input_plan=steep)
    with pytest.raises(HeadroomError, match=r"^hidden: .*limit 24"):
        quantize(changed, encode_values(steep, X))


def test_one_leak_serves_one_code() -> None:
    graph = two_layers()
    other = InputPlan(PhaseCode(Base.nearest(1.5), 4), np.ones(()), np.zeros(()))
    signed = graph.by_name["signed"]
    assert isinstance(signed, Stage)
    mixed = replace(signed, links=(*signed.links, Link("input", Dense(np.eye(2)), None, np.ones(()))))
    stages = tuple(mixed if s is signed else s for s in graph.stages)
    changed = replace(graph, stages=stages, input_plan=other)
    with pytest.raises(GraphError, match=r"^signed: reads \w+ with base [\d.]+ beside base [\d.]+ of \w+; one leak"):
        quantize(changed, encode_values(other, X))


def mixed_layers() -> StageGraph:
    """Two layers, with a shortcut from the input to the second one."""
    graph = two_layers()
    signed = graph.by_name["signed"]
    assert isinstance(signed, Stage)
    mixed = replace(signed, links=(*signed.links, Link("input", Dense(64 * np.eye(2)), None, np.ones(()))))
    return replace(graph, stages=tuple(mixed if s is signed else s for s in graph.stages))


def test_an_exponent_is_reduced_until_v_has_its_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit too many with an exponent above 2 is already too wide."""

    def ranges(graph: object, stage: object, run: object, synapses: Sequence[Synapse], membrane: Membrane) -> object:
        return np.full(membrane.unit.shape, 2.0**23 if max(s.weight_exp for s in synapses) > 2 else 2.0**20)

    monkeypatch.setattr(module, "_ranges", ranges)
    network = quantize(mixed_layers(), codes(mixed_layers()))
    assert [s.weight_exp for s in network.synapses_onto("signed")] == [0, 2]


def test_fraction_bits_are_given_up_while_v_saturates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A potential of V_MAX is one that saturated."""
    traced = IntegerRun.trace

    def trace(run: IntegerRun, population: Population, onto: list[Synapse]) -> LayerTrace:
        found = traced(run, population, onto)
        return replace(found, peak=V_MAX) if population.membrane.input_shift > 3 else found

    monkeypatch.setattr(IntegerRun, "trace", trace)
    network = quantize(two_layers(), codes(two_layers()))
    assert {p.membrane.input_shift for p in network.populations[1:] if not isinstance(p, InputPopulation)} == {3}


def test_a_bias_counts_with_the_gain_that_it_reaches() -> None:
    """A bias of 3 under a gain of 2^3, which the inputs cancel at the end."""
    membrane = Membrane((2 * 4096,) * 3, 0, np.full(2, 3), np.full(2, 0.5))
    stage: Any = SimpleNamespace(name="out", shape=(2,), bias=np.array([1.5, -1.0]))
    run: Any = SimpleNamespace(potentials=lambda readout, synapses: np.array([4.0, 20.0]))
    np.testing.assert_array_equal(module._ranges(two_layers(), stage, run, (), membrane), [24, 20])
