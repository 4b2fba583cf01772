"""Interpreter of the instruction set: one population of neurons, one pass of its program per step.

Every neuron has its own program counter. Jumps only go forward, so the neurons with the smallest counter are executed
first, all together, and neurons that branched apart meet again further down. Numbers are checked, never truncated: a
value that is too wide for its destination raises MicrocodeError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.isa import Constant, Field, Immediate, Instruction, Op, Operand, Place
from loihi_onespike.microcode.microcode_spec import fits
from loihi_onespike.microcode.program import Program

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

_COMPARE: dict[Op, Callable[[IntArray, IntArray], Mask]] = {Op.LT: np.less, Op.GE: np.greater_equal, Op.EQ: np.equal}
_COMPUTE: dict[Op, Callable[..., IntArray]] = {
    Op.MOV: lambda a: a,
    Op.AND: np.bitwise_and,
    Op.OR: np.bitwise_or,
    Op.SHL: np.left_shift,
    Op.ADD: np.add,
    Op.NEG: np.negative,
    Op.MIN: np.minimum,
}


class Interpreter:
    """Neurons that all run one program.

    Attributes:
        program: The program.
        rows: (rows, neurons) uint64, the state between two steps; nothing else lasts from step to step.
        executed: Instructions executed so far, summed over neurons.
        passes: Passes so far, summed over neurons.
    """

    def __init__(self, program: Program, state: Mapping[str, IntArray], *, signed_spikes: bool = False) -> None:
        """`state` gives the first values (neurons,) of all fields; spikes carry a payload where they are signed."""
        self.program, self.signed_spikes = program, signed_spikes
        layout = program.layout
        self.rows = np.stack([layout.pack_row(row, state) for row in range(layout.rows)])
        self.neurons = self.rows.shape[1]
        self.executed = self.passes = 0
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

    def step(self, a_in: IntArray) -> IntArray:
        """Run one pass of the program for every neuron.

        Args:
            a_in: (neurons,) synaptic input of the step.

        Returns:
            (neurons,) payloads of the spikes sent, 0 for no spike.

        Raises:
            MicrocodeError: a value does not fit where it is written, or a neuron sends a second spike.
        """
        bits = self.program.spec.accumulator_bits
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
            self.core.rows[row] = layout.pack_row(row, fields)

    def _execute(self, instruction: Instruction, place: int, active: Mask) -> None:
        op = instruction.op
        following = np.int64(place + 1)
        if op is Op.JUMP_C:
            assert instruction.target is not None
            self.counter[active] = np.where(self.flag[active], instruction.target, following)
            return
        if op is Op.SKIP_C:
            self.counter[active] = following + self.flag[active]
            return
        self.counter[active] = following
        inputs = [self._read(i) for i in instruction.inputs]
        if op is Op.RMW:
            self._open(int(inputs[0]))
        elif op is Op.RDC:
            self._write(instruction, self.a_in, active)
        elif op in _COMPARE:
            np.copyto(self.flag, _COMPARE[op](*inputs), where=active)
        elif op is Op.SPIKE:
            self._spike(instruction, inputs[0], active)
        elif op is Op.MUL_SHR:
            product = np.broadcast_to(np.multiply(inputs[0], inputs[1]), active.shape)
            self._check(instruction, product, active, self.program.spec.product_bits, "product")
            self._write(instruction, product >> inputs[2], active)
        elif op is Op.SEL:
            self._write(instruction, np.where(self.flag, inputs[0], inputs[1]), active)
        elif op is not Op.PROBE:
            self._write(instruction, _COMPUTE[op](*inputs), active)

    def _read(self, operand: Operand) -> IntArray:
        if isinstance(operand, (Constant, Immediate)):
            return self.core._numbers[operand]  # type: ignore[return-value]
        return self.values[operand]

    def _open(self, row: int) -> None:
        self.open.add(row)
        for name, values in self.program.layout.unpack_row(row, self.core.rows[row]).items():
            self.values[Field(name)] = values

    def _write(self, instruction: Instruction, result: IntArray, active: Mask) -> None:
        assert instruction.out is not None
        result = np.broadcast_to(result, active.shape)
        field = self.program.layout.by_name.get(instruction.out.name) if isinstance(instruction.out, Field) else None
        self._check(instruction, result, active, field.bits if field else self.program.spec.register_bits, "result")
        held = self.values.setdefault(instruction.out, np.zeros(active.shape, np.int64))
        np.copyto(held, result, where=active)

    def _spike(self, instruction: Instruction, payload: IntArray, active: Mask) -> None:
        payload = np.broadcast_to(payload, active.shape)
        if self.core.signed_spikes:
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
        if not fits(int(seen.min()), int(seen.max()), bits):
            raise MicrocodeError(
                f"{self.program.name}: {instruction}: {what} must fit into {bits} bits, got {seen.min()}..{seen.max()}"
            )
