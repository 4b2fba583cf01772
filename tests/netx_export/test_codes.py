"""Codes as fields, field by field, and what a reader refuses."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes import Base, BinaryCode, Code, Codebook, PayloadCode, PhaseCode
from loihi_onespike.errors import FormatError
from netx_export.codes import INPUT_KINDS, code_fields, read_input_code, read_single_spike_code
from netx_export.fields import Fields
from netx_export.values import FieldMap, integer, text

FIELDS = [
    (BinaryCode(8), {"bits": 8}),
    (PhaseCode(Base(5325), 12), {"base": 5325, "timesteps": 12, "thresholdShift": 1}),
    (
        Codebook((4096, 8192), threshold_shift=False),
        {"levelGains": [4096, 8192], "timesteps": 2, "thresholdShift": 0},
    ),
    (
        PayloadCode((4096, 65536), (127, 64, 3, 1)),
        {"levelGains": [4096, 65536], "messages": [127, 64, 3, 1], "timesteps": 2, "thresholdShift": 1},
    ),
]
BELOW = "layer/0/onespike/"


def fields_of(code: Code) -> FieldMap:
    stored = {"code": text(INPUT_KINDS[code])} | code_fields(code)
    return {BELOW + name: array for name, array in stored.items()}


@pytest.mark.parametrize(("code", "expected"), FIELDS, ids=["binary", "phase", "codebook", "payload"])
def test_fields_of_a_code_and_back(code: Code, expected: dict[str, object]) -> None:
    assert {name: array.tolist() for name, array in code_fields(code).items()} == expected
    assert read_input_code(Fields(fields_of(code), BELOW)) == code


def test_neurons_have_no_binary_code() -> None:
    with pytest.raises(FormatError, match="timesteps"):
        read_single_spike_code(Fields(fields_of(BinaryCode(8)), BELOW))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("base", 4096, r"must be in 4097\.\.16384, got 4096"),
        ("timesteps", 0, r"must be in 1\.\.32767, got 0"),
        ("timesteps", 2**15, r"must be in 1\.\.32767, got 32768"),
        ("thresholdShift", 2, r"must be in 0\.\.1, got 2"),
    ],
)
def test_values_outside_their_range(name: str, value: int, message: str) -> None:
    stored = fields_of(PhaseCode(Base(5325), 12)) | {BELOW + name: integer(value)}
    with pytest.raises(FormatError, match=message) as caught:
        read_input_code(Fields(stored, BELOW))
    assert caught.value.field == BELOW + name


def test_a_codebook_has_as_many_gains_as_phases() -> None:
    stored = fields_of(Codebook((4096, 8192))) | {BELOW + "timesteps": integer(3)}
    with pytest.raises(FormatError, match="must have 3 entries, got 2"):
        read_input_code(Fields(stored, BELOW))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("messages", [3, 2, 3], "must have 2, 4, 8, … messages for each of its phases, got 3 for 2 phases"),
        ("messages", [3, 2], "must have 2, 4, 8, … messages for each of its phases, got 2 for 2 phases"),
        ("messages", [9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 1], "got 12 for 2 phases"),
        ("messages", [], "got 0 for 2 phases"),
        ("messages", [3, 3, 2, 1], "levels must decrease from word to word, got 3 for word 1 and 3 for word 2"),
        ("messages", [2, 3, 2, 1], "levels must decrease from word to word"),
        ("messages", [3, 1, 127, 2], "levels must decrease from word to word, got 1 for word 2"),
        ("messages", [128, 2, 2, 1], r"values must be in 1\.\.127, got 1\.\.128"),
        ("messages", [3, 0, 2, 1], r"values must be in 1\.\.127, got 0\.\.3"),
        ("messages", [3, -2, 2, 1], r"values must be in 1\.\.127, got -2\.\.3"),
        ("levelGains", [4096, 65537], r"values must be in 4096\.\.65536, got 4096\.\.65537"),
        ("levelGains", [4095, 8192], r"values must be in 4096\.\.65536, got 4095\.\.8192"),
        ("levelGains", [4096], "must have 2 entries, got 1"),
    ],
)
def test_messages_and_gains_that_make_no_code(name: str, values: list[int], message: str) -> None:
    stored = fields_of(PayloadCode((4096, 8192), (3, 2, 3, 2))) | {BELOW + name: np.array(values, "<i4")}
    with pytest.raises(FormatError, match=message) as caught:
        read_input_code(Fields(stored, BELOW))
    assert caught.value.field == BELOW + name


def test_more_words_than_a_trace_holds() -> None:
    stored = fields_of(PayloadCode((4096, 8192), (3, 2, 3, 2)))
    stored |= {BELOW + "messages": np.ones(2**16, "<i4"), BELOW + "timesteps": integer(2**14)}
    stored[BELOW + "levelGains"] = np.full(2**14, 4097, "<i4")
    with pytest.raises(FormatError, match="must have at most 32767 words, got 65536"):
        read_input_code(Fields(stored, BELOW))


def test_a_gain_above_4_needs_messages() -> None:
    stored = fields_of(Codebook((4096, 8192))) | {BELOW + "levelGains": np.array([4096, 16385], "<i4")}
    with pytest.raises(FormatError, match=r"values must be in 4096\.\.16384"):
        read_input_code(Fields(stored, BELOW))
