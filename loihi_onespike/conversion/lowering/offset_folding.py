"""Folding of offsets, the values of no spike, into the biases of the layers that read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph
from loihi_onespike.executors.tensors.tensor_maps import tensor_map

AnyStage = TypeVar("AnyStage", Stage, OutputStage, Stage | OutputStage)


def fold_offsets(stage: AnyStage, offsets: Mapping[str, NDArray[np.float64]], graph: StageGraph) -> AnyStage:
    """The stage with bias + Σ_links scale · op(gather(offset of pre)) as its bias; in a product that of every factor.

    Padded places have the value 0 and not the offset, so with zero padding the new bias has a value per neuron.

    Args:
        stage: stage whose bias takes the offsets.
        graph: graph that holds the stages.
        offsets: offset by name of the stage, broadcastable to its shape; stages without an entry have none.
    """
    if isinstance(stage, Stage) and stage.is_product:
        first, second = (fold_offsets(each, offsets, graph).bias for each in stage.sums)
        return replace(stage, factor_biases=(first, second))
    for link in stage.links:
        offset = offsets.get(link.pre)
        if offset is None or not np.any(offset):
            continue
        full = torch.from_numpy(np.broadcast_to(offset, graph.by_name[link.pre].shape).copy())[None]
        shift = tensor_map(link.op, link.index, torch.float64)(full)[0].numpy() * link.scale
        stage = replace(stage, bias=stage.bias + shift)
    return stage
