"""The one-spike neuron as a program in the published Loihi 2 instruction set, and an interpreter of that set.

    program_of(population).listing()             # the program as text, in our own notation
    instruction_counts(population).worst         # most instructions per neuron and step
    state_rows(population)                       # rows of 64 bits per neuron

`loihi_onespike.executors.microcode` runs whole networks on it. docs/microcode.md states what is published, what is
the usual reading, and what only a board can show.
"""

from loihi_onespike.microcode.instruction_counts import InstructionCounts, instruction_counts
from loihi_onespike.microcode.interpreter import Interpreter
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec
from loihi_onespike.microcode.neuron import initial_state, program_of
from loihi_onespike.microcode.neuron_state import StateLayout, state_layout, state_rows
from loihi_onespike.microcode.program import Program

__all__ = [
    "DEFAULT_SPEC",
    "InstructionCounts",
    "Interpreter",
    "MicrocodeSpec",
    "Program",
    "StateLayout",
    "initial_state",
    "instruction_counts",
    "program_of",
    "state_layout",
    "state_rows",
]
