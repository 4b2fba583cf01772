"""Fields of each linear map in a file: how they are written, and how they are read.

A map has one or several layer types. Its fields are those of `layout`; a new map may use any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window, weight_values
from loihi_onespike.core.maps.registry import MapRegistry
from loihi_onespike.errors import GraphError
from netx_export.fields import MAX_NEURONS, Fields
from netx_export.values import Array, FieldMap, integer, integers, tag

FREE_FLATTENED = 2**16
"""Neurons that may be flattened in front of any map."""


class MapFields(NamedTuple):
    """What a map stores.

    Attributes:
        standard: fields that belong to the layer, for the first group of synapses; NetX's own where NetX has the map.
        wiring: further fields beside the name of the group.
    """

    standard: FieldMap
    wiring: FieldMap


ENCODERS: MapRegistry[Callable[[Any, Shape], MapFields]] = MapRegistry("the fields of a NetX file", __name__)
"""encode(op, seen): fields of a map over inputs of shape `seen`."""
Decoder = Callable[[Fields, Fields, Array, str], LinearMap]
"""decode(standard, wiring, weight, type): the map; raises FormatError naming the field that does not fit."""
DECODERS: dict[str, Decoder] = {}
"""Readers by layer type; conv, dense and pool are NetX's types."""


def decoder(*types: str) -> Callable[[Decoder], Decoder]:
    """Decorator that makes a function the reader of layer types.

    Raises:
        ValueError: a type has a reader already.
    """

    def add(function: Decoder) -> Decoder:
        for name in types:
            if name in DECODERS:
                raise ValueError(f"{name}: this layer type has a reader already")
            DECODERS[name] = function
        return function

    return add


def weights(weight: Array) -> Array:
    """Even integer weights as they are stored."""
    return np.ascontiguousarray(weight, dtype="<i2").reshape(np.shape(weight))


def flattened_limit(op: LinearMap) -> int:
    """Most neurons that a gather `flatten` in front of a map stands for: those that its weights justify, and a few.

    A reader builds the index of a flattening, which costs a file nothing; more neurons have a stored index.
    """
    return FREE_FLATTENED + int(weight_values(op).size)


def _lifted_kernel(window: Window) -> Shape:
    """NetX's windows have two spatial axes at least."""
    return (1,) * max(0, 2 - len(window.kernel)) + window.kernel


def _window_fields(window: Window) -> FieldMap:
    lift = max(0, 2 - len(window.kernel))
    fields = {
        "kernelSize": integers((1,) * lift + window.kernel),
        "stride": integers((1,) * lift + window.stride),
        "dilation": integers((1,) * lift + window.dilation),
    }
    if all(before == after for before, after in window.padding):
        fields["padding"] = integers((0,) * lift + tuple(before for before, _ in window.padding))
    return fields


def _padding(window: Window) -> FieldMap:
    return {"padding": np.array(window.padding, dtype="<i8")}


@ENCODERS.register(Conv)
def _encode_conv(op: Conv, seen: Shape) -> MapFields:
    fields = _window_fields(op.window) | {
        "type": tag("conv" if len(op.window.kernel) <= 2 else "convNd"),
        "inChannels": integer(seen[0]),
        "outChannels": integer(op.weight.shape[0]),
        "groups": integer(op.groups),
        "weight": weights(op.weight.reshape(*op.weight.shape[:2], *_lifted_kernel(op.window))),
    }
    return MapFields(fields, _padding(op.window))


@ENCODERS.register(Pool)
def _encode_pool(op: Pool, seen: Shape) -> MapFields:
    weight = weights(np.full((1, 1, *_lifted_kernel(op.window)), op.weight[()]))
    return MapFields(_window_fields(op.window) | {"type": tag("pool"), "weight": weight}, _padding(op.window))


@ENCODERS.register(Dense)
def _encode_dense(op: Dense, seen: Shape) -> MapFields:
    fields = {"type": tag("dense" if len(seen) == 1 else "denseLast"), "weight": weights(op.weight)}
    sizes = {"inFeatures": integer(op.weight.shape[1]), "outFeatures": integer(op.weight.shape[0])}
    return MapFields(fields | sizes, {})


@ENCODERS.register(Diagonal)
def _encode_diagonal(op: Diagonal, seen: Shape) -> MapFields:
    return MapFields({"type": tag("diagonal"), "weight": weights(op.weight)}, {})


