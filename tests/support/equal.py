"""Exact equality of two networks, field by field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp


def assert_same(left: Any, right: Any, where: str = "network") -> None:
    """Same types, same values, same array types and shapes, all the way down."""
    assert type(left) is type(right), f"{where}: {type(left)} and {type(right)}"
    if is_dataclass(left):
        for field in fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name), f"{where}.{field.name}")
    elif isinstance(left, np.ndarray):
        assert (left.dtype, left.shape) == (right.dtype, right.shape), where
        assert np.array_equal(left, right), where
    elif isinstance(left, sp.csr_matrix):
        assert left.shape == right.shape, where
        for name in ("data", "indices", "indptr"):
            assert_same(getattr(left, name), getattr(right, name), f"{where}.{name}")
    elif isinstance(left, (tuple, list)):
        assert len(left) == len(right), where
        for number, (a, b) in enumerate(zip(left, right, strict=True)):
            assert_same(a, b, f"{where}[{number}]")
    else:
        assert left == right, where
