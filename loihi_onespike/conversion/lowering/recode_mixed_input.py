"""Pass stages → stages: a one-spike population for an input that is added to populations of another base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.core.activations import IDENTITY
from loihi_onespike.core.graphs.stage import AnyStage, InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Diagonal


def reads_beside_others(stage: AnyStage, name: str) -> bool:
    """Whether a sum of a stage reads the stage of that name and others too."""
    return not isinstance(stage, InputStage) and any({k.pre for k in each.links} > {name} for each in stage.sums)


def recode_mixed_input(graph: StageGraph) -> StageGraph:
    """The graph with a one-spike population behind the input, for stages that read the input and other stages.

    A population has one leak, so all its inputs must have one base, and that of an input in digits is 2 or more.
    """
    name = graph.input.name
    mixed = [s for s in graph.stages[1:] if reads_beside_others(s, name)]
    if not mixed:
        return graph
    shape = graph.input.shape
    link = Link(name, Diagonal(np.ones((1,) * len(shape))), None, np.ones(()))
    shared = (0,) if len(shape) == 1 else tuple(range(1, len(shape)))
    recoded = Stage(f"{name}.recoded", shape, "linear", (link,), np.zeros(()), IDENTITY, shared)
    stages: list[InputStage | Stage | OutputStage] = [graph.stages[0], recoded]
    for stage in graph.stages[1:]:
        assert not isinstance(stage, InputStage)
        if stage in mixed:
            links = tuple(replace(k, pre=recoded.name) if k.pre == name else k for k in stage.links)
            stage = replace(stage, links=links)
        stages.append(stage)
    note = f"{name}: sent again by {recoded.name} with one spike, since it is read beside populations of another base"
    return verify_stage(replace(graph, stages=tuple(stages), rewrites=(*graph.rewrites, note)))
