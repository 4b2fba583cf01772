"""Upper bounds of the instructions per neuron and step, derived from the program alone and valid for every input.

Cycles per instruction are not public; these are counts, not times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.microcode.isa import Constant, Field, Immediate, Instruction, Op, Operand
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec
from loihi_onespike.microcode.neuron import program_of
from loihi_onespike.microcode.neuron_state import own_window
from loihi_onespike.microcode.program import Program, successors

CLOCK = Field("clock")
Known: TypeAlias = "tuple[int, bool | None]"
"""Value of the clock, and of the flag where it follows from the clock."""


@dataclass(frozen=True)
class InstructionCounts:
    """Counts of one population's program.

    Attributes:
        program: Instructions in the program.
        constants: Shared constants.
        rows: Rows of 64 bits of state per neuron.
        per_step: Largest number of instructions that a neuron executes at local step 1 … period.
    """

    program: int
    constants: int
    rows: int
    per_step: tuple[int, ...]

    @property
    def worst(self) -> int:
        """Largest number of instructions in one step."""
        return max(self.per_step)

    @property
    def window(self) -> int:
        """Upper bound of the instructions in one window; no neuron decides at every phase and also fires at each."""
        return sum(self.per_step)


def instruction_counts(
    population: Population | Readout, period: int | None = None, spec: MicrocodeSpec = DEFAULT_SPEC
) -> InstructionCounts:
    """Count the instructions of a population's program.

    Args:
        population: The population.
        period: Steps between two images; by default the population's own window.
        spec: Widths that are not public.
    """
    period = own_window(population) if period is None else period
    program = program_of(population, period, spec)
    # Before step 1 the clock stands at the end of the window before.
    steps = tuple(longest_path(program, period if t == 1 else t - 1) for t in range(1, period + 1))
    return InstructionCounts(len(program), len(program.constants), program.layout.rows, steps)


def longest_path(program: Program, clock: int) -> int:
    """Largest number of instructions of one pass that begins with this value of the clock.

    Branches that depend on the clock alone are followed as they fall; of all others, the longer way counts.

    Args:
        program: The program.
        clock: Value of the clock before the pass.
    """
    best: list[dict[Known, int]] = [{} for _ in range(len(program) + 1)]
    best[0][clock, None] = 0
    for place, instruction in enumerate(program.instructions):
        for known, count in best[place].items():
            after = _after(program, instruction, known)
            for successor in _next(place, instruction, known):
                reached = best[successor]
                reached[after] = max(reached.get(after, 0), count + 1)
    return max(best[-1].values())


def _next(place: int, instruction: Instruction, known: Known) -> tuple[int, ...]:
    ways = successors(place, instruction)
    return ways if len(ways) == 1 or known[1] is None else (ways[known[1]],)


def _after(program: Program, instruction: Instruction, known: Known) -> Known:
    clock, flag = known
    values = [_value(program, i, clock) for i in instruction.inputs]
    if instruction.op in (Op.LT, Op.GE, Op.EQ):
        a, b = values
        if a is None or b is None:
            return clock, None
        return clock, {Op.LT: a < b, Op.GE: a >= b, Op.EQ: a == b}[instruction.op]
    if instruction.out == CLOCK:
        assert None not in values and instruction.op in (Op.MOV, Op.ADD), "the clock follows from itself alone"
        return sum(v for v in values if v is not None), flag
    return known


def _value(program: Program, operand: Operand, clock: int) -> int | None:
    if isinstance(operand, (Constant, Immediate)):
        return program.value(operand)
    return clock if operand == CLOCK else None
