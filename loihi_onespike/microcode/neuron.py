"""The one-spike neuron (docs/arithmetic.md, The neuron) as a program: clock, integration, decision.

    RDC a, RMW rows                                    synaptic input of the step, state
    clock = clock < period ? clock + 1 : 1             and at 1: v = bias, fired = 0
    clock ≤ input_steps:  v = saturate((v·leak_t >> 12) + (a << input_shift))
    not fired, wait < clock ≤ wait + T:  decision of phase k = clock - wait (`decision`)

The table entry of a step is found by a tree of comparisons with the clock, and is an operand of the leaf that the tree
leads to: the instruction set has no addressing by a register, and a chain of EQ and SEL over T entries would cost every
neuron 3 T instructions in each step, where the tree costs about 2 log2 T. Equal neighbouring entries share a leaf, so a
constant base needs no tree for the leak.

The local step is counted in the neuron's state. The timestep counter could provide it too, but without a division only
through a reciprocal, which is exact for a limited number of steps, or for a period that is a power of two. A counter
needs no further row. It is initialized so that window 0 begins at the population's start; before that the neurons run
idle windows, as they do after the last image. A spike of an idle window arrives in an idle window, so no image sees it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, V_MIN, signed_bits
from loihi_onespike.core.graphs.network import Membrane, Population, Readout
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.decision import CLOCK, END, FIRED, V, decide, operand_of
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Op, Register
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec, fits
from loihi_onespike.microcode.neuron_state import own_window, state_layout
from loihi_onespike.microcode.program import Program, ProgramBuilder

INPUT, SUM = Register("a"), Register("w")
ONE = 2**LEAK_SHIFT
USUAL_GAIN = 4
"""Largest gain of codes without payload; programs with gains up to it limit the input alike."""


def program_of(
    population: Population | Readout, period: int | None = None, spec: MicrocodeSpec = DEFAULT_SPEC
) -> Program:
    """Write the program of a population.

    Args:
        population: The population.
        period: Steps between two images; by default the population's own window.
        spec: Widths that are not public.

    Raises:
        ConfigurationError: the period does not fit into the clock.
        MicrocodeError: a number does not fit into the widths of `spec`.
    """
    period = own_window(population) if period is None else period
    builder = ProgramBuilder(population.name, state_layout(population, period), spec)
    _begin(builder, population, period)
    _integrate(builder, population, period)
    if isinstance(population, Population):
        decide(builder, population, period)
    builder.label(END)
    return builder.build()


def initial_state(population: Population | Readout, start: int, period: int) -> dict[str, NDArray[np.int64]]:
    """Values of the state's fields before step 1.

    Args:
        population: The population.
        start: Step after which its window 0 begins.
        period: Steps between two images.

    Returns:
        (neurons,) values of every field, by name.
    """
    values = {"v": population.membrane.bias, "bias": population.membrane.bias, "clock": np.array(-start % period)}
    values["fired"] = np.array(0)
    if isinstance(population, Population):
        values["threshold"] = population.threshold
    flat = {n: np.broadcast_to(a, population.shape).ravel().astype(np.int64) for n, a in values.items()}
    return {f.name: flat[f.name] for f in state_layout(population, period).fields}


def _begin(builder: ProgramBuilder, population: Population | Readout, period: int) -> None:
    builder.emit(Op.RDC, out=INPUT, note="synaptic input of this step")
    for row in range(builder.layout.rows):
        builder.emit(Op.RMW, row)
    builder.emit(Op.LT, CLOCK, builder.number("period", period))
    builder.jump("go", "the window goes on")
    builder.emit(Op.MOV, 0, out=CLOCK, note="a new window")
    builder.emit(Op.MOV, operand_of(builder, "bias", population.membrane.bias), out=V)
    if isinstance(population, Population):
        builder.emit(Op.MOV, 0, out=FIRED)
    builder.label("go")
    builder.emit(Op.ADD, CLOCK, 1, out=CLOCK, note="local step t")


def _integrate(builder: ProgramBuilder, population: Population | Readout, period: int) -> None:
    membrane = population.membrane
    if membrane.input_steps < period:
        builder.emit(Op.GE, CLOCK, builder.number("after_input", membrane.input_steps + 1))
        builder.jump("decide" if isinstance(population, Population) else END, "v is held")
    _limit_input(builder, membrane)
    if membrane.input_shift:
        builder.emit(Op.SHL, INPUT, builder.number("input_shift", membrane.input_shift), out=INPUT)
    segments = runs(membrane.leak)
    if len(segments) == 1 and membrane.leak[0] == ONE:
        builder.emit(Op.ADD, V, INPUT, out=SUM, note="no gain")
    else:

        def leaf(first: int, mant: int) -> Callable[[], None]:
            name = "leak" if len(segments) == 1 else f"leak_{first}"
            leak = builder.constant(name, mant)
            return lambda: builder.emit(Op.MUL_SHR, V, leak, LEAK_SHIFT, out=SUM, note="gain")

        dispatch(builder, CLOCK, [(first, leaf(first, mant)) for first, mant in segments], "input")
        builder.emit(Op.ADD, SUM, INPUT, out=SUM)
    low = builder.constant("v_min", V_MIN)
    builder.emit(Op.MIN, SUM, builder.constant("v_max", V_MAX), out=SUM, note="saturate")
    builder.emit(Op.LT, SUM, low)
    builder.emit(Op.SEL, low, SUM, out=V)


def _limit_input(builder: ProgramBuilder, membrane: Membrane) -> None:
    """Limit the input so that its shift fits into the registers; beyond the limit v saturates in any case.

    Raises:
        MicrocodeError: registers or products are too narrow for the gain.
    """
    gain = max(USUAL_GAIN, -(-max(membrane.leak) // ONE))
    potential = gain * -V_MIN
    # |v·leak >> 12| ≤ gain · 2^23, so a shifted input of (gain + 1) · 2^23 takes v beyond its range.
    beyond = potential - V_MIN
    for name, largest in (("register_bits", potential + beyond), ("product_bits", max(membrane.leak) * -V_MIN - 1)):
        bits = signed_bits(largest)
        if bits > getattr(builder.spec, name):
            raise MicrocodeError(
                f"{builder.name}: {name} must be at least {bits} for a gain of {max(membrane.leak) / ONE:.4g}, got "
                f"{getattr(builder.spec, name)}; use levels that are closer together, or more timesteps"
            )
    widest = 2 ** (builder.spec.accumulator_bits - 1 + membrane.input_shift)
    if fits(0, widest + potential, builder.spec.register_bits):
        return
    largest = -(-beyond >> membrane.input_shift)
    builder.emit(Op.MIN, INPUT, builder.constant("a_max", largest), out=INPUT, note="beyond it v saturates anyway")
    builder.emit(Op.LT, INPUT, builder.constant("a_min", -largest))
    builder.emit(Op.SEL, builder.constant("a_min", -largest), INPUT, out=INPUT)
