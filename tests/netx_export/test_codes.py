"""Codes as fields, field by field, and what a reader refuses."""

from __future__ import annotations

import pytest

from loihi_onespike.core.codes import Base, BinaryCode, Code, Codebook, PhaseCode
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
]
BELOW = "layer/0/onespike/"


def fields_of(code: Code) -> FieldMap:
    stored = {"code": text(INPUT_KINDS[code])} | code_fields(code)
    return {BELOW + name: array for name, array in stored.items()}


@pytest.mark.parametrize(("code", "expected"), FIELDS, ids=["binary", "phase", "codebook"])
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
