"""Other readings of the instructions, each on numbers that show it; expected values are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.errors import ConfigurationError, MicrocodeError
from loihi_onespike.microcode.interpreter import Interpreter
from loihi_onespike.microcode.isa import Constant, Field, Instruction, Op, Register
from loihi_onespike.microcode.neuron_state import StateLayout
from loihi_onespike.microcode.program import Program, ProgramBuilder
from loihi_onespike.microcode.semantics import ALTERNATIVES, READ_AS_STATED, STATED, semantics_of

V, A = Field("v"), Register("a")
TWO_ROWS = {"v": 24, "w": 24, "x": 24, "clock": 8}
"""v, w and clock stand in row 0, x in row 1."""


def builder() -> ProgramBuilder:
    made = ProgramBuilder("test", StateLayout.of(TWO_ROWS))
    made.emit(Op.RDC, out=A)
    made.emit(Op.RMW, 0)
    made.emit(Op.RMW, 1)
    return made


def result(program: Program, reading: str, v: int = 0, a_in: tuple[int, ...] = (0,), name: str = "v") -> list[int]:
    """A field after every step."""
    state = {n: np.array([v if n == "v" else 0]) for n in TWO_ROWS}
    core = Interpreter(program, state, semantics=semantics_of(reading))
    found = []
    for a in a_in:
        core.step(np.array([a]))
        found.append(int(core.state(name)[0]))
    return found


def one(op: Op, *inputs: int, v: int = 0, reading: str = STATED) -> int:
    """v after an instruction that takes v and numbers."""
    made = builder()
    operands = [V, *(made.number(f"n{i}", value) for i, value in enumerate(inputs))]
    made.emit(op, *operands, out=V)
    return result(made.build(), reading, v)[0]


@pytest.mark.parametrize(
    ("reading", "v", "expected"),
    [  # (v · 3) >> 1
        (STATED, -5, -8),
        ("MUL_SHR towards zero", -5, -7),
        ("MUL_SHR to nearest", -5, -7),  # -7.5
        ("MUL_SHR to nearest", 5, 8),  # 7.5
        ("MUL_SHR towards zero", 5, 7),
        ("MUL_SHR without sign", -4, -6),  # (2^24 - 4) · 3 / 2 = 25165818, of which the low 24 bits are -2^23 + 2 - 8
    ],
)
def test_mul_shr(reading: str, v: int, expected: int) -> None:
    if reading == "MUL_SHR without sign":
        expected = (((2**24 + v) * 3 >> 1) + 2**23) % 2**24 - 2**23
    assert one(Op.MUL_SHR, 3, 1, v=v, reading=reading) == expected


def test_the_product() -> None:
    """2^20 · 2^14 has 35 bits: whole it is 2^22 after a shift of 12, cut to 32 bits 0, saturated (2^31 - 1) >> 12."""
    assert one(Op.MUL_SHR, 2**14, 12, v=2**20) == 2**22
    assert one(Op.MUL_SHR, 2**14, 12, v=2**20, reading="MUL_SHR product wraps") == 0
    assert one(Op.MUL_SHR, 2**14, 12, v=2**20, reading="MUL_SHR product saturates") == 2**19 - 1


def test_sums_and_signs() -> None:
    assert one(Op.ADD, 5, v=2**23 - 8) == 2**23 - 3
    assert one(Op.ADD, 9, v=2**23 - 1, reading="ADD wraps") == -(2**23) + 8
    assert one(Op.ADD, 9, v=2**23 - 1, reading="ADD saturates") == 2**23 - 1
    with pytest.raises(MicrocodeError, match="must fit into 24 bits"):
        one(Op.ADD, 9, v=2**23 - 1)
    assert one(Op.NEG, v=5) == -5 and one(Op.NEG, v=5, reading="NEG complements") == -6
    assert one(Op.MIN, -3, v=4) == -3 and one(Op.MIN, -3, v=4, reading="MIN without sign") == 4
    assert one(Op.SHL, 4, v=3) == 48 and one(Op.SHL, 4, v=2**20, reading="SHL 24 bits") == 0


@pytest.mark.parametrize(
    ("op", "number", "reading", "expected"),
    [  # v is 2; 1 where c is set
        (Op.LT, 3, STATED, 1),
        (Op.LT, 2, STATED, 0),
        (Op.LT, 2, "LT or equal", 1),
        (Op.LT, -1, "LT without sign", 1),
        (Op.GE, 2, STATED, 1),
        (Op.GE, 2, "GE greater", 0),
        (Op.GE, -1, "GE without sign", 0),
        (Op.EQ, 2, STATED, 1),
        (Op.EQ, 2, "EQ differs", 0),
        (Op.EQ, 2, "SEL exchanged", 0),
    ],
)
def test_comparisons(op: Op, number: int, reading: str, expected: int) -> None:
    made = builder()
    made.emit(op, V, number)
    made.emit(Op.SEL, 1, 0, out=V)
    assert result(made.build(), reading, 2) == [expected]


def test_the_flag_after_a_jump() -> None:
    made = builder()
    made.emit(Op.EQ, V, V)
    made.jump("there")
    made.label("there")
    made.emit(Op.SEL, 1, 0, out=V)
    program = made.build()
    assert result(program, STATED) == [1] and result(program, "JUMP_C clears c") == [0]


@pytest.mark.parametrize(
    ("reading", "expected"), [(STATED, [-1, -1]), ("SPIKE where c is set", [0, -1]), ("SPIKE without sign", [1, 1])]
)
def test_spike(reading: str, expected: list[int]) -> None:
    made = builder()
    made.emit(Op.EQ, V, 3)
    made.emit(Op.SPIKE, -1)
    state = {n: np.array([0, 3] if n == "v" else [0, 0]) for n in TWO_ROWS}
    core = Interpreter(made.build(), state, graded_spikes=True, semantics=semantics_of(reading))
    assert core.step(np.zeros(2, np.int64)).tolist() == expected


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (STATED, [3, 5, 5]),  # 3 and 2 arrive
        ("RDC keeps the input", [3, 8, 13]),
        ("RDC reads state", [2, 4, 8]),  # v + v, from 1
        ("RDC reads and clears state", [1, 1, 1]),  # the row is cleared before v is read from it
        ("RMW reads only", [1, 1, 1]),
        ("RMW one row", [1, 1, 1]),  # v stands in row 0, which row 1 closed
    ],
)
def test_access_to_input_and_state(reading: str, expected: list[int]) -> None:
    made = builder()
    made.emit(Op.ADD, V, A, out=V)
    v = 0 if reading in (STATED, "RDC keeps the input") else 1
    assert result(made.build(), reading, v, (3, 2, 0)) == expected


def test_a_row_that_is_opened_last_is_kept() -> None:
    made = builder()
    made.emit(Op.ADD, Field("x"), A, out=Field("x"))
    assert result(made.build(), "RMW one row", 0, (3, 2), name="x") == [3, 5]


def test_fields_without_sign() -> None:
    made = builder()
    made.emit(Op.MIN, V, 5, out=Field("x"))
    program = made.build()
    assert result(program, STATED, -1, name="x") == [-1] and result(program, "RMW without sign", -1, name="x") == [5]


def test_a_register_that_nothing_wrote_holds_0() -> None:
    """Where c is lost, a program may read what it would otherwise have written."""
    made = builder()
    made.emit(Op.EQ, V, V)
    made.jump("a")
    made.label("a")
    made.emit(Op.ADD, V, Register("a"), out=V)
    assert result(made.build(), "JUMP_C clears c", 1, (2,)) == [3]


def test_names_are_unique_and_every_alternative_differs() -> None:
    names = [a.name for a in ALTERNATIVES]
    assert len(set(names)) == len(names) and STATED not in names
    assert all(a.semantics != READ_AS_STATED for a in ALTERNATIVES)
    assert len({a.semantics for a in ALTERNATIVES}) == len(ALTERNATIVES)
    assert all(a.name.startswith(a.op.value) for a in ALTERNATIVES)
    with pytest.raises(ConfigurationError, match="reading: must be one of as stated, MUL_SHR towards zero"):
        semantics_of("MUL_SHR backwards")


def test_constants_are_operands_like_others() -> None:
    made = builder()
    made.emit(Op.MOV, made.constant("big", 2**20), out=V)
    assert made.build().instructions[-1] == Instruction(Op.MOV, V, (Constant("big"),))
