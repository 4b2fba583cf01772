"""The plan of the paper: λ from activation maxima, one code and one wait for all (sections II-C and III-B)."""

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
        maxima: largest |activation| of every neuron by stage.
        code: code of all hidden stages.
        wait: steps before the first decision; None for full wait.
        normalization: "channel" for one λ per channel, "layer" for one per layer; a vector always has one.
    """
    plans: dict[str, StagePlan] = {}
    for stage in graph.hidden:
        if stage.kind == "max_pool":
            scale = pooled_scale(stage, {name: p.scale for name, p in plans.items()}, graph)
            plans[stage.name] = StagePlan.of(RELU, plans[stage.links[0].pre].code, scale, 0)
            continue
        everywhere = tuple(range(len(stage.shape)))
        one_for_all = normalization == "layer" or stage.activation.degree is None
        scale = channel_scale(maxima[stage.name], everywhere if one_for_all else stage.axes_shared)
        if not _readable(graph, stage, scale):
            scale = channel_scale(maxima[stage.name], everywhere)
        plans[stage.name] = StagePlan.of(stage.activation, code, scale, wait)
    return replace(graph, plans=plans)


def channel_scale(maxima: Float, shared: tuple[int, ...]) -> Float:
    """Maximum over the shared axes, which keep length 1.

    A channel that was never active on the calibration data has no known range. It takes the median of the others, with
    which it sends neither many spikes for small values nor none for large ones.
    """
    scale = maxima.max(axis=shared, keepdims=True)
    alive = scale > 0
    typical = float(np.median(scale[alive])) if alive.any() else 1.0
    return np.where(alive, scale, typical)


def _readable(graph: StageGraph, stage: Stage, scale: Float) -> bool:
    """Whether the scales can be multiplied into the weights of every stage that reads this one.

    Weights that are shared between inputs need one scale for these. An aggregation shares its weights between all
    features, and λ of the features may differ, since it passes through to the output. Where a stage adds up several
    populations, however, each needs one λ: the ratio of their λ must be a ratio of integer weights.
    """
    return all(
        (seen := gathered_scale(link, scale, stage.shape)) is not None
        and (len(each.links) == 1 or scale.size == 1 or not _passes(link.op, seen, len(reader.shape)))
        for reader in graph.stages
        if not isinstance(reader, InputStage)
        for each in reader.sums
        for link in each.links
        if link.pre == stage.name
    )


def _passes(op: LinearMap, seen: Float, rank: int) -> bool:
    """Whether λ of the inputs passes through the map to its output, with weights that stay as they are."""
    return op.input_factor(seen, rank).behind is not None and not op.single_weight
