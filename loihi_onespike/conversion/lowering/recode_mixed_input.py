"""Pass stages → stages: a one-spike population for an input that is added to populations of another base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.lowering.expression import shared_axes
from loihi_onespike.core.activations import IDENTITY
from loihi_onespike.core.graphs.stage import AnyStage, InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Diagonal


def reads_beside_others(stage: AnyStage, name: str) -> bool:
    """Whether a sum of a stage reads the stage of that name and others too."""
    return not isinstance(stage, InputStage) and any({k.pre for k in each.links} > {name} for each in stage.sums)


def recode_mixed_input(graph: StageGraph, by_reader: bool = False) -> StageGraph:
    """The graph with a one-spike population behind the input, for stages that read the input and other stages.

    A population has one leak, so all its inputs must have one base, and that of an input in digits is 2 or more.

    Args:
        graph: lowered stages.
        by_reader: a population for every gather of the input instead of one for all of it, for inputs side by side:
            each then has a scale of its own.
    """
    name = graph.input.name
    mixed = [s for s in graph.stages if reads_beside_others(s, name)]
    if not mixed:
        return graph
    recoded: dict[bytes, Stage] = {}

    def again(link: Link) -> Link:
        """The link, which read the input, behind a population."""
        index = link.index if by_reader else None
        key = b"" if index is None else str(index.shape).encode() + index.tobytes()
        if key not in recoded:
            shape = graph.input.shape if index is None else index.shape
            onto = Link(name, Diagonal(np.ones((1,) * len(shape))), index, np.ones(()))
            called = f"{name}.recoded" if not recoded else f"{name}.recoded_{len(recoded) + 1}"
            recoded[key] = Stage(called, shape, "linear", (onto,), np.zeros(()), IDENTITY, shared_axes(shape))
        return replace(link, pre=recoded[key].name, index=None if index is not None else link.index)

    stages: list[InputStage | Stage | OutputStage] = []
    for stage in graph.stages[1:]:
        assert not isinstance(stage, InputStage)
        if stage in mixed:
            stage = replace(stage, links=tuple(again(k) if k.pre == name else k for k in stage.links))
        stages.append(stage)
    names = ", ".join(stage.name for stage in recoded.values())
    note = f"{name}: sent again by {names} with one spike, since it is read beside populations of another base"
    every = (graph.stages[0], *recoded.values(), *stages)
    return verify_stage(replace(graph, stages=every, rewrites=(*graph.rewrites, note)))
