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

The words of a phase have falling thresholds, and those of a dip intervals that contain each other, so the search halves
them: a neuron that fires at one of 2^b words makes
b comparisons beyond the one that every silent neuron makes. Every threshold is an operand of the place in the program
that the search leads to, as the entries of a phase are (`neuron`), and so is every message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import V_BITS, V_MAX, V_MIN, ThresholdTable, signed_bits
from loihi_onespike.core.graphs.network import Population, Product
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Field, Op, Operand, Place, Register
from loihi_onespike.microcode.microcode_spec import fits
from loihi_onespike.microcode.neuron_state import ONE_SIDED, SILENT, mixes_sides, one_number
from loihi_onespike.microcode.program import ProgramBuilder
from loihi_onespike.microcode.thresholds import Factor, limit_threshold

V, CLOCK, FIRED = Field("v"), Field("clock"), Field("fired")
THETA, THETA_NEGATIVE, THETA_FAR = (Register(n) for n in ("theta", "theta_n", "theta_f"))
PAYLOAD, DISTANCE, DIGIT, PRODUCT = (Register(n) for n in ("payload", "u", "digit", "v"))
END, FIRE = "end", "fire"


def operand_of(builder: ProgramBuilder, name: str, values: NDArray[np.integer]) -> Operand:
    """The operand of a number of every neuron: a state field where neurons differ, otherwise a shared constant.

    Args:
        builder: The program under construction.
        name: Name of the field or constant.
        values: Its values, broadcastable to the population.
    """
    return builder.constant(name, int(values.flat[0])) if one_number(values) else Field(name)


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
    payload = (_binary if population.code.words_per_phase == 1 else _graded)(builder, population, threshold, v)
    if mixed:
        builder.emit(Op.ADD, FIRED, SILENT, out=FIRED)
    else:
        builder.emit(Op.MOV, 1, out=FIRED)
    builder.emit(Op.SPIKE, payload)


def saturate(builder: ProgramBuilder, wide: Register, v: Place) -> None:
    """Emit v = `core.codes.saturate_v` of a register.

    Args:
        builder: The program under construction.
        wide: The register.
        v: Where the result goes.
    """
    low = builder.constant("v_min", V_MIN)
    builder.emit(Op.MIN, wide, builder.constant("v_max", V_MAX), out=wide, note="saturate")
    builder.emit(Op.LT, wide, low)
    builder.emit(Op.SEL, low, wide, out=v)


def multiply(builder: ProgramBuilder, product: Product) -> None:
    """Emit v = saturate((first · second >> shift) + bias), in the register PRODUCT.

    The product of two numbers of 24 bits takes 48 bits with its sign; MUL_SHR keeps it until the shift. Where the
    shifted product might not fit into a register, a larger shift first tells whether it lies beyond ±2^24, where v
    saturates whatever the bias.

    Args:
        builder: The program under construction.
        product: Shift and bias.

    Raises:
        MicrocodeError: products are narrower than 48 bits.
    """
    spec = builder.spec
    if not fits(0, V_MIN * V_MIN, spec.product_bits):
        needed = signed_bits(V_MIN * V_MIN)
        raise MicrocodeError(
            f"{builder.name}: product_bits must be at least {needed} for the product of two factors of {V_BITS} bits, "
            f"got {spec.product_bits}; a core with less cannot run products of two activations"
        )
    first, second, shift = Field("first"), Field("second"), product.shift
    largest = V_MIN * V_MIN >> shift
    direct = fits(-largest + V_MIN, largest + V_MAX, spec.register_bits)
    if not direct:
        # The shift that leaves one bit free in a register, and a bound that is a constant.
        coarse = max(V_BITS * 2 - 2 - (spec.register_bits - 2), shift + V_BITS + 2 - spec.constant_bits)
        beyond = 1 << V_BITS + shift - coarse
        builder.emit(Op.MUL_SHR, first, second, builder.number("coarse", coarse), out=PRODUCT)
        builder.emit(Op.GE, PRODUCT, builder.number("beyond", beyond))
        builder.jump("above", "v saturates")
        builder.emit(Op.LT, PRODUCT, builder.number("below", -beyond))
        builder.jump("below", "v saturates")
    note = "product of both factors"
    builder.emit(Op.MUL_SHR, first, second, builder.number("product_shift", shift), out=PRODUCT, note=note)
    if np.any(product.bias):
        builder.emit(Op.ADD, PRODUCT, operand_of(builder, "bias", product.bias), out=PRODUCT)
    if np.any(product.bias) or largest > V_MAX:
        saturate(builder, PRODUCT, PRODUCT)
    if not direct:
        builder.emit(Op.EQ, CLOCK, CLOCK, note="always")
        builder.jump("multiplied")
        builder.label("above")
        builder.emit(Op.MOV, builder.constant("v_max", V_MAX), out=PRODUCT)
        builder.jump("multiplied")
        builder.label("below")
        builder.emit(Op.MOV, builder.constant("v_min", V_MIN), out=PRODUCT)
        builder.label("multiplied")


