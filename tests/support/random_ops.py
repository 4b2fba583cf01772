"""Random linear maps with even integer weights, and random gathers in front of them."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window, with_weight
from tests.support.choices import Choices

OPS = ("dense", "conv", "diagonal", "pool", "sparse")
GATHERS = ("permute", "slice", "pad", "upsample", "stretch", "flatten", "scatter")
MAX_NEURONS = 128
"""Bound of a gathered shape and of a population, so that the oracle stays quick."""


def even_weights(choices: Choices, shape: Shape) -> NDArray[np.int16]:
    """Even integers up to ±2, ±20 or ±254, some of them zero."""
    largest = choices.pick((10, 1, 127))
    rng = choices.generator()
    weights = 2 * rng.integers(-largest, largest + 1, shape)
    return np.asarray(np.where(rng.random(shape) < 0.1, 0, weights), dtype=np.int16)


def random_window(choices: Choices, spatial: Shape, *, pooling: bool = False) -> Window:
    """A window that fits; padding asymmetric at times, pooling windows overlapping at times."""
    kernel, stride, padding, dilation = [], [], [], []
    uneven = choices.chance(30)
    for size in spatial:
        k = choices.integer(1, min(3, size))
        d = choices.integer(1, 2) if k > 1 and 2 * (k - 1) < size and not pooling else 1
        before = choices.integer(0, min(2, k - 1) if pooling else 2)
        padding.append((before, choices.integer(0, min(2, k - 1) if pooling else 2) if uneven else before))
        kernel.append(k)
        dilation.append(d)
        stride.append(k if pooling and choices.chance(40) else choices.integer(1, 2))
    return Window(tuple(kernel), tuple(stride), tuple(padding), tuple(dilation))


def random_conv(choices: Choices, shape: Shape) -> Conv:
    window = random_window(choices, shape[1:])
    divisors = [g for g in range(1, shape[0] + 1) if shape[0] % g == 0]
    groups = choices.pick((1, *divisors, shape[0]))
    out = groups * choices.integer(1, max(1, 4 // groups))
    return Conv(even_weights(choices, (out, shape[0] // groups, *window.kernel)), window, groups)


def random_pool(choices: Choices, shape: Shape, weight: int) -> Pool:
    return Pool(random_window(choices, shape[1:], pooling=True), np.array(weight, dtype=np.int16))


def random_sparse(choices: Choices, shape: Shape) -> Sparse:
    rows = choices.integer(1, 6)
    density = choices.pick((0.5, 0.0, 1.0, 0.2))
    weights = even_weights(choices, (rows, shape[0]))
    kept = choices.generator().random(weights.shape) < density
    return Sparse(sp.csr_matrix(np.where(kept, weights, 0).astype(np.int16)))


def random_op(choices: Choices, shape: Shape, allowed: tuple[str, ...]) -> LinearMap:
    """Any map that goes over `shape` and gives at most MAX_NEURONS outputs."""
    fitting = [kind for kind in allowed if len(shape) >= 2 or kind not in ("conv", "pool")]
    kind = choices.pick(fitting or ["dense"])
    op: LinearMap
    if kind == "conv":
        op = random_conv(choices, shape)
    elif kind == "pool":
        op = random_pool(choices, shape, 2 * choices.pick((1, 3, -2, 127)))
    elif kind == "diagonal":
        kept = [n if choices.chance(50) else 1 for n in shape]
        op = Diagonal(even_weights(choices, choices.pick(((), tuple(kept), shape))))
    elif kind == "sparse":
        op = random_sparse(choices, shape)
    else:
        op = Dense(even_weights(choices, (choices.integer(1, 5), shape[-1])))
    return op if prod(op.output_shape(shape)) <= MAX_NEURONS else Diagonal(even_weights(choices, ()))


def fresh_weights(choices: Choices, op: LinearMap) -> LinearMap:
    """The same geometry with other weights, for a second group of synapses onto one population."""
    if isinstance(op, Sparse):
        weights = op.weight.copy()
        weights.data = even_weights(choices, weights.data.shape)
        return replace(op, weight=weights)
    return with_weight(op, even_weights(choices, op.weight.shape))


def _places(shape: Shape) -> NDArray[np.int32]:
    return np.arange(prod(shape), dtype=np.int32).reshape(shape)


def random_gather(choices: Choices, shape: Shape) -> NDArray[np.int32]:
    """What `Synapse.index` stands for: permutation, slice, padding, upsampling, flattening, any places."""
    places = _places(shape)
    kind = choices.pick(GATHERS)
    axis = choices.integer(0, len(shape) - 1)
    if kind == "permute":
        return np.ascontiguousarray(places.T)
    if kind == "slice":
        return np.take(places, np.arange(choices.integer(0, shape[axis] - 1), shape[axis], dtype=np.int64), axis)
    if kind == "pad":
        margin = [(0, 0)] * len(shape)
        margin[axis] = (choices.integer(0, 2), choices.integer(0, 2))
        gathered = np.pad(places, margin, constant_values=-1)
    elif kind == "upsample":
        gathered = np.repeat(places, 2, axis)
    elif kind == "stretch":
        wide = [2 * n - 1 if a == axis else n for a, n in enumerate(shape)]
        gathered = np.full(wide, -1, np.int32)
        gathered[tuple(slice(None, None, 2) if a == axis else slice(None) for a in range(len(shape)))] = places
    elif kind == "flatten":
        return places.reshape(-1)
    else:
        gathered = choices.generator().integers(-1, places.size, shape).astype(np.int32)
    return gathered if gathered.size <= MAX_NEURONS else places


def fit_gather(choices: Choices, pre_shape: Shape, shape: Shape) -> NDArray[np.int32] | None:
    """A gather that makes `pre_shape` look like `shape` (None when it does already, most of the time)."""
    if pre_shape == shape and not choices.chance(20):
        return None
    flat = np.full(prod(shape), -1, np.int32)
    count = min(prod(shape), prod(pre_shape))
    flat[:count] = np.arange(count)
    return flat.reshape(shape)


def concat_gathers(first: Shape, second: Shape) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
    """Gathers of two populations into their concatenation along axis 0; each is -1 where the other one stands."""
    if first[1:] != second[1:] or prod(first) + prod(second) > MAX_NEURONS:
        return None
    left = np.concatenate([_places(first), np.full(second, -1, np.int32)])
    right = np.concatenate([np.full(first, -1, np.int32), _places(second)])
    return left, right
