"""The decision of neurons without payload: one threshold per phase and side.

v ≥ θ:                                     SPIKE 1
signed:      otherwise -θ_negative ≥ v:    SPIKE -1
with a dip:  otherwise -θ_negative ≥ v ≥ -θ_far:  SPIKE -1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loihi_onespike.core.graphs.network import Population
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Op, Operand, Register
from loihi_onespike.microcode.places import CLOCK, END, FIRE, PAYLOAD, THETA, leave_if_one_sided
from loihi_onespike.microcode.program import ProgramBuilder
from loihi_onespike.microcode.thresholds import Factor, entries, limit_threshold

THETA_NEGATIVE, THETA_FAR = Register("theta_n"), Register("theta_f")


def compare(builder: ProgramBuilder, population: Population, threshold: Operand, v: Operand) -> Operand | int:
    """Emit the comparison, and go to `END` where no threshold is reached.

    Args:
        builder: The program under construction.
        population: The population.
        threshold: The operand that holds the threshold.
        v: The operand that is compared.

    Returns:
        The operand or number that a spike carries.
    """
    negative, far = population.negative, population.far
    shared = negative is None or negative == population.table
    sides = [("", THETA, population.table)]
    if negative is not None and not shared:
        sides.append(("negative_", THETA_NEGATIVE, negative))
    if far is not None:
        sides.append(("far_", THETA_FAR, far))
    segments = runs(list(zip(*(entries(table) for _, _, table in sides), strict=True)))
    only = len(segments) == 1

    def leaf(k: int, entries: Sequence[tuple[int, int]]) -> Callable[[], None]:
        def emit() -> None:
            for (prefix, place, _), (mant, shift) in zip(sides, entries, strict=True):
                factor = Factor(prefix, k, only, mant, shift)
                limited = limit_threshold(builder, threshold, population.threshold, factor)
                note = "θ" if only else f"θ from phase {k}"
                builder.emit(Op.MUL_SHR, limited, *factor.constants(builder), out=place, note=note)

        return emit

    theta: Operand = THETA
    theta_negative: Operand = THETA if shared else THETA_NEGATIVE
    if only and len(sides) == 1 and Factor("", 1, True, *segments[0][1][0]).is_one:
        theta = theta_negative = threshold
    else:
        dispatch(builder, CLOCK, [(population.wait + k, leaf(k, entries)) for k, entries in segments], "phase")
    if negative is None:
        builder.emit(Op.LT, v, theta)
        builder.jump(END, "below θ")
        builder.label(FIRE)
        return 1
    builder.emit(Op.MOV, 1, out=PAYLOAD)
    builder.emit(Op.GE, v, theta)
    builder.jump(FIRE)
    builder.emit(Op.NEG, theta_negative, out=THETA)
    builder.emit(Op.LT, THETA, v)
    builder.jump(END, "between -θ_negative and θ")
    if far is not None:
        builder.emit(Op.NEG, THETA_FAR, out=THETA)
        builder.emit(Op.LT, v, THETA)
        builder.jump(END, "below -θ_far")
    leave_if_one_sided(builder, population)
    builder.emit(Op.MOV, -1, out=PAYLOAD)
    builder.label(FIRE)
    return PAYLOAD
