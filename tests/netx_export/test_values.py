"""Python values as arrays of a file: types, sizes and bytes."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.errors import GraphError
from netx_export.values import gains, integer, integers, tag, text


def test_integers_are_little_endian_with_fixed_widths() -> None:
    assert integer(-2).tobytes() == b"\xfe" + 7 * b"\xff" and integer(3).shape == ()
    assert integers((1, 256)).tobytes() == b"\x01" + 7 * b"\0" + b"\0\x01" + 6 * b"\0"
    assert gains((4096,)).tobytes() == b"\0\x10\0\0"


def test_a_text_is_one_string_of_utf_8() -> None:
    assert (text("λ1").dtype, text("λ1").shape) == (np.dtype("S3"), ())
    assert text("λ1").tobytes() == b"\xce\xbb1"
    assert text("").dtype == np.dtype("S1")


def test_a_text_cannot_hold_a_zero_byte() -> None:
    with pytest.raises(GraphError, match=r"'a\\x00b' holds a zero byte"):
        text("a\0b")


def test_a_tag_is_one_element_of_ten_bytes() -> None:
    assert tag("conv").dtype == np.dtype("S10") and tag("conv").tolist() == [b"conv"]
    assert tag("conv").tobytes() == b"conv" + 6 * b"\0"
