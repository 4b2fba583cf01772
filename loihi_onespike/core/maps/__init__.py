"""Linear maps between feature arrays."""

from loihi_onespike.core.maps.linear import (
    Array,
    Conv,
    Dense,
    Diagonal,
    LinearMap,
    Pool,
    Shape,
    Sparse,
    Window,
    broadcasts_to,
    op_input_shape,
    weight_values,
    with_weight,
)

__all__ = [
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
