"""Fields, registers and labels that the parts of a neuron's program share, and the sides that a neuron may have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Population
from loihi_onespike.microcode.isa import Field, Op, Operand, Register
from loihi_onespike.microcode.neuron_state import ONE_SIDED, SILENT, one_number
from loihi_onespike.microcode.program import ProgramBuilder

V, CLOCK, FIRED = Field("v"), Field("clock"), Field("fired")
THETA, PAYLOAD = Register("theta"), Register("payload")
END, FIRE = "end", "fire"


def operand_of(builder: ProgramBuilder, name: str, values: NDArray[np.integer]) -> Operand:
    """The operand of a number of every neuron: a state field where neurons differ, otherwise a shared constant.

    Args:
        builder: The program under construction.
        name: Name of the field or constant.
        values: Its values, broadcastable to the population.
    """
    return builder.constant(name, int(values.flat[0])) if one_number(values) else Field(name)


def leave_if_one_sided(builder: ProgramBuilder, population: Population) -> None:
    """Emit the end of the pass for one-sided neurons, where v has reached a negative threshold.

    After the whole input v stays below 0, where a one-sided neuron decides nothing. It is then silent for the rest of
    the window, as after a spike, and need not find the thresholds of later phases.
    """
    if population.one_sided is None or population.negative is None:
        return
    builder.emit(Op.EQ, FIRED, ONE_SIDED)
    # Rounding makes a θ of 0 of the smallest thresholds; v = 0 reaches it on both sides.
    below_zero = bool(population.negative.thresholds(population.threshold).min() > 0)
    if population.wait >= population.input_steps and below_zero:
        builder.emit(Op.SEL, ONE_SIDED + SILENT, FIRED, out=FIRED, note="silent until the window ends")
    builder.jump(END, "a one-sided neuron")
