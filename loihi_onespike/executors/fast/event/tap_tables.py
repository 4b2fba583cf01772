"""Linear maps as places, taps and rows of weights, the form that the event-driven kernels read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Window


@dataclass(frozen=True, eq=False)
class Taps:
    """A linear map as places, taps and rows of weights.

    y[place p, channel o] = Σ_k Σ_c weights[rows[p, k], c, o] · x[places[p, k], c]

    Attributes:
        places: (output places, taps) input place or -1.
        rows: (output places, taps) row of weights.
        weights: (rows, input channels, output channels per group).
        groups: groups of channels.
        channel_first: channels are the first axis of input and output (maps), not the last.
    """

    places: NDArray[np.int32]
    rows: NDArray[np.int32]
    weights: NDArray[np.int16]
    groups: int
    channel_first: bool


@singledispatch
def taps_of(op: LinearMap, shape: Shape) -> Taps | None:
    """Tables of a map over inputs of `shape`; None where it has no such form or would be too large."""
    return None


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


@taps_of.register
def _(op: Conv, shape: Shape) -> Taps | None:
    places = _window_places(op.window, shape[1:])
    out, per_group = op.weight.shape[:2]
    by_group = op.weight.reshape(op.groups, out // op.groups, per_group, -1)  # (g, o, i, tap)
    weights = by_group.transpose(3, 0, 2, 1).reshape(-1, op.groups * per_group, out // op.groups)
    return Taps(places, _same_rows(places), weights.astype(np.int16), op.groups, True)


@taps_of.register
def _(op: Pool, shape: Shape) -> Taps | None:
    places = _window_places(op.window, shape[1:])
    weights = np.full((1, shape[0], 1), op.weight, np.int16)
    return Taps(places, np.zeros_like(places), weights, shape[0], True)


@taps_of.register
def _(op: Dense, shape: Shape) -> Taps | None:
    places = np.arange(prod(shape[:-1]), dtype=np.int32)[:, None]
    return Taps(places, np.zeros_like(places), op.weight.T[None].astype(np.int16), 1, False)


@taps_of.register
def _(op: Diagonal, shape: Shape) -> Taps | None:
    channels, count = shape[0], prod(shape[1:])
    places = np.arange(count, dtype=np.int32)[:, None]
    aligned = op.weight.reshape((1,) * (len(shape) - op.weight.ndim) + op.weight.shape)
    if prod(aligned.shape[1:]) == 1:
        weights = np.broadcast_to(aligned.reshape(1, -1), (1, channels))
        rows = np.zeros_like(places)
    else:
        weights = np.broadcast_to(aligned, shape).reshape(channels, count).T
        rows = places
    return Taps(places, rows, weights[..., None].astype(np.int16), channels, True)


def last_axis(taps: Taps, op: Diagonal, shape: Shape) -> Taps:
    """A diagonal map beside dense ones: channels are the last axis."""
    weight = np.broadcast_to(op.weight, shape).reshape(-1, shape[-1])
    places = np.arange(len(weight), dtype=np.int32)[:, None]
    return replace(
        taps,
        places=places,
        rows=places,
        weights=weight[..., None].astype(np.int16),
        groups=shape[-1],
        channel_first=False,
    )
