"""A stage with the real values of its integer weights, in the units of the ANN."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.lowering.link_scales import gathered_scale
from loihi_onespike.conversion.quantization.integer_weights import Rounding, integer_links, nearest
from loihi_onespike.core.graphs.stage import Link, OutputStage, Stage, StageGraph, WeightGrid
from loihi_onespike.core.maps import LinearMap

Float = NDArray[np.float64]
AnyStage = TypeVar("AnyStage", Stage, OutputStage, Stage | OutputStage)


def rounded_stage(stage: AnyStage, graph: StageGraph, weight_bits: int, rounding: Rounding = nearest) -> AnyStage:
    """The stage with rounded weights, and the grid of the rounding.

    When the network is quantized, a layer may lose further bits to fit into the head-room, which is not known here.

    Args:
        stage: stage whose weights are rounded.
        graph: graph with the plans of all stages that this one reads.
        weight_bits: width of a weight, sign included.
        rounding: rounding of the weights.
    """
    scales = [(graph.scale_of(link.pre), graph.by_name[link.pre].shape) for link in stage.links]
    integers, unit = integer_links(stage, scales, weight_bits, np.zeros(()), rounding=rounding)
    links = []
    for link, (scale, shape), (op, exponent) in zip(stage.links, scales, integers, strict=True):
        seen = gathered_scale(link, scale, shape)
        assert seen is not None  # integer_links has refused it
        real = real_link(link.pre, op, link.index, seen, 2.0**exponent * unit, len(stage.shape))
        links.append(replace(real, macs=link.macs))
    return replace(stage, links=tuple(links), grid=WeightGrid(unit, tuple(exponent for _, exponent in integers)))


def real_link(pre: str, op: LinearMap, index: NDArray[np.int32] | None, seen: Float, unit: Float, rank: int) -> Link:
    """Link that computes Σ unit · weight · (value / λ) with integer weights.

    Args:
        pre: name of the presynaptic population.
        op: map with integer weights.
        index: gather in front of it.
        seen: λ of the inputs as `gathered_scale` gives it.
        unit: real value of an integer weight of 1, broadcastable to the post shape.
        rank: number of axes of the post shape.
    """
    factor = op.input_factor(seen, rank)
    values = op.weight_values.astype(np.float64)
    if factor.on_weights is not None:
        values = values / factor.on_weights
    return Link(pre, op.with_weight_values(values), index, unit if factor.behind is None else unit / factor.behind)
