"""Explicit synapses of a linear map: the matrix from presynaptic to postsynaptic neurons.

Built straight from the definition of each map, tap by tap, and used wherever an independent or exact list of synapses
is wanted: the reference executor, counts of synaptic operations, checks of faster kernels.
"""

from __future__ import annotations

import itertools
from functools import singledispatch
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window


def synapse_matrix(op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None) -> sp.csr_matrix:
    """(post neurons, pre neurons) in CSR; row p holds the weights onto post neuron p.

    Args:
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map, see `Synapse.index`.
    """
    seen = pre_shape if index is None else index.shape
    matrix = _matrix(op, seen)
    if index is None:
        return matrix
    flat = index.ravel()
    places = np.flatnonzero(flat >= 0)
    ones = np.ones(len(places), dtype=matrix.dtype)
    gather = sp.csr_matrix((ones, (places, flat[places])), shape=(len(flat), prod(pre_shape)))
    return (matrix @ gather).tocsr()


def _assemble(
    values: list[np.ndarray], rows: list[np.ndarray], columns: list[np.ndarray], shape: Shape
) -> sp.csr_matrix:
    flat = [np.concatenate([part.ravel() for part in parts]) for parts in (values, rows, columns)]
    return sp.csr_matrix((flat[0], (flat[1], flat[2])), shape=shape)


def _taps(window: Window, spatial: Shape) -> list[tuple[Shape, np.ndarray, np.ndarray]]:
    """For each kernel tap: its position, and the flat output and input places that it joins."""
    out = window.output(spatial)
    taps = []
    for tap in itertools.product(*(range(k) for k in window.kernel)):
        out_places, in_places = np.zeros((1,), np.int64), np.zeros((1,), np.int64)
        for axis, position in enumerate(tap):
            o = np.arange(out[axis])
            i = o * window.stride[axis] - window.padding[axis][0] + position * window.dilation[axis]
            inside = (i >= 0) & (i < spatial[axis])
            out_places = (out_places[:, None] * out[axis] + o[inside]).ravel()
            in_places = (in_places[:, None] * spatial[axis] + i[inside]).ravel()
        taps.append((tap, out_places, in_places))
    return taps


@singledispatch
def _matrix(op: LinearMap, shape: Shape) -> sp.csr_matrix:
    raise TypeError(f"no synapse matrix for {type(op).__name__}")


@_matrix.register
def _(op: Conv, shape: Shape) -> sp.csr_matrix:
    spatial, out = shape[1:], op.output_shape(shape)
    in_size, out_size = prod(spatial), prod(out[1:])
    channels_out, channels_in = op.weight.shape[:2]
    o = np.arange(channels_out)
    first_input = (o // (channels_out // op.groups)) * channels_in
    i = first_input[:, None] + np.arange(channels_in)
    values, rows, columns = [], [], []
    for tap, out_places, in_places in _taps(op.window, spatial):
        block = (channels_out, channels_in, len(out_places))
        weight_of_tap = np.moveaxis(op.weight, (0, 1), (-2, -1))[tap]
        values.append(np.broadcast_to(weight_of_tap[..., None], block))
        rows.append(np.broadcast_to(o[:, None, None] * out_size + out_places, block))
        columns.append(np.broadcast_to(i[..., None] * in_size + in_places, block))
    return _assemble(values, rows, columns, (prod(out), prod(shape)))


@_matrix.register
def _(op: Pool, shape: Shape) -> sp.csr_matrix:
    spatial, out = shape[1:], op.output_shape(shape)
    in_size, out_size = prod(spatial), prod(out[1:])
    c = np.arange(shape[0])[:, None]
    values, rows, columns = [], [], []
    for _tap, out_places, in_places in _taps(op.window, spatial):
        block = (shape[0], len(out_places))
        values.append(np.broadcast_to(op.weight, block))
        rows.append(c * out_size + out_places)
        columns.append(c * in_size + in_places)
    return _assemble(values, rows, columns, (prod(out), prod(shape)))


@_matrix.register
def _(op: Dense, shape: Shape) -> sp.csr_matrix:
    copies = sp.identity(prod(shape[:-1]), dtype=op.weight.dtype, format="csr")
    return sp.kron(copies, sp.csr_matrix(op.weight), format="csr")


@_matrix.register
def _(op: Diagonal, shape: Shape) -> sp.csr_matrix:
    return sp.diags(np.broadcast_to(op.weight, shape).ravel(), format="csr", dtype=op.weight.dtype)


@_matrix.register
def _(op: Sparse, shape: Shape) -> sp.csr_matrix:
    return sp.kron(op.weight, sp.identity(prod(shape[1:]), dtype=op.weight.dtype), format="csr")
