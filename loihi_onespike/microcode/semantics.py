"""How a core may read the instructions where the mnemonics leave it open: `READ_AS_STATED` and its alternatives.

`isa.READINGS` states the reading that the programs are written for. Every `Alternative` here is another one that the
mnemonic would allow, as something that runs: the interpreter takes its `Semantics`. What a board shows can so be
compared with what each reading would show (docs/bringup.md). None of them is a published fact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from loihi_onespike.errors import ConfigurationError
from loihi_onespike.microcode.isa import Op


@dataclass(frozen=True)
class Semantics:
    """Meaning of the instructions, point by point; the defaults are those of `isa.READINGS`.

    With any other value the programs may compute numbers that they were not written for. The interpreter then keeps the
    low bits of what a register or field does not hold, and a register that no instruction has written holds 0.

    Attributes:
        rounding: direction in which MUL_SHR rounds: down, towards zero, or to nearest with halves up.
        product: what MUL_SHR keeps of a product wider than a register: all of it, its low bits, or the nearest value.
        factors: MUL_SHR takes signed factors, or 24 bits without a sign.
        jump_keeps_c: JUMP_C leaves the flag c as it is; otherwise it clears it.
        spike: SPIKE always sends its payload, only where c is set, or always a spike without a sign.
        rdc: RDC reads and clears the synaptic input, reads it and lets it grow, or accesses state: it reads the first
            field of row 0, and clears the row or leaves it.
        rmw: RMW keeps all rows open until the end, only the last one, or writes no row back.
        signed_fields: fields of 24 bits are read with their sign.
        add: ADD keeps its sum, or 24 bits of it (the low ones, or the nearest value).
        complement: NEG gives -a - 1, the complement of all bits.
        unsigned: comparisons and MIN that take their operands without a sign.
        lt_or_equal, ge_greater: LT sets c where a ≤ b; GE where a > b.
        eq_differs: EQ sets c where the operands differ.
        sel_exchanged: SEL gives a where c is not set.
        shl_bits: width that SHL keeps; None for that of a register.
    """

    rounding: Literal["down", "zero", "nearest"] = "down"
    product: Literal["kept", "wraps", "saturates"] = "kept"
    factors: Literal["signed", "unsigned"] = "signed"
    jump_keeps_c: bool = True
    spike: Literal["always", "if c", "no sign"] = "always"
    rdc: Literal["input", "growing input", "state cleared", "state kept"] = "input"
    rmw: Literal["all rows", "last row", "read only"] = "all rows"
    signed_fields: bool = True
    add: Literal["kept", "wraps", "saturates"] = "kept"
    complement: bool = False
    unsigned: tuple[Op, ...] = ()
    lt_or_equal: bool = False
    ge_greater: bool = False
    eq_differs: bool = False
    sel_exchanged: bool = False
    shl_bits: int | None = None


READ_AS_STATED = Semantics()
STATED = "as stated"
"""Name of the reading that the programs are written for."""


@dataclass(frozen=True)
class Alternative:
    """Another reading of one mnemonic.

    Attributes:
        name: name in tables and files.
        op: the mnemonic.
        reading: what it would do, in words.
        semantics: the same as something that runs.
        remedy: what changes in the programs if a board reads it so.
    """

    name: str
    op: Op
    reading: str
    semantics: Semantics
    remedy: str


def _other(name: str, op: Op, reading: str, remedy: str, **changed: object) -> Alternative:
    return Alternative(name, op, reading, replace(READ_AS_STATED, **changed), remedy)  # type: ignore[arg-type]


_RULE = "round so in `core.codes.leak` and `core.codes.ThresholdTable`, that is in every executor"
_SIGN = "add 2^23 to both operands first, which keeps the order without a sign"
_INPUT = "read the synaptic input by the instruction that the tools name for it, before the rows are opened"

ALTERNATIVES: tuple[Alternative, ...] = (
    _other("MUL_SHR towards zero", Op.MUL_SHR, "the shift rounds towards zero", _RULE, rounding="zero"),
    _other("MUL_SHR to nearest", Op.MUL_SHR, "the shift rounds to nearest, halves up", _RULE, rounding="nearest"),
    _other(
        "MUL_SHR product wraps",
        Op.MUL_SHR,
        "of a product wider than a register only the low bits are kept before the shift",
        "split the factor in two of fewer bits, each with a shift of its own",
        product="wraps",
    ),
    _other(
        "MUL_SHR product saturates",
        Op.MUL_SHR,
        "a product wider than a register becomes the largest of its sign before the shift",
        "split the factor in two of fewer bits, each with a shift of its own",
        product="saturates",
    ),
    _other(
        "MUL_SHR without sign",
        Op.MUL_SHR,
        "both factors are 24 bits without a sign",
        "negate negative factors first and the result afterwards, as the listing does for -θ",
        factors="unsigned",
    ),
    _other(
        "JUMP_C clears c",
        Op.JUMP_C,
        "a jump that is taken clears c",
        "an EQ of the clock with itself before every jump that is always taken",
        jump_keeps_c=False,
    ),
    _other(
        "SPIKE where c is set",
        Op.SPIKE,
        "SPIKE sends only where c is set",
        "the jump around it goes; a comparison that sets c comes directly before it",
        spike="if c",
    ),
    _other(
        "SPIKE without sign",
        Op.SPIKE,
        "every spike counts as +1, whatever its payload",
        "allocate the axon with message bits; where it has none, send -1 from a second neuron",
        spike="no sign",
    ),
    _other(
        "RDC keeps the input",
        Op.RDC,
        "RDC reads the synaptic input and does not clear it, so that it grows from step to step",
        "a MOV of 0 to the accumulator after the RDC",
        rdc="growing input",
    ),
    _other(
        "RDC reads and clears state",
        Op.RDC,
        "RDC is an access to state: it reads the first field of row 0 and clears the row; the synaptic input comes by "
        "another way",
        _INPUT,
        rdc="state cleared",
    ),
    _other(
        "RDC reads state",
        Op.RDC,
        "RDC is an access to state: it reads the first field of row 0 and leaves the row; the synaptic input comes by "
        "another way",
        _INPUT,
        rdc="state kept",
    ),
    _other(
        "RMW one row",
        Op.RMW,
        "one row is open at a time: opening the next loses what is written to the one before afterwards",
        "open row 1 only where its fields are used, and row 0 after it",
        rmw="last row",
    ),
    _other(
        "RMW reads only",
        Op.RMW,
        "rows are not written back when the program ends",
        "end the program with the instruction that the tools name for writing a row",
        rmw="read only",
    ),
    _other(
        "RMW without sign",
        Op.RMW,
        "fields of 24 bits are read without their sign",
        "extend the sign after RMW: LT with 2^23, SEL, ADD of -2^24",
        signed_fields=False,
    ),
    _other("ADD wraps", Op.ADD, "a sum keeps its low 24 bits", "limit both operands before the ADD", add="wraps"),
    _other(
        "ADD saturates",
        Op.ADD,
        "a sum beyond 24 bits becomes the largest of its sign",
        "none: MIN, LT and SEL behind the ADD may go",
        add="saturates",
    ),
    _other("NEG complements", Op.NEG, "NEG gives -a - 1", "an ADD of 1 behind it", complement=True),
    _other("MIN without sign", Op.MIN, "MIN compares without a sign", _SIGN, unsigned=(Op.MIN,)),
    _other("LT without sign", Op.LT, "LT compares without a sign", _SIGN, unsigned=(Op.LT,)),
    _other("GE without sign", Op.GE, "GE compares without a sign", _SIGN, unsigned=(Op.GE,)),
    _other("LT or equal", Op.LT, "c = a ≤ b", "GE and exchanged branches", lt_or_equal=True),
    _other("GE greater", Op.GE, "c = a > b", "LT and exchanged branches", ge_greater=True),
    _other("EQ differs", Op.EQ, "c is set where a and b differ", "exchanged branches", eq_differs=True),
    _other("SEL exchanged", Op.SEL, "x = a where c is not set", "exchanged operands", sel_exchanged=True),
    _other("SHL 24 bits", Op.SHL, "SHL keeps the low 24 bits", "limit the input before the SHL", shl_bits=24),
)


def semantics_of(name: str) -> Semantics:
    """The semantics of a reading by its name.

    Args:
        name: name of an alternative, or `STATED`.

    Raises:
        ConfigurationError: there is no reading of that name.
    """
    known = {STATED: READ_AS_STATED, **{a.name: a.semantics for a in ALTERNATIVES}}
    if name not in known:
        raise ConfigurationError(f"reading: must be one of {', '.join(known)}, got {name!r}")
    return known[name]
