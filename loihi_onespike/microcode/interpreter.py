"""Interpreter of the instruction set: one population of neurons, one pass of its program per step.

Every neuron has its own program counter. Jumps only go forward, so the neurons with the smallest counter are executed
first, all together, and neurons that branched apart meet again further down. Numbers are checked, never truncated: a
value that is too wide for its destination raises MicrocodeError. Under another reading of an instruction than the one
that the programs are written for (`semantics`) they are truncated, since such a run shows what a core would do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.isa import Constant, Field, Immediate, Instruction, Op, Operand, Place
from loihi_onespike.microcode.microcode_spec import fits
from loihi_onespike.microcode.operations import Operations, low_bits
from loihi_onespike.microcode.program import Program
from loihi_onespike.microcode.semantics import READ_AS_STATED, Semantics

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Interpreter:
    """Neurons that all run one program.

    Attributes:
        program: The program.
        semantics: How the instructions are read.
        rows: (rows, neurons) uint64, the state between two steps; nothing else lasts from step to step.
        executed: Instructions executed so far, summed over neurons.
        passes: Passes so far, summed over neurons.
    """

    def __init__(
        self,
        program: Program,
        state: Mapping[str, IntArray],
        *,
        graded_spikes: bool = False,
        semantics: Semantics = READ_AS_STATED,
    ) -> None:
        """Neurons before step 1.

        Args:
            program: The program.
            state: First values (neurons,) of all fields, by name.
            graded_spikes: Spikes carry a message, as those of signed populations and of codes with payload do.
            semantics: How the instructions are read.
        """
        self.program, self.graded_spikes, self.semantics = program, graded_spikes, semantics
        self.operations = Operations(semantics, program.spec)
        layout = program.layout
        self.rows = np.stack([layout.pack_row(row, state) for row in range(layout.rows)])
        self.neurons = self.rows.shape[1]
        self.executed = self.passes = 0
        self.waiting = np.zeros((1, self.neurons), np.int64)  # synaptic input that RDC has not cleared
        self._numbers = {
            operand: np.int64(program.value(operand))
            for instruction in program.instructions
            for operand in instruction.inputs
            if isinstance(operand, (Constant, Immediate))
        }

    def state(self, name: str) -> IntArray:
        """(neurons,) values of a field between two steps."""
        row = self.program.layout.by_name[name].row
        return self.program.layout.unpack_row(row, self.rows[row])[name]

    @property
    def as_stated(self) -> bool:
        """Whether the instructions are read as the programs expect, so that every number has to fit."""
        return self.semantics == READ_AS_STATED

    def step(self, a_in: IntArray) -> IntArray:
        """Run one pass of the program for every neuron.

        Args:
            a_in: (neurons,) synaptic input of the step, or (accumulators, neurons) where neurons have several.

        Returns:
            (neurons,) payloads of the spikes sent, 0 for no spike.

        Raises:
            MicrocodeError: a value does not fit where it is written, or a neuron sends a second spike.
        """
        bits, a_in = self.program.spec.accumulator_bits, np.atleast_2d(a_in)
        if self.semantics.rdc == "growing input":
            a_in = self.waiting = low_bits(self.waiting + a_in, bits)
        if not fits(int(a_in.min()), int(a_in.max()), bits):
            found = f"{a_in.min()}..{a_in.max()}"
            raise MicrocodeError(
                f"{self.program.name}: synaptic input of one step: must fit into {bits} bits, got {found}; lower "
                "weight_exp and raise input_shift by as much"
            )
        run = _Pass(self, a_in)
        run.run()
        self.executed += run.executed
        self.passes += self.neurons
        return run.spikes


class _Pass:
    """Registers, open rows, flag and program counters of one step."""

    def __init__(self, core: Interpreter, a_in: IntArray) -> None:
        self.core, self.program, self.a_in = core, core.program, a_in
        self.counter = np.zeros(core.neurons, np.int64)
        self.flag = np.zeros(core.neurons, bool)
        self.values: dict[Place, IntArray] = {}
        self.open: set[int] = set()
        self.spikes = np.zeros(core.neurons, np.int64)
        self.executed = 0

    def run(self) -> None:
        while (place := int(self.counter.min())) < len(self.program):
            active = self.counter == place
            self.executed += int(active.sum())
            self._execute(self.program.instructions[place], place, active)
        layout = self.program.layout
        for row in self.open:
            fields = {f.name: self.values[Field(f.name)] for f in layout.in_row(row)}
            self.core.rows[row] = layout.pack_row(row, fields, cut=not self.core.as_stated)

    def _execute(self, instruction: Instruction, place: int, active: Mask) -> None:
        op = instruction.op
        following = np.int64(place + 1)
        if op is Op.JUMP_C:
            assert instruction.target is not None
            self.counter[active] = np.where(self.flag[active], instruction.target, following)
            if not self.core.semantics.jump_keeps_c:
                self.flag[active] = False  # it was set where the jump was taken
            return
        if op is Op.SKIP_C:
            self.counter[active] = following + self.flag[active]
            return
        self.counter[active] = following
        inputs = [self._read(i) for i in instruction.inputs]
        operations = self.core.operations
        if op is Op.RMW:
            self._open(int(inputs[0]))
        elif op is Op.RDC:
            self._write(instruction, self._read_and_clear(int(inputs[0]) if inputs else 0), active)
        elif op in operations.compare:
            np.copyto(self.flag, operations.compare[op](*inputs), where=active)
        elif op is Op.SPIKE:
            self._spike(instruction, inputs[0], active)
        elif op is Op.MUL_SHR:
            product = np.broadcast_to(operations.product(inputs[0], inputs[1]), active.shape)
            self._check(instruction, product, active, self.program.spec.product_bits, "product")
            self._write(instruction, operations.shifted(product, inputs[2]), active)
        elif op is Op.SEL:
            self._write(instruction, operations.select(self.flag, *inputs), active)
        elif op is not Op.PROBE:
            self._write(instruction, operations.compute[op](*inputs), active)

    def _read_and_clear(self, accumulator: int) -> IntArray:
        """What RDC reads: the synaptic input, or the first field of row 0 where RDC is an access to state."""
        rdc, layout = self.core.semantics.rdc, self.program.layout
        if rdc in ("input", "growing input"):
            read: IntArray = self.a_in[accumulator]
            return read
        (first,) = (f for f in layout.in_row(0) if f.offset == 0)
        read = layout.unpack_row(0, self.core.rows[0], signed=self.core.semantics.signed_fields)[first.name]
        if rdc == "state cleared":  # RDC begins a pass, so all neurons are here
            self.core.rows[0] = 0
        return read

    def _read(self, operand: Operand) -> IntArray:
        if isinstance(operand, (Constant, Immediate)):
            return self.core._numbers[operand]  # type: ignore[return-value]
        if operand in self.values or self.core.as_stated:
            return self.values[operand]
        return np.zeros(self.core.neurons, np.int64)

    def _open(self, row: int) -> None:
        semantics = self.core.semantics
        if semantics.rmw == "last row":
            self.open.clear()
        if semantics.rmw != "read only":
            self.open.add(row)
        unpacked = self.program.layout.unpack_row(row, self.core.rows[row], signed=semantics.signed_fields)
        for name, values in unpacked.items():
            self.values[Field(name)] = values

    def _write(self, instruction: Instruction, result: IntArray, active: Mask) -> None:
        assert instruction.out is not None
        result = np.broadcast_to(result, active.shape)
        field = self.program.layout.by_name.get(instruction.out.name) if isinstance(instruction.out, Field) else None
        bits = field.bits if field else self.program.spec.register_bits
        if self.core.as_stated:
            self._check(instruction, result, active, bits, "result")
        elif field is None or self.core.semantics.signed_fields:
            result = low_bits(result, bits)
        held = self.values.setdefault(instruction.out, np.zeros(active.shape, np.int64))
        np.copyto(held, result, where=active)

    def _spike(self, instruction: Instruction, payload: IntArray, active: Mask) -> None:
        payload = np.broadcast_to(payload, active.shape)
        if self.core.semantics.spike == "if c":
            active = active & self.flag
        if self.core.graded_spikes and self.core.semantics.spike != "no sign":
            self._check(instruction, payload, active, self.program.spec.message_bits, "payload")
        else:
            payload = np.ones_like(payload)  # a binary spike has none
        if np.any(active & (self.spikes != 0)):
            raise MicrocodeError(
                f"{self.program.name}: {instruction}: must send at most one spike per step, got a second"
            )
        np.copyto(self.spikes, payload, where=active)

    def _check(self, instruction: Instruction, values: IntArray, active: Mask, bits: int, what: str) -> None:
        seen = values[active]
        if self.core.as_stated and not fits(int(seen.min()), int(seen.max()), bits):
            raise MicrocodeError(
                f"{self.program.name}: {instruction}: {what} must fit into {bits} bits, got {seen.min()}..{seen.max()}"
            )
