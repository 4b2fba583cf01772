"""The decision of neurons with payload: the search for the word that a neuron reaches, and its message.

The words of a phase have falling thresholds, and those of a dip intervals that contain each other, so the search halves
them: a neuron that fires at one of 2^b words makes b comparisons beyond the one that every silent neuron makes. Every
threshold is an operand of the place in the program that the search leads to, as the entries of a phase are (`neuron`),
and so is every message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from loihi_onespike.core.codes import V_BITS, ThresholdTable
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.microcode.dispatch import dispatch, runs
from loihi_onespike.microcode.isa import Op, Operand, Register
from loihi_onespike.microcode.places import CLOCK, END, FIRE, PAYLOAD, THETA, V, leave_if_one_sided
from loihi_onespike.microcode.program import ProgramBuilder
from loihi_onespike.microcode.thresholds import Factor, entries, limit_threshold

DISTANCE, DIGIT = Register("u"), Register("digit")


def search(builder: ProgramBuilder, population: Population, threshold: Operand, v: Operand) -> Operand:
    """Emit the search, and go to `END` where no word is reached.

    Args:
        builder: The program under construction.
        population: The population.
        threshold: The operand that holds the threshold.
        v: The operand that is compared.

    Returns:
        The register of the message.
    """
    per_phase = population.code.words_per_phase
    if population.digit_bits:
        _largest_digit(builder, population)
        v = DISTANCE
    negative, far = population.negative, population.far
    shared = negative == population.table and far is None
    tables = [population.table] if negative is None or shared else list(population.tables.values())
    words = list(zip(*(entries(t) for t in tables), population.code.messages, strict=True))
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
    leave_if_one_sided(builder, positive.population)
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
            leave_if_one_sided(self.builder, self.population)
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
