"""Explicit synapses of a linear map behind a gather: the matrix from presynaptic to postsynaptic neurons.

Used wherever an independent or exact list of synapses is wanted: the reference executor, counts of synaptic
operations, checks of faster kernels.
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
