"""λ of the presynaptic channels in the order in which the map of a link reads them (Eq. 2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import Link, Stage, StageGraph
from loihi_onespike.core.maps import Shape
from loihi_onespike.errors import GraphError

Float = NDArray[np.float64]


def gathered_scale(link: Link, scale: Float, pre_shape: Shape) -> Float | None:
    """λ per input of the link's map, in the form of `LinearMap.input_scale`.

    Args:
        link: the map with the gather in front of it.
        scale: λ of the presynaptic population, broadcastable to its shape.
        pre_shape: shape of the presynaptic population.

    Returns:
        λ, or None if it differs between places that share a weight.
    """
    full = np.broadcast_to(scale, pre_shape)
    if link.index is not None:
        full = np.append(full.ravel(), np.nan)[link.index]
    return link.op.input_scale(full)


def pooled_scale(stage: Stage, scales: Mapping[str, Float], graph: StageGraph) -> Float:
    """λ of a max-pooling population per channel, which is λ of the channel that it pools.

    Args:
        stage: the max-pooling stage; several inputs have different channels.
        scales: λ of the stages by name.
        graph: graph that holds them.

    Raises:
        GraphError: λ differs between the places of a channel.
    """
    missing = np.ones(stage.shape[0], bool)
    result = np.zeros((stage.shape[0],) + (1,) * (len(stage.shape) - 1))
    for link in stage.links:
        pre_shape = graph.by_name[link.pre].shape
        seen = gathered_scale(link, scales[link.pre], pre_shape)
        if seen is None:
            raise GraphError(f"{stage.name}: pools places of {link.pre} with different scales")
        present = np.ones(stage.shape[0], bool)
        if link.index is not None:
            present = (link.index >= 0).reshape(stage.shape[0], -1).any(axis=1)
        result[present, ...] = seen.reshape(result.shape)[present]
        missing &= ~present
    # A channel without inputs never spikes and takes any λ, so one that the others have.
    result[missing, ...] = 1.0 if missing.all() else result[~missing].flat[0]
    return result
