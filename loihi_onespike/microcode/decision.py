"""The decision of a one-spike neuron as instructions: whether it fires at phase k, and with which message.

    without payload:  θ = (threshold·mant_k) >> shift_k;  v ≥ θ: fired = 1, SPIKE
                      signed: otherwise -θ_negative ≥ v: fired = 1, SPIKE -1
                      with a dip: otherwise -θ_negative ≥ v ≥ -θ_far: fired = 1, SPIKE -1
                      one-sided: otherwise nothing
    with payload:     v ≥ θ of the phase's last word: the first word of the phase with v ≥ θ is searched, SPIKE its
                      message; signed: otherwise the same with -v, SPIKE minus the message
                      with a dip: a word is reached with -v between its two thresholds

    a product:        v = saturate((first · second >> shift) + bias) is computed where a neuron decides
    max pooling:      with payload, the largest of the messages that v holds side by side takes the place of v

One-sided neurons beside others run the same program and leave it where v has reached a negative threshold; a population
of one-sided neurons alone has the program of an unsigned one.
"""

from __future__ import annotations

from dataclasses import replace

from loihi_onespike.core.graphs.network import Population
from loihi_onespike.microcode import message_search, one_threshold
from loihi_onespike.microcode.isa import Op, Operand
from loihi_onespike.microcode.neuron_state import SILENT, mixes_sides
from loihi_onespike.microcode.places import CLOCK, END, FIRED, V, operand_of
from loihi_onespike.microcode.potential import PRODUCT, multiply
from loihi_onespike.microcode.program import ProgramBuilder


def decide(builder: ProgramBuilder, population: Population, period: int) -> None:
    """Emit the decision of a population's neurons.

    Args:
        builder: The program under construction, after the integration.
        population: The population.
        period: Steps between two images.

    Raises:
        MicrocodeError: a number does not fit into the widths of the builder's specification.
    """
    mixed = mixes_sides(population)
    if population.one_sided is not None and not mixed:
        negative = None if population.one_sided.all() else population.negative
        population = replace(population, negative=negative, one_sided=None)
    builder.label("decide")
    if population.wait:
        builder.emit(Op.LT, CLOCK, builder.number("decides", population.wait + 1))
        builder.jump(END, "waits")
    builder.emit(*((Op.GE, FIRED, SILENT) if mixed else (Op.EQ, FIRED, 1)))
    builder.jump(END, "silent after its spike")
    if population.wait + population.timesteps < period:
        builder.emit(Op.GE, CLOCK, builder.number("decided", population.wait + population.timesteps + 1))
        builder.jump(END, "no phase is left")
    v: Operand = V
    if population.product is not None:
        multiply(builder, population.product)
        v = PRODUCT
    threshold = operand_of(builder, "threshold", population.threshold)
    emit = one_threshold.compare if population.code.words_per_phase == 1 else message_search.search
    payload = emit(builder, population, threshold, v)
    if mixed:
        builder.emit(Op.ADD, FIRED, SILENT, out=FIRED)
    else:
        builder.emit(Op.MOV, 1, out=FIRED)
    builder.emit(Op.SPIKE, payload)
