"""Every mnemonic on its own, values by hand; widths that do not hold a value; programs that are malformed."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.errors import ConfigurationError, MicrocodeError
from loihi_onespike.microcode import Interpreter, MicrocodeSpec
from loihi_onespike.microcode.isa import READINGS, Constant, Field, Immediate, Instruction, Op, Register
from loihi_onespike.microcode.neuron_state import StateLayout
from loihi_onespike.microcode.program import Program, ProgramBuilder

X, Y = Field("x"), Field("y")
A, B = Register("a"), Register("b")
LAYOUT = StateLayout.of({"x": 24, "y": 24})


def build(*lines: tuple, layout: StateLayout = LAYOUT, spec: MicrocodeSpec | None = None, **constants: int) -> Program:
    """Lines are (op, inputs, out), or ("name",) for a label, or (Op.JUMP_C, "name")."""
    builder = ProgramBuilder("test", layout, spec or MicrocodeSpec())
    builder.constants.update(constants)
    builder.emit(Op.RDC, out=A)
    builder.emit(Op.RMW, 0)
    for line in lines:
        if line[0] is Op.JUMP_C:
            builder.jump(line[1])
        elif isinstance(line[0], str):
            builder.label(line[0])
        else:
            builder.emit(line[0], *line[1], out=line[2] if len(line) > 2 else None)
    return builder.build()


def state(x: list[int], y: list[int] | None = None) -> dict[str, np.ndarray]:
    return {"x": np.array(x), "y": np.array(y or [0] * len(x))}


@pytest.mark.parametrize(
    ("op", "x", "y", "expected"),
    [
        (Op.AND, [12, -1], [10, 7], [8, 7]),
        (Op.OR, [12, -8], [3, 7], [15, -1]),
        (Op.ADD, [5, -5], [-7, -7], [-2, -12]),
        (Op.MIN, [5, -5], [-7, 3], [-7, -5]),
    ],
)
def test_two_operands(op: Op, x: list[int], y: list[int], expected: list[int]) -> None:
    core = Interpreter(build((op, (X, Y), Y)), state(x, y))
    core.step(np.zeros(2, np.int64))
    assert core.state("y").tolist() == expected
    assert core.state("x").tolist() == x


def test_one_operand_and_shifts() -> None:
    core = Interpreter(build((Op.NEG, (X,), B), (Op.SHL, (B, 3), B), (Op.MOV, (B,), Y)), state([5, -6]))
    core.step(np.zeros(2, np.int64))
    assert core.state("y").tolist() == [-40, 48]


def test_mul_shr_rounds_towards_minus_infinity() -> None:
    """-3 · 5 = -15, >> 2 is -4 (towards zero it would be -3); 3 · 5 >> 2 = 3."""
    core = Interpreter(build((Op.MUL_SHR, (X, Constant("five"), 2), Y), five=5), state([-3, 3]))
    core.step(np.zeros(2, np.int64))
    assert core.state("y").tolist() == [-4, 3]


@pytest.mark.parametrize(
    ("op", "expected"), [(Op.LT, [1, 0, 0]), (Op.GE, [0, 1, 1]), (Op.EQ, [0, 1, 0])], ids=["LT", "GE", "EQ"]
)
def test_comparisons_and_select(op: Op, expected: list[int]) -> None:
    core = Interpreter(build((op, (X, 4)), (Op.SEL, (1, 0), Y)), state([-9, 4, 5]))
    core.step(np.zeros(3, np.int64))
    assert core.state("y").tolist() == expected


def test_skip_and_jump_are_taken_neuron_by_neuron() -> None:
    """x < 0 jumps over both; x = 0 skips the first MOV; the others run everything."""
    program = build(
        (Op.LT, (X, 0)),
        (Op.JUMP_C, "out"),
        (Op.EQ, (X, 0)),
        (Op.SKIP_C, ()),
        (Op.MOV, (7,), Y),
        (Op.ADD, (Y, 1), Y),
        ("out",),
        (Op.SPIKE, (Y,)),
    )
    core = Interpreter(program, state([-1, 0, 1]), graded_spikes=True)
    assert core.step(np.zeros(3, np.int64)).tolist() == [0, 1, 8]
    assert core.state("y").tolist() == [0, 1, 8]
    # Two at the start for all; LT, JUMP_C, SPIKE; then EQ, SKIP_C, ADD; then MOV.
    assert (core.executed, core.passes) == (5 + 8 + 9, 3)


def test_input_is_cleared_and_only_the_rows_last() -> None:
    core = Interpreter(build((Op.ADD, (X, A), X)), state([1, 2]))
    for a_in in ([10, 20], [0, 0], [5, -5]):
        core.step(np.array(a_in))
    assert core.state("x").tolist() == [16, 17]
    copy = Interpreter(core.program, state([0, 0]))
    copy.rows = core.rows.copy()
    copy.step(np.array([1, 1]))
    assert copy.state("x").tolist() == [17, 18]


def test_binary_spikes_have_no_payload_and_probe_no_effect() -> None:
    core = Interpreter(build((Op.PROBE, (X,)), (Op.SPIKE, (X,))), state([-9, 9]))
    assert core.step(np.zeros(2, np.int64)).tolist() == [1, 1]
    assert core.state("x").tolist() == [-9, 9]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([(Op.SHL, (X, 20), B)], r"SHL +b, \[x\], 20: result must fit into 32 bits, got 8388608\.\.8388608000\d*"),
        ([(Op.ADD, (X, Constant("most")), Y)], r"result must fit into 24 bits, got 8388615\.\.\d+"),
        ([(Op.MUL_SHR, (X, Constant("most"), 30), B)], r"product must fit into 30 bits"),
        ([(Op.SPIKE, (X,))], r"SPIKE +\[x\]: payload must fit into 8 bits, got 8\.\.8000"),
        ([(Op.SPIKE, (1,)), (Op.SPIKE, (1,))], "at most one spike per step, got a second"),
    ],
)
def test_numbers_too_wide_are_errors(lines: list[tuple], message: str) -> None:
    spec = MicrocodeSpec(product_bits=30)
    core = Interpreter(build(*lines, spec=spec, most=2**23 - 1), state([8, 8000]), graded_spikes=True)
    with pytest.raises(MicrocodeError, match=message):
        core.step(np.zeros(2, np.int64))


def test_only_neurons_that_execute_are_checked() -> None:
    """The wide shift is jumped over by the neuron whose value would not fit."""
    program = build((Op.GE, (X, 100)), (Op.JUMP_C, "out"), (Op.SHL, (X, 20), B), ("out",))
    core = Interpreter(program, state([8, 8000]))
    core.step(np.zeros(2, np.int64))
    assert core.executed == 2 * 4 + 1


def test_wide_synaptic_input_is_an_error() -> None:
    core = Interpreter(build(spec=MicrocodeSpec(accumulator_bits=16)), state([0]))
    core.step(np.array([2**15 - 1]))
    with pytest.raises(
        MicrocodeError, match=r"test: synaptic input of one step: must fit into 16 bits, got 32768\.\.32768"
    ):
        core.step(np.array([2**15]))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([(Op.ADD, (X, B), Y)], "b is read before it is written"),
        ([(Op.SEL, (1, 0), Y)], "no comparison precedes it"),
        ([(Op.MOV, (Field("z"),), Y)], "is read before it is written or before its row is open"),
        ([(Op.MOV, (1,), Field("z"))], "the row of .z. is not open"),
        ([(Op.MOV, (Constant("q"),), Y)], "no constant q"),
        ([(Op.MOV, (128,), Y)], "immediates must fit into 8 bits"),
        ([(Op.SHL, (X, Y), Y)], "the shift must be a constant"),
        ([(Op.ADD, (X,), Y)], "operands must be ADD x, a, b"),
        ([(Op.LT, (X, 0)), (Op.JUMP_C, "on"), (Op.MOV, (1,), B), ("on",), (Op.MOV, (B,), Y)], "b is read before"),
        ([(Op.RMW, (0,))], "row 0 is already open"),
        ([(Op.RMW, (1,))], r"row must be in \[0, 0\]"),
        ([("back",), (Op.LT, (X, 0)), (Op.JUMP_C, "back")], r"target must be in \[4, 4\], got 2"),
    ],
)
def test_malformed_programs_are_refused(lines: list[tuple], message: str) -> None:
    with pytest.raises(MicrocodeError, match=message):
        build(*lines)


def test_wide_constants_and_narrow_registers_are_refused() -> None:
    with pytest.raises(MicrocodeError, match="constant most: must fit into 24 bits, got 8388608"):
        build(most=2**23)
    with pytest.raises(ConfigurationError, match=r"register_bits: must be in \[28, 32\], got 24"):
        MicrocodeSpec(register_bits=24)
    with pytest.raises(MicrocodeError, match="JUMP_C must have a target"):
        Program("test", (Instruction(Op.RMW, None, (Immediate(0),), target=1),), {}, LAYOUT)


def test_the_set_is_the_published_one() -> None:
    published = "RMW RDC MOV SEL AND OR SHL ADD NEG MIN MUL_SHR LT GE EQ SKIP_C JUMP_C SPIKE PROBE"
    assert [op.value for op in Op] == published.split() == [op.value for op in READINGS]
