"""The bring-up ladder: small networks, each of which shows one thing more than those before it.

    input → the population that the rung is about → readout

All numbers are written out here, so that a rung can be checked by hand. Names of populations are unique over the
ladder, because a program is written for each of them. A further variant of the neuron is one more entry of `LADDER`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import (
    LEAK_SHIFT,
    Base,
    Codebook,
    PayloadCode,
    PhaseCode,
    SingleSpikeCode,
    ThresholdTable,
)
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense, Diagonal, LinearMap, Pool, Shape, Window
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors import reference

TIMESTEPS = 4
CODE = PhaseCode(Base.nearest(1.5), TIMESTEPS)
BOOK = Codebook.nearest(np.array([1 / 1.4, 1 / 2.3, 1 / 3.1, 1 / 4.9]))
"""Levels whose ratio changes from phase to phase, so that each step has a leak of its own."""
MESSAGES = PayloadCode.geometric(4.0, 3, 1, largest=7)
"""Three phases of two messages each; a word counts both, so that words 1 and 2 belong to phase 1."""
ALL_PHASES = ((1, 2, 3), (4, 0, 1), (2, 2, 0), (0, 4, 3), (3, 1, 4), (0, 0, 0))
"""Codes of three inputs, image by image: every phase, no spike, and equal phases at one neuron."""
ALL_WORDS = ((1, 2, 3), (4, 5, 6), (2, 2, 0), (6, 1, 1), (3, 0, 5), (0, 4, 4), (0, 0, 0))
"""The same for words of `MESSAGES`."""
ONES = (2**LEAK_SHIFT,) * TIMESTEPS


@dataclass(frozen=True, eq=False)
class Rung:
    """One network of the ladder.

    Attributes:
        shows: What it shows that those before it do not.
        network: The network; its name is that of the rung.
        codes: (N, *input shape) input codes.
    """

    shows: str
    network: Network
    codes: NDArray[np.integer]

    @property
    def name(self) -> str:
        """Name of the rung."""
        return self.network.name

    def expected(self) -> StepTrace:
        """Spikes of all spiking populations and v of all populations in every step, from the oracle."""
        hidden, readouts = ([p.name for p in part] for part in (self.network.hidden, self.network.readouts))
        trace = StepTrace.silent(self.network, len(self.codes), hidden, [*hidden, *readouts])
        reference.run(self.network, self.codes, trace)
        return trace


def _membrane(leak: tuple[int, ...], shift: int = 0, bias: int | Sequence[int] = 0) -> Membrane:
    return Membrane(leak, shift, np.array(bias, np.int64), np.array(1.0))


def _neurons(
    name: str,
    membrane: Membrane,
    thresholds: Sequence[int],
    *,
    wait: int = TIMESTEPS,
    code: SingleSpikeCode = CODE,
    signed: bool = False,
) -> Population:
    """Neurons whose thresholds hold at the last step of a full wait and fall from phase to phase."""
    decided = np.minimum(wait + code.phase_of(code.words()[1:]), membrane.input_steps)
    gains = code.thresholds() * membrane.gains[decided]
    table = ThresholdTable.from_gains(gains / gains.max())
    limits, kind = np.array(thresholds, np.int64), "linear" if signed else "relu"
    negative = table if signed else None
    return Population(name, limits.shape, kind, membrane, wait, code, limits, table, negative, np.array(1.0))


def _copies(name: str, kind: str, shape: Shape, code: SingleSpikeCode = CODE, threshold: int = 2) -> Population:
    """Relays or max pooling: the first spike is passed on in its own step, the largest message of a step with it."""
    table = ThresholdTable.of_messages(code.messages)
    membrane = _membrane((2**LEAK_SHIFT,) * code.timesteps)
    return Population(name, shape, kind, membrane, 0, code, np.array(threshold), table, None, np.array(1.0))


def _network(
    name: str,
    shape: Shape,
    layers: Sequence[tuple[LinearMap, Population | Readout]],
    delays: Sequence[int] = (),
    code: SingleSpikeCode = CODE,
) -> Network:
    """A chain. Synapses are named after the populations that they reach."""
    populations: list[InputPopulation | Population | Readout] = [
        InputPopulation("input", shape, code, np.array(1.0), np.array(0.0))
    ]
    synapses = []
    for i, (op, population) in enumerate(layers):
        flat = None
        if isinstance(op, Dense) and len(populations[-1].shape) > 1:
            flat = np.arange(np.prod(populations[-1].shape), dtype=np.int32)
        delay = delays[i] if delays else 0
        synapses.append(Synapse(population.name, populations[-1].name, population.name, op, flat, 0, delay))
        populations.append(population)
    return verify(Network(name, tuple(populations), tuple(synapses)))


def _dense(*rows: Sequence[int]) -> Dense:
    return Dense(np.array(rows, np.int16))


def _readout(name: str, leak: tuple[int, ...] = CODE.gains, bias: int = 0) -> Readout:
    shape = (2,)
    return Readout(f"{name}_readout", shape, _membrane(leak, 0, bias))


def _codes(rows: Sequence[Sequence[int]] = ALL_PHASES) -> NDArray[np.integer]:
    return np.array(rows, np.int32)


_MIXED = _dense((10, -6, 14), (-18, 22, -2))
_SUMS = _dense((6, -10), (-14, 2))
TWO = Diagonal(np.array(2, np.int16))


def _payload_pool() -> Network:
    """Max pooling of messages over two inputs each: their digits stand side by side in v (docs/arithmetic.md)."""
    pool = _copies("message_pool", "max_pool", (2,), MESSAGES, threshold=1)
    source = InputPopulation("input", (4,), MESSAGES, np.array(1.0), np.array(0.0))
    groups = []
    for place in range(2):
        weight, index = np.array(2 ** (1 + place * pool.digit_bits), np.int16), np.arange(place, 4, 2, dtype=np.int32)
        groups.append(Synapse(f"digit {place}", "input", pool.name, Diagonal(weight), index))
    readout = _readout("message_pool", pool.membrane.leak)
    return verify(
        Network(
            "payload pool", (source, pool, readout), (*groups, Synapse(readout.name, pool.name, readout.name, _SUMS))
        )
    )


def _ladder() -> tuple[Rung, ...]:
    relay = _network("relay", (3,), ((TWO, _copies("relay", "relay", (3,))), (_MIXED, _readout("relay", ONES))))
    unsigned = _neurons("unsigned", _membrane(CODE.gains, 2), (150, 90))
    plain = _network("unsigned", (3,), ((_MIXED, unsigned), (_SUMS, _readout("unsigned"))))
    both = _neurons("signed", _membrane(CODE.gains, 2), (150, 99), signed=True)  # a v of -99 is reached
    signed = _network("signed", (3,), ((_MIXED, both), (_SUMS, _readout("signed"))))
    sides = _neurons("one_sided", _membrane(CODE.gains, 2), (99, 99), signed=True)
    sides = replace(sides, one_sided=np.array([True, False]))  # they differ in nothing else
    alike = _dense((-18, 22, -2), (-18, 22, -2))
    one_sided = _network("one-sided", (3,), ((alike, sides), (_SUMS, _readout("one_sided"))))
    own = _neurons("two_rows", _membrane(CODE.gains, 2, (-37, 53)), (500, 300))
    rows = _network("two state rows", (3,), ((_MIXED, own), (_SUMS, _readout("two_rows"))))
    early = _neurons("table", _membrane(BOOK.gains, 2, 21), (160, 70), wait=2, code=BOOK)
    table = _network("table", (3,), ((_MIXED, early), (_SUMS, _readout("table", BOOK.gains))), code=BOOK)
    halves = Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    pooled = _copies("max_pool", "max_pool", (1, 1, 2))
    pool = _network(
        "max pool",
        (1, 2, 4),
        ((Pool(halves, np.array(2, np.int16)), pooled), (_SUMS, _readout("max_pool", ONES))),
    )
    pool_codes = _codes(((1, 2, 0, 0, 3, 4, 0, 2), (0, 0, 4, 4, 0, 3, 3, 1), (2, 2, 0, 0, 0, 0, 0, 0)))
    direct = _network("readout", (3,), ((_MIXED, _readout("direct", bias=-11)),))
    wide = _neurons("saturating", _membrane(CODE.gains, 16, 400_000), (8_000_000, 6_000_000), signed=True)
    large = _dense((240, -148, 182), (-198, 150, 14))
    saturation = _network("saturation", (3,), ((large, wide), (_SUMS, _readout("saturating"))))
    first = _neurons("first_core", _membrane(CODE.gains, 2), (150, 90, 120))
    second = _neurons("second_core", _membrane(CODE.gains, 2), (400, 250), signed=True)
    fan = _dense((10, -6, 14), (-18, 22, -2), (8, 8, -4))
    cores = _network("two cores", (3,), ((fan, first), (_MIXED, second), (_SUMS, _readout("two_cores"))))
    late = _copies("delayed", "relay", (3,))
    delay = _network("axon delay", (3,), ((TWO, late), (_MIXED, _readout("delayed", ONES))), (3, 1))
    graded = _neurons("payload", _membrane(MESSAGES.gains, 2), (3000, 1500), wait=3, code=MESSAGES)
    payload = _network("payload", (3,), ((_MIXED, graded), (_SUMS, _readout("payload", MESSAGES.gains))), code=MESSAGES)
    words = _codes(((1, 2, 3, 1), (4, 5, 6, 4), (2, 2, 0, 0), (6, 5, 5, 0), (3, 0, 5, 6), (0, 0, 0, 0)))
    codes = _codes()
    return (
        Rung("spikes reach a core and come back, each in its step; delays of the adapters", relay, codes),
        Rung("gain and input go into v; v is held and read", direct, codes),
        Rung("wait, thresholds that fall from phase to phase, one spike in a window", plain, codes),
        Rung("negative spikes, by a message of -1", signed, codes),
        Rung("neurons that send none beside others, by a bit of `fired` that differs", one_sided, codes),
        Rung("a bias and a threshold per neuron, in two rows of state", rows, codes),
        Rung("a gain and a threshold of its own for each step; decisions while input arrives", table, codes),
        Rung("the first spike of a group", pool, pool_codes.reshape(-1, 1, 2, 4)),
        Rung("v saturates at both ends; products of 38 bits", saturation, codes),
        Rung("a message in each spike, which multiplies the weight", payload, _codes(ALL_WORDS)),
        Rung("the largest message of a group in the step of its first spike", _payload_pool(), words),
        Rung("spikes from core to core", cores, codes),
        Rung("axon delays of 3 and 1 steps", delay, codes),
    )


LADDER: tuple[Rung, ...] = _ladder()
"""In the order in which they are run; a rung needs what those before it show."""


def rung_of(name: str) -> Rung:
    """The rung of a name.

    Args:
        name: What the user asked for.

    Raises:
        ConfigurationError: there is none of that name; lists those that there are.
    """
    for rung in LADDER:
        if rung.name == name:
            return rung
    raise ConfigurationError(f"network: must be one of {', '.join(r.name for r in LADDER)}, got {name!r}")