def _binary(builder: ProgramBuilder, population: Population, threshold: Operand, v: Operand) -> Operand | int:
    """One threshold per phase; the operand or number that a spike carries."""
    negative, far = population.negative, population.far
    shared = negative is None or negative == population.table
    sides = [("", THETA, population.table)]
    if negative is not None and not shared:
        sides.append(("negative_", THETA_NEGATIVE, negative))
    if far is not None:
        sides.append(("far_", THETA_FAR, far))
    segments = runs(list(zip(*(_entries(table) for _, _, table in sides), strict=True)))
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
    _leave_if_one_sided(builder, population)
    builder.emit(Op.MOV, -1, out=PAYLOAD)
    builder.label(FIRE)
    return PAYLOAD


def _leave_if_one_sided(builder: ProgramBuilder, population: Population) -> None:
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


def _entries(table: ThresholdTable) -> list[tuple[int, int]]:
    return list(zip(table.mant, table.shift, strict=True))


def _graded(builder: ProgramBuilder, population: Population, threshold: Operand, v: Operand) -> Operand:
    """Several words per phase: the search for the word that a neuron reaches; the register of its message."""
    per_phase = population.code.words_per_phase
    if population.digit_bits:
        _largest_digit(builder, population)
        v = DISTANCE
    negative, far = population.negative, population.far
    shared = negative == population.table and far is None
    tables = [population.table] if negative is None or shared else list(population.tables.values())
    words = list(zip(*(_entries(t) for t in tables), population.code.messages, strict=True))
    phases = [tuple(words[i : i + per_phase]) for i in range(0, len(words), per_phase)]
    segments = runs(phases)

    def leaf(k: int, last: bool) -> Callable[[], None]:
        first = (k - 1) * per_phase
        positive = _Search(builder, population, threshold, population.table, "", v, 1, first)
        if negative is None:
            return lambda: positive.emit(END, last)
        table, prefix, sign = (population.table, "", 1) if shared else (negative, "negative_", -1)
        kind = _Search if far is None else _DipSearch
        other = kind(builder, population, threshold, table, prefix, DISTANCE, sign, first)
        return lambda: _two_sides(builder, positive, other, shared, f"reached_{k}", last)

    blocks = [(population.wait + k, leaf(k, place == 0)) for place, (k, _) in enumerate(segments)]
    dispatch(builder, CLOCK, blocks, "phase", leaving=True)
    builder.label(FIRE)
    if shared:
        # The distance is v itself for a positive spike, and -v for a negative one.
        builder.emit(Op.EQ, DISTANCE, v)
        builder.jump("send")
        builder.emit(Op.NEG, PAYLOAD, out=PAYLOAD, note="a negative spike")
        builder.label("send")
    return PAYLOAD


def _largest_digit(builder: ProgramBuilder, population: Population) -> None:
    """DISTANCE = `core.codes.largest_digit` of v, which is not negative."""
    bits = population.digit_bits
    if int(population.table.thresholds(population.threshold).min()) > 0:
        builder.emit(Op.LT, V, 2)
        builder.jump(END, "no message")
    mask = builder.number("digit", 2**bits - 1)
    for place, low in enumerate(range(1, V_BITS - 1, bits)):
        out = DIGIT if place else DISTANCE
        builder.emit(Op.MUL_SHR, V, 1, low, out=out)
        builder.emit(Op.AND, out, mask, out=out, note=f"message {place + 1}")
        if place:
            builder.emit(Op.LT, DISTANCE, DIGIT)
            builder.emit(Op.SEL, DIGIT, DISTANCE, out=DISTANCE, note="the larger")


def _two_sides(
    builder: ProgramBuilder, positive: _Search, negative: _Search, shared: bool, reached: str, last: bool
) -> None:
    """The block of one phase of a signed population: the positive side first, as `core.graphs.network` says."""
    v = positive.distance
    if shared:
        builder.emit(Op.MOV, v, out=DISTANCE)
    positive.lowest_theta()
    builder.emit(Op.GE, v, THETA)
    builder.jump(reached)
    builder.emit(Op.NEG, v, out=DISTANCE)
    if not shared:
        negative.emit(END, last=False)
        builder.label(reached)
        positive.search(last)
        return
    builder.emit(Op.LT, DISTANCE, THETA)
    builder.jump(END, "between -θ and θ of the last word")
    _leave_if_one_sided(builder, positive.population)
    builder.label(reached)
    negative.search(last)


