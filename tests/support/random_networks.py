"""Growth of a random integer network, population by population.

While it grows, the network is driven by a few random inputs, and thresholds are drawn from the potentials seen, so
that spikes come at all phases. This drive only picks numbers; nothing is ever compared with it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.quantization.max_pooling import digit_synapses
from loihi_onespike.core.codes import (
    V_MAX,
    V_MIN,
    Base,
    BinaryCode,
    Code,
    Codebook,
    DigitCode,
    PayloadCode,
    PhaseCode,
    PositionalCode,
    SingleSpikeCode,
    ThresholdTable,
    largest_digit,
    leak,
    saturate_v,
)
from loihi_onespike.core.graphs.network import (
    MAX_AXON_DELAY,
    AnyPopulation,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Product,
    Readout,
    Synapse,
)
from loihi_onespike.core.graphs.verify_network import LARGEST_POWER, MAX_PRODUCT_SHIFT, verify
from loihi_onespike.core.maps import Dense, Diagonal, LinearMap, Pool, Shape, Window, op_input_shape
from loihi_onespike.core.maps.connectivity import synapse_matrix
from tests.support.choices import Choices
from tests.support.random_ops import (
    OPS,
    concat_gathers,
    even_weights,
    fit_gather,
    fresh_weights,
    random_gather,
    random_op,
    random_pool,
)

MAX_BASE = 4 * 4096
BASES = (1.3, 1.5, 1.2, 2.0, 1.06, 3.7)
KINDS = ("relu", "linear", "max_pool", "average_pool", "relay")
FINISHES = ("identity", "relu", "softmax", "log_softmax", "sigmoid", "tanh")
DRIVE_IMAGES = 4
TWO = np.array(2, np.int16)


@dataclass(frozen=True)
class NetworkOptions:
    """Contents that a random network may have; the defaults allow everything.

    Attributes:
        max_hidden: largest number of hidden populations, at least one.
        input_ranks: dimensions of the input: 1 features, 2 (C, L) or (nodes, features), 3 (C, H, W).
        ops: kinds of linear maps, from `random_ops.OPS`.
        kinds: kinds of hidden populations, from KINDS.
        timesteps: smallest and largest T.
        full_wait: every wait equals the input_steps of the population.
        gathers: allow `index` at synapses.
        branches: allow several synapses onto a population.
        delays: allow axon delays that no branch requires.
        binary_input, single_spike_input: allowed codes of the input.
        saturating: allow magnitudes that saturate v.
        payload: share of the codes with graded payload, in percent.
        dips: share of the populations of negative spikes whose activation has a dip, in percent.
        products: share of the hidden populations that are products of two factors, in percent.
        one_sided: share of the populations of negative spikes that have one-sided neurons, where they may, in percent.
        outputs: largest number of readouts.
    """

    max_hidden: int = 5
    input_ranks: tuple[int, ...] = (1, 2, 3)
    ops: tuple[str, ...] = OPS
    kinds: tuple[str, ...] = KINDS
    timesteps: tuple[int, int] = (1, 12)
    full_wait: bool = False
    gathers: bool = True
    branches: bool = True
    delays: bool = True
    binary_input: bool = True
    single_spike_input: bool = True
    saturating: bool = True
    payload: int = 0
    dips: int = 0
    products: int = 0
    one_sided: int = 80
    outputs: int = 1


@dataclass
class _Draft:
    """Unfinished network; spikes[name] holds messages (steps, images, neurons), starts[name] is as in `Network`."""

    populations: list[AnyPopulation] = field(default_factory=list)
    synapses: list[Synapse] = field(default_factory=list)
    spikes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)

    def arrival(self, pre: Population | InputPopulation) -> int:
        return self.starts[pre.name] + pre.wait + 1


def random_codes(choices: Choices, source: InputPopulation, images: int) -> NDArray[np.integer]:
    """Input codes (images, *shape) in the type of `encode_input`; zeros and the largest code are frequent."""
    rng = choices.generator()
    highest = int(source.code.words()[-1])
    codes = rng.integers(0, highest + 1, (images, *source.shape))
    special = rng.random(codes.shape)
    codes = np.where(special < 0.15, 0, np.where(special > 0.9, highest, codes))
    return codes.astype(np.int32 if isinstance(source.code, PositionalCode) else np.int16)


def grow_network(choices: Choices, options: NetworkOptions) -> Network:
    """A verified network of 1 to `max_hidden` hidden populations."""
    timesteps = choices.integer(*options.timesteps)
    draft = _Draft()
    _add_input(choices, options, draft, timesteps)
    for number in range(1, choices.integer(1, options.max_hidden) + 1):
        _add_hidden(choices, options, draft, f"layer{number}", timesteps)
    _add_readout(choices, options, draft, "readout")
    for number in range(2, choices.integer(1, options.outputs) + 1 if options.outputs > 1 else 2):
        _add_readout(choices, options, draft, f"readout{number}")
    facts = {"origin": "random", "options": {"timesteps": timesteps, "λ": [1.5, None, True]}}
    return verify(Network(f"random-{timesteps}", tuple(draft.populations), tuple(draft.synapses), facts))


def _add_input(choices: Choices, options: NetworkOptions, draft: _Draft, timesteps: int) -> None:
    rank = choices.pick(options.input_ranks)
    sizes = {1: ((1, 8),), 2: ((1, 4), (1, 8)), 3: ((1, 3), (2, 6), (2, 6))}[rank]
    shape = tuple(choices.integer(*size) for size in sizes)
    single = options.single_spike_input and (not options.binary_input or choices.chance(30))
    code = _code(choices, options, timesteps) if single else _digits(choices, options)
    per_channel = (shape[0], *(1,) * (rank - 1)) if choices.chance(50) else ()
    rng = choices.generator()
    scale, offset = rng.uniform(0.1, 3.0, per_channel), np.asarray(rng.uniform(-1, 1, per_channel))
    source = InputPopulation("input", shape, code, np.asarray(scale), offset)
    codes = random_codes(choices, source, DRIVE_IMAGES).reshape(DRIVE_IMAGES, -1)
    steps = range(1, code.timesteps + 1)
    spikes = [code.spikes(codes, t) for t in steps]
    draft.populations.append(source)
    draft.spikes["input"], draft.starts["input"] = np.stack(spikes), 0


def _digits(choices: Choices, options: NetworkOptions) -> PositionalCode:
    if options.payload and choices.chance(options.payload):
        return DigitCode(choices.integer(1, 8), choices.integer(2, 4))
    return BinaryCode(choices.integer(1, 8))


def _base(choices: Choices) -> Base:
    return Base.nearest(choices.pick(BASES))


def _code(choices: Choices, options: NetworkOptions, timesteps: int) -> SingleSpikeCode:
    """A base, a codebook with a random gain at every phase, or random messages."""
    if options.payload and choices.chance(options.payload):
        return _payload_code(choices, timesteps)
    if choices.chance(60):
        return PhaseCode(_base(choices), timesteps, choices.chance(80))
    gains = choices.generator().integers(4096 + 1, int(choices.pick((1.4, 2, 4)) * 4096), timesteps)
    return Codebook(tuple(int(g) for g in gains), choices.chance(80))


def _payload_code(choices: Choices, timesteps: int) -> PayloadCode:
    """Random messages at every phase, and random gains with which the levels fall."""
    count, largest = 2 ** choices.integer(1, 3), choices.pick((3, 10, 15, 127))
    lowest = choices.integer(1, max(largest // 8, 1))
    rng = choices.generator()
    choice = np.arange(lowest, max(min(largest, 8 * lowest), lowest + count - 1) + 1)
    messages = [np.sort(rng.choice(choice, count, replace=False))[::-1] for _ in range(timesteps)]
    gains = [int(rng.integers(4096, 8193))]
    for before, after in pairwise(messages):
        low = int(after[0] * 4096 // before[-1]) + 1  # the first level is below the last one of the phase before
        gains.append(int(rng.integers(max(low, 4096), max(low, 4096) + 4096)))
    return PayloadCode(tuple(gains), tuple(int(m) for m in np.concatenate(messages)), choices.chance(80))


def _continued(choices: Choices, code: Code, timesteps: int) -> SingleSpikeCode:
    """The same levels for another number of phases; codes with payload have the same number in all populations."""
    if isinstance(code, PayloadCode):
        return code
    if len(set(code.gains)) == 1:
        return PhaseCode(Base(min(code.gains[0], MAX_BASE)), timesteps, choices.chance(80))
    return Codebook(_longer(code.gains, timesteps), choices.chance(80))


def _longer(gains: tuple[int, ...], steps: int) -> tuple[int, ...]:
    """The first `steps` gains; the last one is repeated where there are fewer."""
    return (*gains, *(gains[-1],) * steps)[:steps]


def _add_hidden(choices: Choices, options: NetworkOptions, draft: _Draft, name: str, timesteps: int) -> None:
    if options.products and choices.chance(options.products):
        _add_product(choices, options, draft, name, timesteps)
        return
    kind = choices.pick(options.kinds)
    pre = _pick_pre(choices, draft)
    if kind in ("max_pool", "average_pool") and len(pre.shape) == 1:
        kind = "relu" if "relu" in options.kinds else kind
    if kind == "max_pool" and pre.code.payload_bits and isinstance(pre, Population) and pre.signed:
        kind = "relay"
    synapses, shape = _incoming(choices, options, draft, name, pre, kind)
    steps = max(draft.spikes[s.pre].shape[0] for s in synapses)
    plain = kind in ("max_pool", "relay")
    wait = steps if options.full_wait and not plain else 0 if plain else choices.integer(0, steps)
    same = plain or choices.chance(50)
    code = _continued(choices, pre.code, timesteps) if same else _code(choices, options, timesteps)
    if plain:
        membrane = Membrane((4096,) * steps, 0, np.zeros((), np.int64), np.array(0.5))
    else:
        membrane = _membrane(choices, options, shape, steps, pre)
    v = _drive(draft, synapses, membrane, shape)
    table = ThresholdTable.of_messages(code.messages) if plain else _table(choices, code, membrane, wait)
    negative = None
    if kind == "linear" or (kind == "relay" and isinstance(pre, Population) and pre.signed):
        negative = table if choices.chance(70) or plain else _table(choices, code, membrane, wait)
    digits = kind == "max_pool" and code.payload_bits > 0
    threshold = np.array(1 if digits else 2, np.int64) if plain else _threshold(choices, shape, code, table, v, wait)
    scale = np.asarray(choices.generator().uniform(0.1, 5.0, _broadcast(choices, shape)))
    offset = np.asarray(0.5 * scale) if negative is not None and not plain and choices.chance(50) else np.zeros(())
    far = None
    if options.dips and negative is not None and not plain and choices.chance(options.dips):
        far = _far_table(choices, code, negative)
    population = Population(name, shape, kind, membrane, wait, code, threshold, table, negative, scale, offset, far)
    population = replace(population, one_sided=_one_sided(options, population))
    draft.populations.append(population)
    draft.synapses += synapses
    draft.spikes[name] = _spikes(population, v)


def _one_sided(options: NetworkOptions, population: Population) -> NDArray[np.bool_] | None:
    """Random one-sided neurons of a population, mostly channels.

    They follow from the rest of the population, not from the source of decisions, which draws the same with and
    without them.
    """
    rng = np.random.default_rng(zlib.crc32(population.threshold.tobytes() + population.scale.tobytes()))
    tables = population.tables.values()
    positive = min(min(t.mant) for t in tables) > 0 and population.threshold.min() > 0
    may = population.negative is not None and population.far is None and positive
    if not may or rng.integers(100) >= options.one_sided:
        return None
    per_channel = (population.shape[0], *(1,) * (len(population.shape) - 1))
    size = (per_channel, per_channel, population.shape, population.shape, ())[rng.integers(5)]
    one_sided = np.asarray(rng.random(size) < rng.choice((0.3, 0.7)))
    if one_sided.all() == one_sided.any():  # both kinds, where there is room for both
        one_sided.flat[0] ^= one_sided.size > 1
    return one_sided


def _add_product(choices: Choices, options: NetworkOptions, draft: _Draft, name: str, timesteps: int) -> None:
    """A population whose v is the product of two sums of random maps."""
    pre = _pick_pre(choices, draft)
    first, shape = _incoming(choices, options, draft, name, pre, "product")
    second, other = _second_factor(choices, options, draft, name, shape)
    membranes, sums = [], []
    for synapses, source in ((first, pre), (second, other)):
        steps = max(draft.spikes[s.pre].shape[0] for s in synapses)
        membranes.append(_membrane(choices, options, shape, steps, source))
        sums.append(_drive(draft, synapses, membranes[-1], shape))
    wait = max(len(s) for s in sums)
    u, w = (s[np.minimum(np.arange(wait), len(s) - 1)] for s in sums)
    largest = int(np.abs(u[-1] * w[-1]).max())
    fitting = largest.bit_length() - 20 + choices.integer(-4, 4)
    shift = choices.integer(0, MAX_PRODUCT_SHIFT) if choices.chance(15) else int(np.clip(fitting, 0, MAX_PRODUCT_SHIFT))
    rng = choices.generator()
    bias = rng.integers(-1000, 1001, _broadcast(choices, shape)) * choices.pick((0, 1, 100))
    product = Product(membranes[1], shift, np.asarray(bias, dtype=np.int64))
    v = saturate_v((u * w >> shift) + np.broadcast_to(product.bias, shape).ravel())
    code = _continued(choices, pre.code, timesteps) if choices.chance(50) else _code(choices, options, timesteps)
    table = _table(choices, code, membranes[0], wait)
    negative = (
        (table if choices.chance(70) else _table(choices, code, membranes[0], wait)) if choices.chance(70) else None
    )
    threshold = _threshold(choices, shape, code, table, v, wait)
    scale = np.asarray(rng.uniform(0.1, 5.0, _broadcast(choices, shape)))
    population = Population(
        name, shape, "product", membranes[0], wait, code, threshold, table, negative, scale, product=product
    )
    draft.populations.append(population)
    draft.synapses += first + second
    draft.spikes[name] = _spikes(population, v)


def _second_factor(
    choices: Choices, options: NetworkOptions, draft: _Draft, name: str, shape: Shape
) -> tuple[list[Synapse], Population | InputPopulation]:
    """Synapses of the second factor, from a population whose phases can line up, and that population."""
    early = [
        p
        for p in draft.populations
        if isinstance(p, (Population, InputPopulation)) and 0 <= draft.starts[name] - draft.arrival(p) <= MAX_AXON_DELAY
    ]
    source = choices.pick(early[::-1])
    delay = draft.starts[name] - draft.arrival(source)
    op: LinearMap = Diagonal(even_weights(choices, _broadcast(choices, shape)))
    if choices.chance(30):
        op = Dense(even_weights(choices, (shape[-1], shape[-1])))
    synapses = []
    for number in range(choices.integer(1, 2)):
        index = fit_gather(choices, source.shape, shape)
        if options.gathers and choices.chance(40):
            index = choices.generator().integers(-1, prod(source.shape), shape).astype(np.int32)
        exponent = choices.integer(0, 2)
        own = fresh_weights(choices, op)
        synapses.append(Synapse(f"{name}.factor.{number}", source.name, name, own, index, exponent, delay, 1))
    return synapses, source


def _add_readout(choices: Choices, options: NetworkOptions, draft: _Draft, name: str) -> None:
    pre = _pick_pre(choices, draft)
    synapses, shape = _incoming(choices, options, draft, name, pre, "readout")
    steps = max(draft.spikes[s.pre].shape[0] for s in synapses)
    membrane = _membrane(choices, options, shape, steps, pre)
    order = None
    if choices.chance(30):
        order = choices.generator().permutation(prod(shape)).astype(np.int32)
        order[:1] = choices.pick([-1, order[0]])
    draft.populations.append(Readout(name, shape, membrane, choices.pick(FINISHES), order))
    draft.synapses += synapses


def _pick_pre(choices: Choices, draft: _Draft) -> Population | InputPopulation:
    candidates = [p for p in draft.populations if not isinstance(p, Readout)]
    return candidates[choices.integer(0, len(candidates) - 1)] if choices.chance(25) else candidates[-1]


def _incoming(
    choices: Choices, options: NetworkOptions, draft: _Draft, name: str, pre: Population | InputPopulation, kind: str
) -> tuple[list[Synapse], Shape]:
    """Synapses onto a new population with delays that line their phases up, and the shape of the population."""
    if kind in ("max_pool", "relay"):
        plain = _pooling(choices, name, pre) if kind == "max_pool" else [Synapse(name, pre.name, name, Diagonal(TWO))]
        delay = choices.integer(0, 9) if options.delays else 0
        draft.starts[name] = draft.arrival(pre) + delay
        shape = plain[0].op.output_shape(op_input_shape(pre.shape, plain[0].index))
        return [replace(s, axon_delay=delay) for s in plain], shape
    index = random_gather(choices, pre.shape) if options.gathers and choices.chance(30) else None
    sources = [(pre, index)]
    others = [p for p in draft.populations if isinstance(p, (Population, InputPopulation))]
    if options.branches and choices.chance(35):
        other = choices.pick(others)
        both = concat_gathers(pre.shape, other.shape) if options.gathers and choices.chance(40) else None
        seen = op_input_shape(pre.shape, index)
        if both is not None:
            sources = [(pre, both[0]), (other, both[1])]
        elif options.gathers or other.shape == seen:
            sources.append((other, fit_gather(choices, other.shape, seen)))
    latest = max(draft.arrival(p) for p, _ in sources)
    sources = [(p, i) for p, i in sources if latest - draft.arrival(p) <= MAX_AXON_DELAY]
    room = MAX_AXON_DELAY - max(latest - draft.arrival(p) for p, _ in sources)
    extra = min(room, choices.integer(1, 5)) if options.delays and choices.chance(20) else 0
    draft.starts[name] = latest + extra
    seen = op_input_shape(sources[0][0].shape, sources[0][1])
    averages = kind == "average_pool" and len(seen) > 1
    op: LinearMap = random_pool(choices, seen, 2) if averages else random_op(choices, seen, options.ops)
    synapses = []
    for number, (source, gather) in enumerate(sources):
        synapses.append(
            Synapse(
                name if number == 0 else f"{name}.{number}",
                source.name,
                name,
                op if number == 0 else fresh_weights(choices, op),
                gather,
                choices.integer(0, 3) if choices.chance(30) else 0,
                draft.starts[name] - draft.arrival(source),
            )
        )
    return synapses, op.output_shape(seen)


def _pooling(choices: Choices, name: str, pre: Population | InputPopulation) -> list[Synapse]:
    """Synapses of a random max pooling; that of messages has windows that fit into v."""
    op = random_pool(choices, pre.shape, 2)
    if not pre.code.payload_bits:
        return [Synapse(name, pre.name, name, op)]
    bits = pre.code.largest_message.bit_length()
    if 1 + bits * (op.window.count - 1) > LARGEST_POWER:  # two neurons in a row, where there are two
        op = Pool(Window.plain((*(1,) * (len(pre.shape) - 2), min(2, pre.shape[-1]))), TWO)
    return digit_synapses(name, op.output_shape(pre.shape), bits, [pre.name], [synapse_matrix(op, pre.shape)])


def _broadcast(choices: Choices, shape: Shape) -> Shape:
    """One value in all, one per channel or one per neuron."""
    return choices.pick(((), (shape[0], *(1,) * (len(shape) - 1)), shape))


def _membrane(
    choices: Choices, options: NetworkOptions, shape: Shape, steps: int, pre: Population | InputPopulation
) -> Membrane:
    if choices.chance(80):
        mants = _longer(pre.code.gains, steps)
    elif choices.chance(50):
        mants = (choices.integer(4096, 4 * 4096),) * steps
    else:
        mants = tuple(int(m) for m in choices.generator().integers(4096, 4 * 4096, steps, endpoint=True))
    wide = options.saturating and choices.chance(15)
    shift = choices.integer(12, 16) if wide else choices.pick((0, 0, 1, 3, 6))
    largest = choices.pick((100, 0, 2000)) << shift
    rng = choices.generator()
    bias = np.clip(rng.integers(-largest, largest + 1, _broadcast(choices, shape)), V_MIN, V_MAX)
    unit = np.asarray(rng.uniform(1e-4, 1.0, _broadcast(choices, shape)))
    return Membrane(mants, shift, np.asarray(bias, dtype=np.int64), unit)


def _table(choices: Choices, code: SingleSpikeCode, membrane: Membrane, wait: int) -> ThresholdTable:
    """The table of a ReLU (growing v, falling θ), or any falling one with entries below zero (other activations)."""
    phases = code.phase_of(code.words()[1:])
    if choices.chance(15):
        return ThresholdTable.from_gains(np.sort(choices.generator().uniform(-0.5, 1.0, len(phases)))[::-1])
    gains = code.thresholds() * membrane.gains[np.minimum(wait + phases, membrane.input_steps)]
    return ThresholdTable.from_gains(gains / gains.max())


def _far_table(choices: Choices, code: SingleSpikeCode, negative: ThresholdTable) -> ThresholdTable:
    """Far thresholds that grow from word to word within a phase; some intervals are empty, or a single number."""
    near = np.minimum(negative.gains(), 1.0).reshape(-1, code.words_per_phase)
    width = np.sort(choices.generator().uniform(-0.1, 1.0, near.shape), axis=1)
    far = np.maximum.accumulate(np.maximum(near[:, :1], 0.0) + np.where(width < 0.05, 0.0, width), axis=1)
    return ThresholdTable.from_gains(far.ravel())


def _drive(draft: _Draft, synapses: list[Synapse], membrane: Membrane, shape: Shape) -> NDArray[np.int64]:
    """v at steps 1..input_steps under the draft's inputs, (input_steps, images, neurons)."""
    a_in = np.zeros((membrane.input_steps, DRIVE_IMAGES, prod(shape)), np.int64)
    by_name = {p.name: p for p in draft.populations}
    for synapse in synapses:
        matrix = synapse_matrix(synapse.op, by_name[synapse.pre].shape, synapse.index).astype(np.int64)
        for t, spikes in enumerate(draft.spikes[synapse.pre]):
            a_in[t] += (matrix @ spikes.T).T << synapse.weight_exp
    v = np.broadcast_to(membrane.bias, shape).reshape(1, -1)
    history = []
    for mant, current in zip(membrane.leak, a_in, strict=True):
        v = saturate_v(leak(v, mant) + (current << membrane.input_shift))
        history.append(v)
    return np.stack(history)


