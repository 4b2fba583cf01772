"""What every code inherits, and what each of them has to say itself."""

from __future__ import annotations

import pytest

from loihi_onespike.core.codes.binary_code import BinaryCode
from loihi_onespike.core.codes.code import Code
from loihi_onespike.core.codes.codebook import Codebook

REQUIRED = {
    "multi_spike", "input_bits", "words", "encode", "decode", "spikes", "count_spikes", "scale_of_range",
}  # fmt: skip


def test_even_steps_follow_from_the_bits() -> None:
    assert BinaryCode(4).even_steps == 15
    assert Codebook((8192, 8192)).even_steps is None


def test_all_that_only_the_code_knows_is_required() -> None:
    assert Code.__abstractmethods__ == REQUIRED

    class Unfinished(Code):
        multi_spike = False

    with pytest.raises(TypeError, match="abstract method"):
        Unfinished()  # type: ignore[abstract]
