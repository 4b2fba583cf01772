"""Synapses of a linear map behind a gather: their matrix, and how many leave each presynaptic neuron.

The matrix is used wherever an independent or exact list of synapses is wanted: the reference executor, checks of
faster kernels. Counts of synaptic operations need the numbers only, which follow without building it.
"""

from __future__ import annotations

from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.maps.linear_map import LinearMap
from loihi_onespike.core.maps.shapes import Shape, op_input_shape


def synapse_matrix(op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None) -> sp.csr_matrix:
    """(post neurons, pre neurons) in CSR; row p holds the weights onto post neuron p.

    Args:
        op: the map.
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map, see `Synapse.index`.
    """
    matrix = op.matrix(op_input_shape(pre_shape, index))
    if index is None:
        return matrix
    flat = index.ravel()
    places = np.flatnonzero(flat >= 0)
    ones = np.ones(len(places), dtype=matrix.dtype)
    gather = sp.csr_matrix((ones, (places, flat[places])), shape=(len(flat), prod(pre_shape)))
    return (matrix @ gather).tocsr()


def fan_out(
    op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None, zeros: bool = True
) -> NDArray[np.int64]:
    """Targets of every presynaptic neuron, shape pre_shape, borders included.

    Args:
        op: the map.
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map, see `Synapse.index`.
        zeros: stored weights of 0 count.
    """
    seen = op_input_shape(pre_shape, index)
    counts = np.broadcast_to(op.fan_out(seen) if zeros else op.nonzero_fan_out(seen), seen)
    if index is None:
        return np.ascontiguousarray(counts)
    flat = index.ravel()
    read = flat >= 0
    total = np.bincount(flat[read], weights=counts.ravel()[read], minlength=prod(pre_shape))
    return total.astype(np.int64).reshape(pre_shape)


def connections(op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None) -> int:
    """Number of synapses of a map, the sum of `fan_out`.

    Without a gather no array as large as the population is made: the input of a graph may not fit into memory.

    Args:
        op: the map.
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map.
    """
    if index is not None:
        return int(fan_out(op, pre_shape, index).sum())
    counts = np.asarray(op.fan_out(op_input_shape(pre_shape, None)))
    return int(counts.sum()) * (prod(pre_shape) // counts.size)
