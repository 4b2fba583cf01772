"""The paper's plan of every population: λ from activation maxima, one code and one wait (sections II-C and III-B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.lowering.link_scales import gathered_scale, pooled_scale
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.graphs.stage import InputStage, Stage, StageGraph, StagePlan
from loihi_onespike.core.maps import LinearMap

Float = NDArray[np.float64]


def plan_by_maxima(
    graph: StageGraph,
    maxima: Mapping[str, Float],
    code: SingleSpikeCode,
    wait: int | None,
    normalization: str = "channel",
) -> StageGraph:
    """λ of every stage from its activation maxima (Eq. 2), one code and wait for all.

    Args:
        graph: stages to plan.
        maxima: activation maxima by stage.
        code: code of all hidden stages.
        wait: steps before the first decision; None for full wait.
        normalization: "channel", or "layer" for the paper's layer-wise one; vectors without channels always share one.
    """
    plans: dict[str, StagePlan] = {}
    for stage in graph.hidden:
        if stage.kind == "max_pool":
            scale = pooled_scale(stage, {name: p.scale for name, p in plans.items()}, graph)
            plans[stage.name] = StagePlan.of(RELU, plans[stage.links[0].pre].code, scale, 0)
            continue
        everywhere = tuple(range(len(stage.shape)))
        one_for_all = normalization == "layer" or not stage.activation.homogeneous
        scale = channel_scale(maxima[stage.name], everywhere if one_for_all else stage.axes_shared)
        if not _readable(graph, stage, scale):
            scale = channel_scale(maxima[stage.name], everywhere)
        plans[stage.name] = StagePlan.of(stage.activation, code, scale, wait)
    return replace(graph, plans=plans)


def channel_scale(maxima: Float, shared: tuple[int, ...]) -> Float:
    """Maximum over the shared axes, kept as length 1.

    A channel that calibration never activated takes the median of the others: its range is unknown, and a typical one
    neither floods the network with spikes nor hides it.
    """
    scale = maxima.max(axis=shared, keepdims=True)
    alive = scale > 0
    typical = float(np.median(scale[alive])) if alive.any() else 1.0
    return np.where(alive, scale, typical)


def _readable(graph: StageGraph, stage: Stage, scale: Float) -> bool:
    """Every reader finds one scale wherever it shares weights.

    An aggregation shares its weights between all features and lets their λ pass, so populations that it adds up need
    one λ each: the ratio of their λ must be that of the integer weights.
    """
    return all(
        (seen := gathered_scale(link, scale, stage.shape)) is not None
        and (len(reader.links) == 1 or scale.size == 1 or not _passes(link.op, seen, len(reader.shape)))
        for reader in graph.stages
        if not isinstance(reader, InputStage)
        for link in reader.links
        if link.pre == stage.name
    )


def _passes(op: LinearMap, seen: Float, rank: int) -> bool:
    """λ of the inputs passes through the map while its weights stay the same beside others."""
    return op.input_factor(seen, rank).behind is not None and not op.single_weight
