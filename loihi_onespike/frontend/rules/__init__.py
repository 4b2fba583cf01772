"""Rules that lower operations of torch to nodes of an `AnnGraph`; importing this package registers all of them."""

from loihi_onespike.frontend.rules import (
    activation_rules,
    aten_rules,
    einsum_rules,
    elementwise_rules,
    limit_rules,
    linear_rules,
    modules,
    pooling_rules,
    product_rules,
    resize_rules,
    shape_rules,
    transposed_rules,
)

__all__ = [
    "activation_rules",
    "aten_rules",
    "einsum_rules",
    "elementwise_rules",
    "limit_rules",
    "linear_rules",
    "modules",
    "pooling_rules",
    "product_rules",
    "resize_rules",
    "shape_rules",
    "transposed_rules",
]
