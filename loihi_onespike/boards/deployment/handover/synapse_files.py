"""The synapses of a group, target by target, and the axons that its spikes take to cores."""

from __future__ import annotations

import io

import numpy as np
import scipy.sparse as sp

from loihi_onespike.boards.mapping.placement import Placement
from loihi_onespike.core.graphs.network import Network, Synapse
from loihi_onespike.core.maps.connectivity import synapse_matrix

LARGEST_TABLE = 2_000_000
"""Synapses up to which a group is written target by target; beyond, its kernel in the network file stands for it."""


def synapses_of(network: Network, synapse: Synapse) -> sp.csc_matrix | None:
    """The weights of a group, (post neurons, pre neurons), zeros left out.

    Args:
        network: The network.
        synapse: One of its groups.

    Returns:
        The matrix by pre neuron; None where the group has more synapses than `LARGEST_TABLE`.
    """
    outputs = int(np.prod(network.by_name[synapse.post].shape))
    if outputs * synapse.op.fan_in > LARGEST_TABLE:
        return None
    matrix = sp.csc_matrix(synapse_matrix(synapse.op, network.by_name[synapse.pre].shape, synapse.index))
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def synapse_table(matrix: sp.csc_matrix) -> str:
    """pre neuron, post neuron, weight: a line per synapse in the order of the pre neurons, as CSV.

    Args:
        matrix: (post neurons, pre neurons) weights.
    """
    out = io.StringIO()
    out.write("pre,post,weight\n")
    for pre in range(matrix.shape[1]):
        for place in range(matrix.indptr[pre], matrix.indptr[pre + 1]):
            out.write(f"{pre},{matrix.indices[place]},{int(matrix.data[place])}\n")
    return out.getvalue()


def axon_table(matrix: sp.csc_matrix, synapse: Synapse, placement: Placement) -> str:
    """pre neuron, chip and core that its spikes go to, and how many targets they have there, as CSV.

    Args:
        matrix: (post neurons, pre neurons) weights.
        synapse: The group.
        placement: The cores.
    """
    places = placement.core_of(synapse.post).ravel()
    out = io.StringIO()
    out.write("pre,chip,core,targets\n")
    for pre in range(matrix.shape[1]):
        posts = matrix.indices[matrix.indptr[pre] : matrix.indptr[pre + 1]]
        for position, targets in zip(*np.unique(places[posts], return_counts=True), strict=True):
            core = placement.cores[int(position)]
            out.write(f"{pre},{core.chip},{core.core},{targets}\n")
    return out.getvalue()