@ENCODERS.register(Sparse)
def _encode_sparse(op: Sparse, seen: Shape) -> MapFields:
    matrix = op.weight
    if max(matrix.nnz, *matrix.shape) >= 2**31:
        raise GraphError(f"a sparse map of {matrix.nnz} weights; files hold less than 2^31, split it")
    fields = {"type": tag("sparse"), "weight": weights(matrix.data)}
    sizes = {"inFeatures": integer(matrix.shape[1]), "outFeatures": integer(matrix.shape[0])}
    places = (matrix.indices.astype("<i4", copy=False), matrix.indptr.astype("<i4", copy=False))
    return MapFields(fields | sizes, {"indices": places[0], "indptr": places[1]})


@decoder("conv", "convNd")
def _decode_conv(standard: Fields, wiring: Fields, weight: Array, kind: str) -> Conv:
    window = _checked_window(standard, wiring, weight, kind)
    shape = (*weight.shape[:2], *window.kernel)
    return Conv(weight.reshape(shape), window, standard.integer("groups", 1, weight.shape[0]))


@decoder("pool")
def _decode_pool(standard: Fields, wiring: Fields, weight: Array, kind: str) -> Pool:
    window = _checked_window(standard, wiring, weight, kind)
    if np.any(weight != weight.flat[0]):
        raise standard.fail("weight", "the weights of a pooling window differ")
    return Pool(window, np.array(weight.flat[0], dtype=np.int16))


def _checked_window(standard: Fields, wiring: Fields, weight: Array, kind: str) -> Window:
    window = _window(standard, wiring)
    if weight.ndim != 2 + max(2, len(window.kernel)):
        raise standard.fail("weight", f"{kind} must have {2 + max(2, len(window.kernel))} axes, got {weight.ndim}")
    if weight.shape[-len(window.kernel) :] != window.kernel:
        raise standard.fail("kernelSize", f"must be {weight.shape[2:]}, as the weights have, got {window.kernel}")
    return window


@decoder("dense", "denseLast")
def _decode_dense(standard: Fields, wiring: Fields, weight: Array, kind: str) -> Dense:
    if weight.ndim != 2:
        raise standard.fail("weight", f"must have 2 axes (outputs, inputs), got {weight.ndim}")
    return Dense(weight)


@decoder("diagonal")
def _decode_diagonal(standard: Fields, wiring: Fields, weight: Array, kind: str) -> Diagonal:
    return Diagonal(weight)


def _window(standard: Fields, wiring: Fields) -> Window:
    flat = wiring.integers("padding", 0, MAX_NEURONS)
    stored = wiring.array("padding")
    rank = len(stored)
    if not rank or stored.shape[1] != 2:
        raise wiring.fail("padding", f"must have the shape (spatial axes, 2), got {stored.shape}")
    sizes = []
    for name in ("kernelSize", "stride", "dilation"):
        values = standard.integers(name, 1, MAX_NEURONS, max(2, rank))
        if rank == 1 and values[0] != 1:
            raise standard.fail(name, f"must be (1, …) for one spatial axis, got {values}")
        sizes.append(values[-rank:])
    return Window(sizes[0], sizes[1], tuple(zip(flat[::2], flat[1::2], strict=True)), sizes[2])


@decoder("sparse")
def _decode_sparse(standard: Fields, wiring: Fields, weight: Array, kind: str) -> Sparse:
    indices: NDArray[Any] = wiring.array("indices")
    indptr: NDArray[Any] = wiring.array("indptr")
    if weight.ndim != 1:
        raise standard.fail("weight", f"must have 1 axis (non-zeros), got {weight.ndim}")
    shape = (standard.integer("outFeatures", 1, MAX_NEURONS), standard.integer("inFeatures", 1, MAX_NEURONS))
    if len(indptr) != shape[0] + 1:
        raise wiring.fail("indptr", f"must have {shape[0] + 1} entries, got {len(indptr)}")
    if len(indices) != len(weight):
        raise wiring.fail("indices", f"must have {len(weight)} entries, got {len(indices)}")
    steps = np.diff(indptr.astype(np.int64))
    if int(indptr[0]) != 0 or int(indptr[-1]) != len(weight) or np.any(steps < 0):
        raise wiring.fail("indptr", f"must rise from 0 to {len(weight)}")
    columns = indices.astype(np.int64)
    if len(columns) and (columns.min() < 0 or columns.max() >= shape[1]):
        raise wiring.fail("indices", f"must be in 0..{shape[1] - 1}, got {columns.min()}..{columns.max()}")
    return Sparse(sp.csr_matrix((weight, indices, indptr), shape=shape))
