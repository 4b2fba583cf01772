"""Scales seen through a link: λ of the presynaptic channels in the order in which a map reads them (Eq. 2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.lowering.expression import shrink
from loihi_onespike.core.graphs.stage import Link, Stage, StageGraph
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Shape, Sparse
from loihi_onespike.errors import GraphError

Float = NDArray[np.float64]


def gathered_scale(link: Link, scale: Float, pre_shape: Shape) -> Float | None:
    """λ per input of the link's map, in the shape that multiplies its weights.

    Conv (I,), Dense (I,), Diagonal broadcastable to the map's input, Pool (C,), Sparse (1, …). Places where the gather
    reads nothing take any value.

    Returns:
        None when λ differs between places that share a weight.
    """
    full = np.broadcast_to(scale, pre_shape)
    if link.index is not None:
        full = np.append(full.ravel(), np.nan)[link.index]
    match link.op:
        case Diagonal():
            unread = np.isnan(full)
            if unread.any():  # take the channel's own value, so that the result shrinks to one value per channel
                per_channel = np.fmax.reduce(full, axis=tuple(range(1, full.ndim)), keepdims=True)
                full = np.where(unread, np.where(np.isnan(per_channel), 1.0, per_channel), full)
            return shrink(full)
        case Dense():
            axes = tuple(range(full.ndim - 1))
        case Sparse():
            axes = (0,)
        case Conv() | Pool():
            axes = tuple(range(1, full.ndim))
    low, high = np.fmin.reduce(full, axis=axes, keepdims=True), np.fmax.reduce(full, axis=axes, keepdims=True)
    if not np.allclose(np.nan_to_num(low), np.nan_to_num(high), rtol=1e-12, atol=0):
        return None
    # Places that are not read share weights with the others in a sparse map, so they take a λ that occurs there.
    filler = float(np.nanmax(high)) if isinstance(link.op, Sparse) and not np.isnan(high).all() else 1.0
    seen = np.where(np.isnan(high), filler, high)
    return seen if isinstance(link.op, Sparse) else seen.ravel()


def pooled_scale(stage: Stage, scales: Mapping[str, Float], graph: StageGraph) -> Float:
    """λ of a max-pooling population: that of the channels it pools; with several inputs each channel has one."""
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
    return result
