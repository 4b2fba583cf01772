"""Python values as the arrays of a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import GraphError

Array = NDArray[np.generic]
FieldMap = dict[str, Array]
"""Arrays by the path of their field."""


def text(value: str) -> Array:
    """A string in UTF-8, padded with zeros to at least one byte.

    Raises:
        GraphError: the string holds a zero byte.
    """
    data = value.encode("utf-8")
    if b"\0" in data:
        raise GraphError(f"the text {value!r} holds a zero byte, which a file cannot keep; rename it")
    return np.array(data, dtype=f"S{max(1, len(data))}")


def tag(value: str) -> Array:
    """A type string of NetX: one element of ten bytes."""
    return np.array([value.encode("ascii")], dtype="S10")


def integer(value: int) -> Array:
    """One integer of 64 bits."""
    return np.array(value, dtype="<i8")


def integers(values: tuple[int, ...]) -> Array:
    """Integers of 64 bits."""
    return np.array(values, dtype="<i8")


def gains(values: tuple[int, ...]) -> Array:
    """Gain mantissas, integers of 32 bits."""
    return np.array(values, dtype="<i4")


def messages(values: tuple[int, ...]) -> Array:
    """Messages of spikes, integers of 32 bits."""
    return np.array(values, dtype="<i4")
