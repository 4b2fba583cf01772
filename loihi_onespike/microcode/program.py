"""A program: instructions with forward jumps only, the constants and state that they use, and a listing.

Because every jump goes forward, a program always ends, and one sweep from top to bottom proves that on every path
nothing is read before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.isa import READINGS, Constant, Field, Immediate, Instruction, Op, Operand, Place, Register
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec, fits
from loihi_onespike.microcode.neuron_state import StateLayout

FLAG = "c"


@dataclass(frozen=True)
class Program:
    """What every neuron of a population executes once per step.

    Attributes:
        name: Name of the population.
        instructions: Instructions in order.
        constants: Shared constants by name.
        layout: Fields of the neuron's state.
        labels: Names of positions, for the listing.
        spec: Widths that the program was made for.

    Raises:
        MicrocodeError: wrong operands, backward jumps, reading before writing, or numbers that are too wide.
    """

    name: str
    instructions: tuple[Instruction, ...]
    constants: Mapping[str, int]
    layout: StateLayout
    labels: Mapping[str, int] = field(default_factory=dict)
    spec: MicrocodeSpec = DEFAULT_SPEC

    def __post_init__(self) -> None:
        for name, value in self.constants.items():
            if not fits(value, value, self.spec.constant_bits):
                self._fail(f"constant {name}: must fit into {self.spec.constant_bits} bits, got {value}")
        self._check_flow()

    def __len__(self) -> int:
        return len(self.instructions)

    def _fail(self, message: str) -> None:
        raise MicrocodeError(f"{self.name}: {message}")

    def _check_flow(self) -> None:
        """Definite assignment: what is written on every way to each instruction."""
        known: list[set[str] | None] = [None] * (len(self) + 1)
        known[0] = set()
        for place, instruction in enumerate(self.instructions):
            here = known[place]
            if here is None:
                self._fail(f"{place} {instruction}: never reached")
                return
            self._check_operands(place, instruction, here)
            if instruction.op is Op.RMW:
                self._check_row(place, instruction)
            after = here | _written(instruction, self.layout)
            for successor in successors(place, instruction):
                if not place < successor <= len(self):
                    self._fail(f"{place} {instruction}: target must be in [{place + 1}, {len(self)}], got {successor}")
                before = known[successor]
                known[successor] = set(after) if before is None else before & after

    def _check_operands(self, place: int, instruction: Instruction, known: set[str]) -> None:
        reading, where = READINGS[instruction.op], f"{place} {instruction}"
        fewest, given = reading.inputs, len(instruction.inputs)
        if not fewest <= given <= fewest + reading.optional or (instruction.out is not None) != reading.writes:
            self._fail(f"{where}: operands must be {instruction.op.value} {reading.operands}")
        if (instruction.target is not None) != (instruction.op is Op.JUMP_C):
            self._fail(f"{where}: JUMP_C must have a target, and no other instruction may have one")
        if instruction.op in (Op.SEL, Op.SKIP_C, Op.JUMP_C) and FLAG not in known:
            self._fail(f"{where}: on some path no comparison precedes it")
        if isinstance(instruction.out, Field) and str(instruction.out) not in known:
            self._fail(f"{where}: the row of {instruction.out} is not open")
        for operand in instruction.inputs:
            if isinstance(operand, (Register, Field)) and str(operand) not in known:
                self._fail(f"{where}: {operand} is read before it is written or before its row is open")
            if isinstance(operand, Constant) and operand.name not in self.constants:
                self._fail(f"{where}: no constant {operand.name}")
            if isinstance(operand, Immediate) and not fits(operand.value, operand.value, self.spec.immediate_bits):
                self._fail(f"{where}: immediates must fit into {self.spec.immediate_bits} bits")
        if instruction.op in (Op.MUL_SHR, Op.SHL) and isinstance(instruction.inputs[-1], (Register, Field)):
            self._fail(f"{where}: the shift must be a constant")

    def _check_row(self, place: int, instruction: Instruction) -> None:
        (row,) = instruction.inputs
        if not isinstance(row, Immediate) or row.value not in range(self.layout.rows):
            self._fail(f"{place} {instruction}: row must be in [0, {self.layout.rows - 1}]")
        if instruction in self.instructions[:place]:
            self._fail(f"{place} {instruction}: row {row} is already open; opening it again discards changes")

    def value(self, operand: Constant | Immediate) -> int:
        """Value of a constant or an immediate."""
        return operand.value if isinstance(operand, Immediate) else self.constants[operand.name]

    def listing(self, constants: bool = False) -> str:
        """The program as text: position, label, instruction and comment of every line.

        Args:
            constants: Print the shared constants first.
        """
        targets = {i.target for i in self.instructions}
        names = {place: name for name, place in self.labels.items() if place in targets}
        lines = [f"    {'':<10} #{name} = {value}" for name, value in self.constants.items()] if constants else []
        for place, instruction in enumerate(self.instructions):
            text = str(instruction)
            if instruction.target is not None:
                text = f"{instruction.op.value:<8}{names.get(instruction.target, instruction.target)}"
            label = f"{names[place]}:" if place in names else ""
            comment = f"; {instruction.comment}" if instruction.comment else ""
            lines.append(f"{place:>3} {label:<10} {text:<42} {comment}".rstrip())
        return "\n".join(lines)


def successors(place: int, instruction: Instruction) -> tuple[int, ...]:
    """Positions that may be executed next.

    Args:
        place: Position of the instruction.
        instruction: The instruction.
    """
    if instruction.op is Op.JUMP_C:
        assert instruction.target is not None
        return place + 1, instruction.target
    return (place + 1, place + 2) if instruction.op is Op.SKIP_C else (place + 1,)


def _written(instruction: Instruction, layout: StateLayout) -> set[str]:
    if READINGS[instruction.op].sets_c:
        return {FLAG}
    if instruction.op is Op.RMW:
        (row,) = instruction.inputs
        assert isinstance(row, Immediate)
        return {str(Field(f.name)) for f in layout.in_row(row.value)}
    return set() if instruction.out is None else {str(instruction.out)}


@dataclass
class ProgramBuilder:
    """Collects instructions in order, with labels that are placed later.

    Attributes:
        name: Name of the population.
        layout: Fields of the neuron's state.
        spec: Widths that the program is made for.
        constants: Shared constants so far, by name.
    """

    name: str
    layout: StateLayout
    spec: MicrocodeSpec = DEFAULT_SPEC
    constants: dict[str, int] = field(default_factory=dict)
    _lines: list[tuple[Op, Place | None, tuple[Operand, ...], str | None, str]] = field(default_factory=list)
    _labels: dict[str, int] = field(default_factory=dict)

    def emit(self, op: Op, *inputs: Operand | int, out: Place | None = None, note: str = "") -> None:
        """Append an instruction.

        Args:
            op: Mnemonic.
            *inputs: Operands; an int becomes an immediate.
            out: Destination of the result.
            note: Comment for the listing.
        """
        operands = tuple(Immediate(i) if isinstance(i, int) else i for i in inputs)
        self._lines.append((op, out, operands, None, note))

    def jump(self, label: str, note: str = "") -> None:
        """Append a JUMP_C to a label that is placed later.

        Args:
            label: Name of the label.
            note: Comment for the listing.
        """
        self._lines.append((Op.JUMP_C, None, (), label, note))

    def label(self, name: str) -> None:
        """Give the next instruction, or the end of the program, a name."""
        self._labels[name] = len(self._lines)

    def constant(self, name: str, value: int) -> Constant:
        """Define a shared constant.

        Args:
            name: Name of the constant.
            value: Its value.

        Raises:
            MicrocodeError: the name is in use with another value.
        """
        if self.constants.setdefault(name, int(value)) != value:
            raise MicrocodeError(f"{self.name}: constant {name}: must be {self.constants[name]}, got {value}")
        return Constant(name)

    def number(self, name: str, value: int) -> Constant | Immediate:
        """An immediate where the value is short enough, otherwise a shared constant.

        Args:
            name: Name of the constant.
            value: The value.
        """
        return Immediate(value) if fits(value, value, self.spec.immediate_bits) else self.constant(name, value)

    def build(self) -> Program:
        """Resolve the labels and check the program."""
        lines: Sequence[Instruction] = [
            Instruction(op, out, inputs, None if label is None else self._labels[label], note)
            for op, out, inputs, label, note in self._lines
        ]
        return Program(self.name, tuple(lines), self.constants, self.layout, self._labels, self.spec)
