"""The one-spike neuron (docs/arithmetic.md, The neuron) as a program: clock, integration, decision.

    RDC a, RMW rows                                    synaptic input of the step, state
    clock = clock < period ? clock + 1 : 1             and at 1: v = bias, fired = 0 (or ONE_SIDED, `neuron_state`)
    clock ≤ input_steps:  v = saturate((v·leak_t >> 12) + (a << input_shift)); for each factor of a product
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

from loihi_onespike.core.codes import LEAK_SHIFT, V_MIN, signed_bits
from loihi_onespike.core.graphs.network import Membrane, Population, Readout
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.decision import decide
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Field, Op, Register
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec, fits
from loihi_onespike.microcode.neuron_state import (
    ONE_SIDED,
    bias_fields,
    mixes_sides,
    own_window,
    state_layout,
    sum_fields,
)
from loihi_onespike.microcode.places import CLOCK, END, FIRED, V, operand_of
from loihi_onespike.microcode.potential import saturate
from loihi_onespike.microcode.program import Program, ProgramBuilder

INPUT, SECOND_INPUT, SUM = Register("a"), Register("b"), Register("w")
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
    values = {"clock": np.array(-start % period), "fired": np.array(0), **bias_fields(population)}
    values |= {name: m.bias for name, m in zip(sum_fields(population), population.membranes, strict=True)}
    if isinstance(population, Population):
        values["threshold"] = population.threshold
        if population.one_sided is not None and mixes_sides(population):
            values["fired"] = ONE_SIDED * population.one_sided
    flat = {n: np.broadcast_to(a, population.shape).ravel().astype(np.int64) for n, a in values.items()}
    return {f.name: flat[f.name] for f in state_layout(population, period).fields}


def _begin(builder: ProgramBuilder, population: Population | Readout, period: int) -> None:
    builder.emit(Op.RDC, out=INPUT, note="synaptic input of this step")
    if len(population.membranes) > 1:
        builder.emit(Op.RDC, 1, out=SECOND_INPUT, note="that of the second factor")
    for row in range(builder.layout.rows):
        builder.emit(Op.RMW, row)
    builder.emit(Op.LT, CLOCK, builder.number("period", period))
    builder.jump("go", "the window goes on")
    builder.emit(Op.MOV, 0, out=CLOCK, note="a new window")
    for field, (name, bias) in zip(sum_fields(population), bias_fields(population).items(), strict=False):
        builder.emit(Op.MOV, operand_of(builder, name, bias), out=Field(field))
    if mixes_sides(population):
        builder.emit(Op.AND, FIRED, ONE_SIDED, out=FIRED, note="the side stays")
    elif isinstance(population, Population):
        builder.emit(Op.MOV, 0, out=FIRED)
    builder.label("go")
    builder.emit(Op.ADD, CLOCK, 1, out=CLOCK, note="local step t")


def _integrate(builder: ProgramBuilder, population: Population | Readout, period: int) -> None:
    """The sums of all membranes; those of a product one after the other."""
    decide = "decide" if isinstance(population, Population) else END
    membranes = population.membranes
    if len(membranes) == 1:
        _hold(builder, "", membranes[0].input_steps, period, decide)
        _integrate_one(builder, membranes[0], V, INPUT, "")
        return
    first, second = (m.input_steps for m in membranes)
    _hold(builder, "_first", first, period, decide if second <= first else "second")
    _integrate_one(builder, membranes[0], Field("first"), INPUT, "_first")
    builder.label("second")
    if second != first:
        _hold(builder, "_second", second, period, decide)
    _integrate_one(builder, membranes[1], Field("second"), SECOND_INPUT, "_second")


def _hold(builder: ProgramBuilder, suffix: str, input_steps: int, period: int, label: str) -> None:
    """To a label where no input arrives any more."""
    if input_steps < period:
        builder.emit(Op.GE, CLOCK, builder.number(f"after_input{suffix}", input_steps + 1))
        builder.jump(label, "v is held")


def _integrate_one(builder: ProgramBuilder, membrane: Membrane, v: Field, a: Register, suffix: str) -> None:
    """One step of one membrane.

    Args:
        builder: The program under construction.
        membrane: The membrane.
        v: Field of its sum.
        a: Register of its synaptic input.
        suffix: End of the names of its constants and labels.
    """
    _limit_input(builder, membrane, a, suffix)
    if membrane.input_shift:
        builder.emit(Op.SHL, a, builder.number(f"input_shift{suffix}", membrane.input_shift), out=a)
    segments = runs(membrane.leak)
    if len(segments) == 1 and membrane.leak[0] == ONE:
        builder.emit(Op.ADD, v, a, out=SUM, note="no gain")
    else:

        def leaf(first: int, mant: int) -> Callable[[], None]:
            name = f"leak{suffix}" if len(segments) == 1 else f"leak{suffix}_{first}"
            leak = builder.constant(name, mant)
            return lambda: builder.emit(Op.MUL_SHR, v, leak, LEAK_SHIFT, out=SUM, note="gain")

        dispatch(builder, CLOCK, [(first, leaf(first, mant)) for first, mant in segments], f"input{suffix}")
        builder.emit(Op.ADD, SUM, a, out=SUM)
    saturate(builder, SUM, v)


def _limit_input(builder: ProgramBuilder, membrane: Membrane, a: Register, suffix: str) -> None:
    """Limit the input so that its shift fits into the registers; beyond the limit v saturates in any case.

    Args:
        builder: The program under construction.
        membrane: The membrane that takes it.
        a: Register of the input.
        suffix: End of the names of constants.

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
    least = builder.constant(f"a_min{suffix}", -largest)
    builder.emit(Op.MIN, a, builder.constant(f"a_max{suffix}", largest), out=a, note="beyond it v saturates anyway")
    builder.emit(Op.LT, a, least)
    builder.emit(Op.SEL, least, a, out=a)