@dataclass(frozen=True)
class _Search:
    """The search among the words of one phase and side.

    Attributes:
        builder: The program under construction.
        population: The population.
        threshold: The operand that holds the threshold.
        table: Table of the side.
        prefix: Prefix of the names of its constants.
        distance: The operand that is compared: v, or a register that holds -v.
        sign: Sign of the messages, 1 or -1.
        before: Number of words of earlier phases.
    """

    builder: ProgramBuilder
    population: Population
    threshold: Operand
    table: ThresholdTable
    prefix: str
    distance: Operand
    sign: int
    before: int

    def emit(self, silent: str, last: bool) -> None:
        """The whole decision: to `silent` below the last word of the phase, otherwise the search.

        Args:
            silent: Label to go to where no word is reached.
            last: The instruction behind the search is where a spike is sent.
        """
        self.lowest_theta()
        self.builder.emit(Op.LT, self.distance, THETA)
        self.builder.jump(silent, "below θ of the last word")
        if self.sign < 0:
            _leave_if_one_sided(self.builder, self.population)
        self.search(last)

    def lowest_theta(self) -> None:
        """θ of the last word, the lowest of the phase."""
        self._theta(self.before + self.population.code.words_per_phase)

    def search(self, last: bool) -> None:
        """The message of the first word that is reached, given that the last one is; then to `FIRE`.

        Args:
            last: The instruction behind the search is where a spike is sent.
        """
        first = self.before + 1
        self._among(first, self.before + self.population.code.words_per_phase, last)

    def _theta(self, word: int) -> None:
        factor = Factor(self.prefix, word, False, self.table.mant[word - 1], self.table.shift[word - 1])
        limited = limit_threshold(self.builder, self.threshold, self.population.threshold, factor)
        operands = factor.constants(self.builder)
        self.builder.emit(Op.MUL_SHR, limited, *operands, out=THETA, note=f"θ of word {word}")

    def _among(self, low: int, high: int, last: bool) -> None:
        """Words low … high, of which `high` is reached."""
        middle = (low + high) // 2
        self._theta(middle)
        self.builder.emit(Op.GE, self.distance, THETA)
        if high - low == 1:
            above, below = (self.sign * self.population.code.messages[word - 1] for word in (low, high))
            self.builder.emit(Op.SEL, above, below, out=PAYLOAD, note=f"message of word {low} or {high}")
            if not last:
                self.builder.emit(Op.EQ, CLOCK, CLOCK, note="always")
                self.builder.jump(FIRE)
            return
        upper = f"{self.prefix}words_{low}_{middle}"
        self.builder.jump(upper)
        self._among(middle + 1, high, last=False)
        self.builder.label(upper)
        self._among(low, middle, last)


@dataclass(frozen=True)
class _DipSearch(_Search):
    """The search on the side of the negative spikes of a dip, where a word has a far threshold too."""

    def emit(self, silent: str, last: bool) -> None:
        self._unless_within(self.before + self.population.code.words_per_phase, silent)
        self.search(last)

    def _among(self, low: int, high: int, last: bool) -> None:
        if low == high:
            message = self.sign * self.population.code.messages[low - 1]
            self.builder.emit(Op.MOV, message, out=PAYLOAD, note=f"message of word {low}")
            if not last:
                self.builder.emit(Op.EQ, CLOCK, CLOCK, note="always")
                self.builder.jump(FIRE)
            return
        middle = (low + high) // 2
        lower = f"{self.prefix}words_{middle + 1}_{high}"
        self._unless_within(middle, lower)
        self._among(low, middle, last=False)
        self.builder.label(lower)
        self._among(middle + 1, high, last)

    def _unless_within(self, word: int, to: str) -> None:
        """To a label where the distance is not between the two thresholds of a word."""
        far = self.population.far
        assert far is not None
        self._theta(word)
        self.builder.emit(Op.LT, self.distance, THETA)
        self.builder.jump(to, f"below θ of word {word}")
        replace(self, table=far, prefix="far_")._theta(word)
        self.builder.emit(Op.LT, THETA, self.distance)
        self.builder.jump(to, f"beyond θ_far of word {word}")
