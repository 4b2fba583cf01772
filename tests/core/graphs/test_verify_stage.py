"""Each rule of a stage graph, broken once: the error names the stage or the link, what was found and the limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loihi_onespike.core.activations import Silu
from loihi_onespike.core.graphs.stage import InputStage, StageGraph, WeightGrid
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import GraphError
from tests.support.stage_graphs import two_layers

Change = Callable[[StageGraph], StageGraph]


def stage(name: str, /, **changes: Any) -> Change:
    def change(graph: StageGraph) -> StageGraph:
        stages = tuple(replace(s, **changes) if s.name == name else s for s in graph.stages)
        return replace(graph, stages=stages)

    return change


def link(name: str, /, **changes: Any) -> Change:
    def change(graph: StageGraph) -> StageGraph:
        links = graph.by_name[name].links  # type: ignore[union-attr]
        return stage(name, links=(replace(links[0], **changes),))(graph)

    return change


def plan(name: str, /, **changes: Any) -> Change:
    def change(graph: StageGraph) -> StageGraph:
        return replace(graph, plans={**graph.plans, name: replace(graph.plans[name], **changes)})

    return change


def input_plan(**changes: Any) -> Change:
    def change(graph: StageGraph) -> StageGraph:
        assert graph.input_plan is not None
        return replace(graph, input_plan=replace(graph.input_plan, **changes))

    return change


def stages(*order: int) -> Change:
    return lambda graph: replace(graph, stages=tuple(graph.stages[i] for i in order))


def without_plan(graph: StageGraph) -> StageGraph:
    return replace(graph, plans={"hidden": graph.plans["hidden"]})


def plan_of_a_stranger(graph: StageGraph) -> StageGraph:
    return replace(graph, plans={**graph.plans, "stranger": graph.plans["hidden"]})


def two_inputs(graph: StageGraph) -> StageGraph:
    return replace(graph, stages=(graph.stages[0], InputStage("again", (2,)), *graph.stages[1:]))


RULES: list[tuple[Change, str]] = [
    (stage("signed", name="hidden"), "two_layers: names of stages must be unique, got hidden more than once"),
    (two_inputs, "two_layers: must have one input, in the first place, got 2"),
    (stages(1, 0, 2, 3), "two_layers: must have one input, in the first place, got 1"),
    (stages(0, 1, 3, 2), "two_layers: must have at least one output, and its outputs in the last places, got 1"),
    (stages(0, 2, 1, 3), "hidden → signed: must read a stage with spikes in front of signed, got hidden"),
    (link("hidden", index=np.array([0, 2], np.int32)), r"input → hidden: index must lie in \[-1, 1\], got 0 to 2"),
    (link("hidden", index=np.array([-2, 0], np.int32)), r"input → hidden: index must lie in \[-1, 1\], got -2 to 0"),
    (link("signed", op=Dense(np.ones((4, 3)))), r"hidden → signed: must give shape \(2,\), got \(4,\)"),
    (link("signed", scale=np.ones(3)), r"hidden → signed: scale must broadcast to \(2,\), got shape \(3,\)"),
    (link("signed", scale=np.full(2, np.nan)), "hidden → signed: scale must be finite, got NaN or infinity"),
    (stage("hidden", links=()), "hidden: must read at least one stage, got no link"),
    (stage("hidden", bias=np.zeros(2)), r"hidden: bias must broadcast to \(3,\), got shape \(2,\)"),
    (
        stage("hidden", grid=WeightGrid(np.ones(()), (0, 1))),
        "hidden: grid must have an exponent for each of 1 links, got 2",
    ),
    (stage("hidden", grid=WeightGrid(np.zeros(()), (0,))), "hidden: unit of the grid must be positive, got 0"),
    (stage("hidden", axes_shared=(1,)), r"hidden: axes_shared must be axes of the shape \(3,\), got \(1,\)"),
    (stage("output", order=np.array([2], np.int32)), r"output: order must lie in \[-1, 1\], got 0 to 2"),
    (input_plan(scale=np.array([1.0, 0.0])), "input: scale must be positive, got 0"),
    (input_plan(offset=np.zeros(3)), r"input: offset must broadcast to \(2,\), got shape \(3,\)"),
    (plan_of_a_stranger, "two_layers: plans must be of hidden stages, got stranger"),
    (without_plan, "signed: must have a plan as the other stages do, got none"),
    (plan("hidden", scale=np.full(1, -1.0)), "hidden: scale must be positive, got -1"),
    (plan("hidden", threshold=np.ones(2)), r"hidden: threshold must broadcast to \(3,\), got shape \(2,\)"),
    (plan("hidden", offset=np.full(1, np.inf)), "hidden: offset must be finite, got NaN or infinity"),
    (plan("hidden", wait=-1), "hidden: wait must be None or 0 and more, got -1"),
    (plan("signed", negative=None), "signed: must have a table of negative spikes for identity, got none"),
    (plan("hidden", far=np.ones(4)), "hidden: must have a table of negative spikes beside the far table, got none"),
    (
        plan("signed", far=np.array([1.0, 2.0, 1.5, 3.0])),
        "signed: minus the far table must not increase, got -2 at phase 2 and -1.5 behind it",
    ),
    (
        plan("hidden", one_sided=np.array([True, False, True])),
        "hidden: one_sided must be None in a stage without negative spikes, got 2 one-sided entries",
    ),
    (
        plan("signed", far=np.full(4, 9.0), one_sided=np.ones(1, bool)),
        "signed: one_sided must be None in a stage with a dip or of products, got 1 one-sided entries",
    ),
    (
        plan("signed", one_sided=np.ones(3, bool)),
        r"signed: one_sided must be bool and broadcast to \(2,\), got bool of shape \(3,\)",
    ),
    (
        plan("signed", negative=np.array([3.0, 2.0, 1.0, -1.0]), one_sided=np.ones(2, bool)),
        "signed: thresholds must not be negative where neurons are one-sided, got -1",
    ),
    (stage("signed", activation=Silu()), "signed: must have a far table of negative spikes for silu, got none"),
    (plan("hidden", table=np.ones(3)), "hidden: table must have 4 entries, one per phase, got 3"),
    (plan("hidden", table=np.array([1, 0.5, np.nan, 0.1])), "hidden: table must hold numbers, got NaN"),
    (
        plan("hidden", table=np.array([1.0, 0.25, 0.5, 0.1])),
        "hidden: table must not increase, got 0.25 at phase 2 and 0.5 behind it",
    ),
    (
        plan("signed", negative=np.array([0.1, np.inf, np.inf, np.inf])),
        "signed: table of negative spikes must not increase, got 0.1 at phase 1",
    ),
]


@pytest.mark.parametrize(("change", "message"), RULES, ids=[message for _, message in RULES])
def test_a_broken_rule_is_told(change: Change, message: str) -> None:
    with pytest.raises(GraphError, match=f"^{message}"):
        verify_stage(change(two_layers()))


def test_whole_graphs_pass_and_come_back() -> None:
    graph = two_layers()
    assert verify_stage(graph) is graph
    bare = replace(graph, plans={}, input_plan=None)
    assert verify_stage(bare) is bare


def test_thresholds_of_a_short_wait_may_rise() -> None:
    graph = plan("hidden", wait=1, table=np.array([1.0, 0.25, 0.5, 0.1]))(two_layers())
    assert verify_stage(graph) is graph