def _at_decision(v: NDArray[np.int64], wait: int, phase: NDArray[np.integer] | int) -> NDArray[np.integer]:
    """Place in v's first axis of the decision about `phase`."""
    return np.minimum(wait + np.asarray(phase), len(v)) - 1


def _threshold(
    choices: Choices, shape: Shape, code: SingleSpikeCode, table: ThresholdTable, v: NDArray[np.int64], wait: int
) -> NDArray[np.int64]:
    """Thresholds that some neuron reaches for a random word in one of the images."""
    size = _broadcast(choices, shape)
    rng = choices.generator()
    word = rng.integers(1, len(table.mant) + 1, size)
    neuron = np.arange(prod(shape)).reshape(shape) if size == shape else rng.integers(0, prod(shape), size)
    reached = v[_at_decision(v, wait, code.phase_of(word)), rng.integers(0, DRIVE_IMAGES, size), neuron]
    gains = table.gains()[word - 1]
    threshold = np.abs(reached) / np.where(np.abs(gains) > 1e-3, np.abs(gains), 1.0)
    return np.asarray(np.clip(np.rint(threshold), 1, V_MAX), dtype=np.int64)


def _spikes(population: Population, v: NDArray[np.int64]) -> NDArray[np.int64]:
    """Messages (T, images, neurons) that follow from v."""
    threshold = np.broadcast_to(population.threshold, population.shape).ravel()
    theta = population.table.thresholds(threshold)
    negative = population.negative_thresholds(population.shape)
    negative = None if negative is None else negative.reshape(len(negative), -1)
    far = np.full(theta.shape, V_MAX + 1) if population.far is None else population.far.thresholds(threshold)
    sent = np.zeros(v.shape[1:], np.int64)
    of_phase = population.code.words_per_phase
    for k in range(1, population.timesteps + 1):
        now = v[_at_decision(v, population.wait, k)]
        if population.digit_bits:
            now = largest_digit(now, population.digit_bits)
        for sign, side in ((1, theta), (-1, negative)) if negative is not None else ((1, theta),):
            for w in range((k - 1) * of_phase + 1, k * of_phase + 1):
                reached = (sign * now >= side[w - 1]) & ((sign > 0) | (-now <= far[w - 1]))
                sent = np.where((sent == 0) & reached, sign * w, sent)
    return np.stack([population.code.spikes(sent, k) for k in range(1, population.timesteps + 1)])


def with_options(options: NetworkOptions | None, **changes: object) -> NetworkOptions:
    return replace(options or NetworkOptions(), **changes)  # type: ignore[arg-type]
