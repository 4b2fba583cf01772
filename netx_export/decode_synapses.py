"""Synapse groups of a layer, from the fields of a file: which population, which linear map, through which gather."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import MAX_AXON_DELAY, Synapse
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT_EXP
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window
from netx_export.fields import MAX_NEURONS, Fields
from netx_export.layout import GATHERS, LAYER_TYPES


def read_synapses(layer: Fields, shapes: Mapping[str, Shape]) -> list[Synapse]:
    """Synapses onto the population of a layer.

    Args:
        shapes: of the populations of earlier layers, by name.

    Raises FormatError naming the field that does not fit.
    """
    numbers = list(layer.numbers("onespike/synapse"))
    if not numbers and layer.text("type") != "input":
        raise layer.fail("onespike/synapse/0/name", "is missing; every layer but the input has synapses")
    post = layer.text("onespike/name")
    return [_synapse(layer, number, post, shapes) for number in numbers]


def _synapse(layer: Fields, number: int, post: str, shapes: Mapping[str, Shape]) -> Synapse:
    wiring = layer.at(f"onespike/synapse/{number}")
    standard = layer if number == 0 else wiring
    pre = wiring.text("pre")
    if pre not in shapes:
        raise wiring.fail("pre", f"found {pre!r}, which is not the name of an earlier layer's population")
    op = _op(standard, wiring)
    delay = standard.integer("delay", 1, MAX_AXON_DELAY) if standard.has("delay") else 0
    weight_exp = standard.integer("wgtExp", 1, MAX_WEIGHT_EXP) if standard.has("wgtExp") else 0
    return Synapse(wiring.text("name"), pre, post, op, _index(wiring, shapes[pre]), weight_exp, delay)


def _index(wiring: Fields, pre_shape: Shape) -> NDArray[np.int32] | None:
    gather = wiring.choice("gather", GATHERS)
    if gather == "none":
        return None
    if gather == "flatten":
        return np.arange(prod(pre_shape), dtype=np.int32)
    index = wiring.array("index")
    if not index.ndim or not index.size:
        raise wiring.fail("index", f"found shape {index.shape}, at least one place is needed")
    return index  # type: ignore[return-value]


def _op(standard: Fields, wiring: Fields) -> LinearMap:
    kind = standard.choice("type", LAYER_TYPES)
    weight = standard.array("weight")
    if not weight.size and kind != "sparse":
        raise standard.fail("weight", f"found shape {weight.shape}, at least one weight is needed")
    if kind in ("conv", "convNd", "pool"):
        window = _window(standard, wiring)
        if weight.ndim != 2 + max(2, len(window.kernel)):
            raise standard.fail("weight", f"found {weight.ndim} axes, this {kind} has {2 + max(2, len(window.kernel))}")
        if weight.shape[-len(window.kernel) :] != window.kernel:
            raise standard.fail("kernelSize", f"found {window.kernel}, the weights have {weight.shape[2:]}")
        if kind == "pool":
            if np.any(weight != weight.flat[0]):
                raise standard.fail("weight", "the weights of a pooling window differ")
            return Pool(window, np.array(weight.flat[0], dtype=np.int16))
        shape = (*weight.shape[:2], *window.kernel)
        return Conv(weight.reshape(shape), window, standard.integer("groups", 1, weight.shape[0]))
    if kind in ("dense", "denseLast"):
        if weight.ndim != 2:
            raise standard.fail("weight", f"found {weight.ndim} axes, a dense map has 2 (outputs, inputs)")
        return Dense(weight)
    return Diagonal(weight) if kind == "diagonal" else _sparse(standard, wiring)


def _window(standard: Fields, wiring: Fields) -> Window:
    flat = wiring.integers("padding", 0, MAX_NEURONS)
    stored = wiring.array("padding")
    rank = len(stored)
    if not rank or stored.shape[1] != 2:
        raise wiring.fail("padding", f"found shape {stored.shape}, (spatial axes, 2) is needed")
    sizes = []
    for name in ("kernelSize", "stride", "dilation"):
        values = standard.integers(name, 1, MAX_NEURONS, max(2, rank))
        if rank == 1 and values[0] != 1:
            raise standard.fail(name, f"found {values}, a map with one spatial axis has (1, …)")
        sizes.append(values[-rank:])
    return Window(sizes[0], sizes[1], tuple(zip(flat[::2], flat[1::2], strict=True)), sizes[2])


def _sparse(standard: Fields, wiring: Fields) -> Sparse:
    weight, indices, indptr = standard.array("weight"), wiring.array("indices"), wiring.array("indptr")
    if weight.ndim != 1:
        raise standard.fail("weight", f"found {weight.ndim} axes, a sparse map has 1 (its non-zeros)")
    shape = (standard.integer("outFeatures", 1, MAX_NEURONS), standard.integer("inFeatures", 1, MAX_NEURONS))
    if len(indptr) != shape[0] + 1:
        raise wiring.fail("indptr", f"found {len(indptr)} entries, {shape[0] + 1} are needed")
    if len(indices) != len(weight):
        raise wiring.fail("indices", f"found {len(indices)} entries, {len(weight)} are needed")
    steps = np.diff(indptr.astype(np.int64))
    if int(indptr[0]) != 0 or int(indptr[-1]) != len(weight) or np.any(steps < 0):
        raise wiring.fail("indptr", f"must rise from 0 to {len(weight)}")
    columns = indices.astype(np.int64)
    if len(columns) and (columns.min() < 0 or columns.max() >= shape[1]):
        raise wiring.fail("indices", f"found {columns.min()}..{columns.max()}, supported 0..{shape[1] - 1}")
    return Sparse(sp.csr_matrix((weight, indices, indptr), shape=shape))
