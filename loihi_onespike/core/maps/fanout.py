"""Number of synapses that leave each presynaptic neuron, borders included, without building the synapse matrix."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps.linear_map import LinearMap
from loihi_onespike.core.maps.shapes import Shape, op_input_shape


def fan_out(op: LinearMap, pre_shape: Shape, index: NDArray[np.integer] | None = None) -> NDArray[np.int64]:
    """Targets of every presynaptic neuron, shape pre_shape; weights that happen to be 0 count (they are stored).

    Args:
        op: the map.
        pre_shape: shape of the presynaptic population.
        index: gather in front of the map, see `Synapse.index`.
    """
    seen = op_input_shape(pre_shape, index)
    counts = np.broadcast_to(op.fan_out(seen), seen)
    if index is None:
        return np.ascontiguousarray(counts)
    flat = index.ravel()
    read = flat >= 0
    total = np.bincount(flat[read], weights=counts.ravel()[read], minlength=prod(pre_shape))
    return total.astype(np.int64).reshape(pre_shape)
