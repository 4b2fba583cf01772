"""Linear maps between feature arrays; `MAPS` lists them all."""

from __future__ import annotations

from typing import Any

from loihi_onespike.core.maps.conv import Conv
from loihi_onespike.core.maps.dense import Dense
from loihi_onespike.core.maps.diagonal import Diagonal
from loihi_onespike.core.maps.linear_map import LinearMap
from loihi_onespike.core.maps.pool import Pool
from loihi_onespike.core.maps.shapes import Array, Shape, broadcasts_to, op_input_shape
from loihi_onespike.core.maps.sparse import Sparse
from loihi_onespike.core.maps.window import Window

MAPS: tuple[type[LinearMap], ...] = (
    Conv,
    Dense,
    Diagonal,
    Sparse,
    Pool,
)


def with_weight(op: LinearMap, weight: Any) -> LinearMap:
    """The same map with other weights of the same layout."""
    return op.with_weight(weight)


def weight_values(op: LinearMap) -> Array:
    """All stored weights as a dense array (for a sparse map its non-zeros)."""
    return op.weight_values


__all__ = [
    "MAPS",
    "Array",
    "Conv",
    "Dense",
    "Diagonal",
    "LinearMap",
    "Pool",
    "Shape",
    "Sparse",
    "Window",
    "broadcasts_to",
    "op_input_shape",
    "weight_values",
    "with_weight",
]
