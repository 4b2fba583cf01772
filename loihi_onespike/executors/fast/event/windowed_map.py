"""Linear maps as windows over the places of their input, the form that the event-driven kernel reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Window
from loihi_onespike.core.maps.registry import MapRegistry


@dataclass(frozen=True, eq=False)
class WindowedMap:
    """A linear map as windows over the places of its input.

        y[p, o] = Σ_k Σ_c weights[rows[p, k], c, o] · x[places[p, k], c]

    with output place p, output channel o, tap k of the window and input channel c. Output channels of one group see the
    input channels of this group only.

    Attributes:
        places: (output places, taps) input place under each tap, -1 for none.
        rows: (output places, taps) row of weights of each tap.
        weights: (rows, input channels, output channels per group) int16.
        groups: number of groups of channels.
        channel_first: channels are the first axis of input and output (feature maps), not the last.
    """

    places: NDArray[np.int32]
    rows: NDArray[np.int32]
    weights: NDArray[np.int16]
    groups: int
    channel_first: bool


WINDOWED_MAPS: MapRegistry[Callable[[Any, Shape, bool], WindowedMap]] = MapRegistry(
    "the event-driven kernel", __name__, otherwise="the layer runs as dense maps"
)
"""make(op, shape, features_last): the windowed form of a map over inputs of `shape`; arguments of `windowed_map_of`."""


def windowed_map_of(op: LinearMap, shape: Shape, features_last: bool = False) -> WindowedMap | None:
    """The windowed form of a map; None for a map without an entry in WINDOWED_MAPS.

    Args:
        op: the map.
        shape: shape of its input.
        features_last: another map onto the same population has its channels on the last axis; an elementwise map, which
            works with either order, then takes the same.
    """
    make = WINDOWED_MAPS.find(op)
    return None if make is None else make(op, shape, features_last)


def _window_places(window: Window, spatial: Shape) -> NDArray[np.int32]:
    """(output places, taps) flat input place under each tap, -1 outside."""
    places = np.zeros((1, 1), np.int64)
    inside = np.ones((1, 1), bool)
    for size, out, kernel, stride, (before, _), dilation in zip(
        spatial, window.output(spatial), window.kernel, window.stride, window.padding, window.dilation, strict=True
    ):
        at = np.arange(out)[:, None] * stride - before + np.arange(kernel) * dilation  # (out, kernel)
        rows, columns = places.shape
        places = (places[:, None, :, None] * size + at[None, :, None, :]).reshape(rows * out, columns * kernel)
        fits = (at >= 0) & (at < size)
        inside = (inside[:, None, :, None] & fits[None, :, None, :]).reshape(rows * out, columns * kernel)
    return np.where(inside, places, -1).astype(np.int32)


def _same_rows(places: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.broadcast_to(np.arange(places.shape[1], dtype=np.int32), places.shape)


@WINDOWED_MAPS.register(Conv)
def _conv(op: Conv, shape: Shape, features_last: bool) -> WindowedMap:
    places = _window_places(op.window, shape[1:])
    out, per_group = op.weight.shape[:2]
    by_group = op.weight.reshape(op.groups, out // op.groups, per_group, -1)  # (g, o, i, tap)
    weights = by_group.transpose(3, 0, 2, 1).reshape(-1, op.groups * per_group, out // op.groups)
    return WindowedMap(places, _same_rows(places), weights.astype(np.int16), op.groups, True)


@WINDOWED_MAPS.register(Pool)
def _pool(op: Pool, shape: Shape, features_last: bool) -> WindowedMap:
    places = _window_places(op.window, shape[1:])
    weights = np.full((1, shape[0], 1), op.weight, np.int16)
    return WindowedMap(places, np.zeros_like(places), weights, shape[0], True)


@WINDOWED_MAPS.register(Dense)
def _dense(op: Dense, shape: Shape, features_last: bool) -> WindowedMap:
    places = np.arange(prod(shape[:-1]), dtype=np.int32)[:, None]
    return WindowedMap(places, np.zeros_like(places), op.weight.T[None].astype(np.int16), 1, False)


@WINDOWED_MAPS.register(Diagonal)
def _diagonal(op: Diagonal, shape: Shape, features_last: bool) -> WindowedMap:
    if features_last:
        weight = np.broadcast_to(op.weight, shape).reshape(-1, shape[-1])
        places = np.arange(len(weight), dtype=np.int32)[:, None]
        return WindowedMap(places, places, weight[..., None].astype(np.int16), shape[-1], False)
    channels, count = shape[0], prod(shape[1:])
    places = np.arange(count, dtype=np.int32)[:, None]
    aligned = op.weight.reshape((1,) * (len(shape) - op.weight.ndim) + op.weight.shape)
    if prod(aligned.shape[1:]) == 1:
        weights = np.broadcast_to(aligned.reshape(1, -1), (1, channels))
        rows = np.zeros_like(places)
    else:
        weights = np.broadcast_to(aligned, shape).reshape(channels, count).T
        rows = places
    return WindowedMap(places, rows, weights[..., None].astype(np.int16), channels, True)
