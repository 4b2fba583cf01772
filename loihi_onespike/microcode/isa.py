"""The instruction set: published mnemonics, the semantics assumed for each, and an instruction as data.

The mnemonics are those of Intel's 2021 technology brief. Their semantics are the usual interpretation, not a published
specification; they are stated in `READINGS` alone, the interpreter implements them and docs/microcode.md prints them.
The assembly language itself is not public: operands and listings use our own notation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias


class Op(Enum):
    """Published mnemonics."""

    RMW = "RMW"
    RDC = "RDC"
    MOV = "MOV"
    SEL = "SEL"
    AND = "AND"
    OR = "OR"
    SHL = "SHL"
    ADD = "ADD"
    NEG = "NEG"
    MIN = "MIN"
    MUL_SHR = "MUL_SHR"
    LT = "LT"
    GE = "GE"
    EQ = "EQ"
    SKIP_C = "SKIP_C"
    JUMP_C = "JUMP_C"
    SPIKE = "SPIKE"
    PROBE = "PROBE"


@dataclass(frozen=True)
class Register:
    """A working register; its value lasts for one pass of the program."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Field:
    """A field of the neuron's state, accessible after RMW has opened its row."""

    name: str

    def __str__(self) -> str:
        return f"[{self.name}]"


@dataclass(frozen=True)
class Constant:
    """A shared constant of the population, by name."""

    name: str

    def __str__(self) -> str:
        return f"#{self.name}"


@dataclass(frozen=True)
class Immediate:
    """A number written in the instruction."""

    value: int

    def __str__(self) -> str:
        return str(self.value)


Place: TypeAlias = "Register | Field"
Operand: TypeAlias = "Register | Field | Constant | Immediate"


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        op: Mnemonic.
        out: Destination of the result; None for RMW, comparisons, branches, SPIKE and PROBE.
        inputs: Operands in the order of the reading.
        target: Position in the program that JUMP_C goes to; the length of the program is its end.
        comment: Comment for the listing.
    """

    op: Op
    out: Place | None = None
    inputs: tuple[Operand, ...] = ()
    target: int | None = None
    comment: str = field(default="", compare=False)

    def __str__(self) -> str:
        operands = [] if self.out is None else [str(self.out)]
        operands += [str(i) for i in self.inputs]
        return f"{self.op.value:<8}{', '.join(operands)}".rstrip()


@dataclass(frozen=True)
class Reading:
    """The semantics that is assumed for a mnemonic.

    Attributes:
        operands: Operands in our notation.
        effect: The semantics.
        otherwise: What changes in the programs if a core does it differently; "not used" for mnemonics that no program
            uses.
        inputs: Number of input operands.
        optional: Number of further ones that may be left out.
        writes: The instruction has a result.
        sets_c: The instruction sets the flag c.
    """

    operands: str
    effect: str
    otherwise: str
    inputs: int
    optional: int = 0
    writes: bool = False
    sets_c: bool = False


READINGS: dict[Op, Reading] = {
    Op.RMW: Reading(
        "row",
        "read a row of the neuron's state; its fields can be used and written from here on, and the row is written "
        "back when the program ends",
        "a field read or written one by one: one instruction per field in place of one per row",
        1,
    ),
    Op.RDC: Reading(
        "r, n",
        "r = synaptic input of this step from accumulator n, from the first (0) where n is left out; the accumulator "
        "is cleared for the next",
        "no clearing: a MOV of 0 to the accumulator; should RDC be an access to state (read a row and clear it, as RMW "
        "reads and writes one), the synaptic input comes by another way, and the program reads it there before RMW; "
        "with one accumulator per neuron, products of two activations do not run",
        0,
        1,
        writes=True,
    ),
    Op.MOV: Reading("x, a", "x = a", "an ADD of 0", 1, writes=True),
    Op.SEL: Reading("x, a, b", "x = a where c is set, otherwise b", "a MOV of b, SKIP_C and a MOV", 2, writes=True),
    Op.AND: Reading(
        "x, a, b",
        "x = a and b, bit by bit",
        "max pooling of messages subtracts the higher digits instead: MUL_SHR, SHL, NEG and ADD; where one-sided "
        "neurons stand beside others, the side is not a bit of `fired` but a field of its own",
        2,
        writes=True,
    ),
    Op.OR: Reading("x, a, b", "x = a or b, bit by bit", "not used", 2, writes=True),
    Op.SHL: Reading(
        "x, a, n", "x = a · 2^n", "a shift by a constant only by 1: n ADDs of a register to itself", 2, writes=True
    ),
    Op.ADD: Reading(
        "x, a, b", "x = a + b", "should it saturate by itself at 24 bits, MIN, LT and SEL behind it go", 2, writes=True
    ),
    Op.NEG: Reading("x, a", "x = -a", "no other way in this set but MUL_SHR by -1", 1, writes=True),
    Op.MIN: Reading("x, a, b", "x = the smaller of a and b, signed", "LT and SEL", 2, writes=True),
    Op.MUL_SHR: Reading(
        "x, a, b, n",
        "x = (a · b) >> n: signed, the product kept in full, the shift towards minus infinity; n is a constant",
        "a shift towards zero or to nearest, or a product cut at register width, changes spikes: the rounding rule of "
        "`core.codes.leak` and `core.codes.ThresholdTable` would follow it in every executor",
        3,
        writes=True,
    ),
    Op.LT: Reading("a, b", "c = a < b, signed", "GE and exchanged branches", 2, sets_c=True),
    Op.GE: Reading("a, b", "c = a ≥ b, signed", "LT and exchanged branches", 2, sets_c=True),
    Op.EQ: Reading("a, b", "c = a is b", "LT and GE", 2, sets_c=True),
    Op.SKIP_C: Reading("", "skip the next instruction where c is set", "not used", 0),
    Op.JUMP_C: Reading(
        "label",
        "go to a later instruction where c is set; c stays as it is",
        "if c were lost, every jump that is always taken needs its EQ (the listings would show them)",
        0,
    ),
    Op.SPIKE: Reading(
        "a",
        "send a spike; a is the message of a signed population or of a code with payload, without meaning for binary "
        "spikes",
        "SPIKE itself conditional on c: the jump around it goes",
        1,
    ),
    Op.PROBE: Reading("a", "send a to the host's probe; no effect on the neuron", "not used", 1),
}
