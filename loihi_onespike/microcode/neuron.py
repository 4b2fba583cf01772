"""The one-spike neuron (docs/arithmetic.md, The neuron) as a program: clock, integration, decision.

    RDC a, RMW rows                                    synaptic input of the step, state
    clock = clock < period ? clock + 1 : 1             and at 1: v = bias, fired = 0
    clock ≤ input_steps:  v = saturate((v·leak_t >> 12) + (a << input_shift))
    not fired, wait < clock ≤ wait + T:  θ = (threshold·mant_k) >> shift_k;  v ≥ θ: fired = 1, SPIKE
    signed: otherwise -θ_negative ≥ v: fired = 1, SPIKE -1

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

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, V_MIN
from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Field, Op, Operand, Register
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC, MicrocodeSpec, fits
from loihi_onespike.microcode.neuron_state import one_number, own_window, state_layout
from loihi_onespike.microcode.program import Program, ProgramBuilder
from loihi_onespike.microcode.thresholds import Factor, limit_threshold

V, CLOCK, FIRED = Field("v"), Field("clock"), Field("fired")
INPUT, SUM, THETA, THETA_NEGATIVE, PAYLOAD = (Register(n) for n in ("a", "w", "theta", "theta_n", "payload"))
ONE = 2**LEAK_SHIFT
END = "end"


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
        _decide(builder, population, period)
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


def _own(builder: ProgramBuilder, name: str, values: NDArray[np.integer]) -> Operand:
    """State field where neurons differ, otherwise a shared constant."""
    return builder.constant(name, int(values.flat[0])) if one_number(values) else Field(name)


def _begin(builder: ProgramBuilder, population: Population | Readout, period: int) -> None:
    builder.emit(Op.RDC, out=INPUT, note="synaptic input of this step")
    for row in range(builder.layout.rows):
        builder.emit(Op.RMW, row)
    builder.emit(Op.LT, CLOCK, builder.number("period", period))
    builder.jump("go", "the window goes on")
    builder.emit(Op.MOV, 0, out=CLOCK, note="a new window")
    builder.emit(Op.MOV, _own(builder, "bias", population.membrane.bias), out=V)
    if isinstance(population, Population):
        builder.emit(Op.MOV, 0, out=FIRED)
    builder.label("go")
    builder.emit(Op.ADD, CLOCK, 1, out=CLOCK, note="local step t")


def _integrate(builder: ProgramBuilder, population: Population | Readout, period: int) -> None:
    membrane = population.membrane
    if membrane.input_steps < period:
        builder.emit(Op.GE, CLOCK, builder.number("after_input", membrane.input_steps + 1))
        builder.jump("decide" if isinstance(population, Population) else END, "v is held")
    _limit_input(builder, membrane.input_shift)
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


def _limit_input(builder: ProgramBuilder, input_shift: int) -> None:
    """Limit the input so that its shift fits into the registers; beyond the limit v saturates in any case."""
    if fits(0, 2 ** (builder.spec.accumulator_bits - 1 + input_shift) + 4 * 2**23, builder.spec.register_bits):
        return
    # |v·leak >> 12| ≤ 4 · 2^23, so a shifted input of 5 · 2^23 takes v beyond its range.
    largest = -(-5 * 2**23 >> input_shift)
    builder.emit(Op.MIN, INPUT, builder.constant("a_max", largest), out=INPUT, note="beyond it v saturates anyway")
    builder.emit(Op.LT, INPUT, builder.constant("a_min", -largest))
    builder.emit(Op.SEL, builder.constant("a_min", -largest), INPUT, out=INPUT)


def _decide(builder: ProgramBuilder, population: Population, period: int) -> None:
    builder.label("decide")
    if population.wait:
        builder.emit(Op.LT, CLOCK, builder.number("decides", population.wait + 1))
        builder.jump(END, "waits")
    builder.emit(Op.EQ, FIRED, 1)
    builder.jump(END, "silent after its spike")
    if population.wait + population.timesteps < period:
        builder.emit(Op.GE, CLOCK, builder.number("decided", population.wait + population.timesteps + 1))
        builder.jump(END, "no phase is left")
    negative = population.negative
    shared = negative is None or negative == population.table
    tables = [population.table] if negative is None or shared else [population.table, negative]
    segments = runs(list(zip(*(zip(t.mant, t.shift, strict=True) for t in tables), strict=True)))
    threshold = _own(builder, "threshold", population.threshold)
    only = len(segments) == 1
    names = (("", THETA), ("negative_", THETA_NEGATIVE))

    def leaf(k: int, entries: Sequence[tuple[int, int]]) -> Callable[[], None]:
        def emit() -> None:
            for (prefix, place), (mant, shift) in zip(names, entries, strict=False):
                factor = Factor(prefix, k, only, mant, shift)
                limited = limit_threshold(builder, threshold, population.threshold, factor)
                note = "θ" if only else f"θ from phase {k}"
                builder.emit(Op.MUL_SHR, limited, *factor.constants(builder), out=place, note=note)

        return emit

    theta: Operand = THETA
    theta_negative: Operand = THETA if shared else THETA_NEGATIVE
    if only and shared and Factor("", 1, True, *segments[0][1][0]).is_one:
        theta = theta_negative = threshold
    else:
        dispatch(builder, CLOCK, [(population.wait + k, leaf(k, entries)) for k, entries in segments], "phase")
    if negative is None:
        builder.emit(Op.LT, V, theta)
        builder.jump(END, "below θ")
        payload: Operand | int = 1
    else:
        builder.emit(Op.MOV, 1, out=PAYLOAD)
        builder.emit(Op.GE, V, theta)
        builder.jump("fire")
        builder.emit(Op.NEG, theta_negative, out=THETA)
        builder.emit(Op.LT, THETA, V)
        builder.jump(END, "between -θ_negative and θ")
        builder.emit(Op.MOV, -1, out=PAYLOAD)
        payload = PAYLOAD
    builder.label("fire")
    builder.emit(Op.MOV, 1, out=FIRED)
    builder.emit(Op.SPIKE, payload)
