"""Small networks with one neuron variant each, for the figures of docs/microcode.md and for porting a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from loihi_onespike.core.codes import (
    LEAK_SHIFT,
    Base,
    Codebook,
    PayloadCode,
    PhaseCode,
    SingleSpikeCode,
    ThresholdTable,
)
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Product, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense, Diagonal

INPUTS, HIDDEN, OUTPUTS = 48, 32, 10
BASES = {4: 2.0, 8: 1.6, 16: 1.3, 24: 1.2}
"""Typical base for each number of timesteps."""
PAYLOADS = {2: (8.0, 4, 127), 3: (4.0, 1, 7), 4: (3.0, 3, 15), 8: (2.0, 2, 7)}
"""Typical base, bits of payload and largest message for each number of timesteps."""
IMAGES = 3
PRODUCT_SHIFT = 16


def _phase_code(timesteps: int) -> SingleSpikeCode:
    return PhaseCode(Base.nearest(BASES[timesteps]), timesteps)


def _codebook(timesteps: int) -> SingleSpikeCode:
    """Levels whose ratio changes from phase to phase."""
    ratio = BASES[timesteps] * np.linspace(0.95, 1.05, timesteps)
    return Codebook.nearest(1 / np.cumprod(ratio))


def _payload_code(timesteps: int) -> SingleSpikeCode:
    base, bits, largest = PAYLOADS[timesteps]
    return PayloadCode.geometric(base, timesteps, bits, largest=largest)


def _hidden(
    code: SingleSpikeCode, wait: int, *, signed: bool = False, one_sided: bool = False, own_bias: bool = False
) -> tuple[Population, SingleSpikeCode]:
    steps = code.timesteps
    rng = np.random.default_rng(steps)
    bias = rng.integers(-300, 300, HIDDEN) if own_bias else np.zeros((), np.int64)
    membrane = Membrane(code.gains, 2, np.asarray(bias, np.int64), np.array(1e-3))
    decided = np.minimum(wait + code.phase_of(code.words()[1:]), steps)
    gains = code.thresholds() * membrane.gains[decided]
    table = ThresholdTable.from_gains(gains / gains.max())
    typical = 400 * membrane.gain * code.levels()[0] * gains.max() / gains[0]
    threshold = rng.integers(int(0.6 * typical), int(1.4 * typical), HIDDEN)
    kind = "linear" if signed else "relu"
    negative = table if signed else None
    hidden = Population("hidden", (HIDDEN,), kind, membrane, wait, code, threshold, table, negative, np.array(1.0))
    return replace(hidden, one_sided=np.arange(HIDDEN) % 2 == 0 if one_sided else None), code


def _product(code: SingleSpikeCode) -> tuple[Population, SingleSpikeCode]:
    """Products of two sums of the same spikes, signed."""
    hidden, _ = _hidden(code, code.timesteps, signed=True)
    second = Membrane(code.gains, 3, np.array(500), np.array(1e-3))
    return replace(hidden, kind="product", product=Product(second, PRODUCT_SHIFT, np.zeros((), np.int64))), code


VARIANTS: dict[str, Callable[[int], tuple[Population, SingleSpikeCode]]] = {
    "ReLU, full wait": lambda t: _hidden(_phase_code(t), t),
    "ReLU, wait T/2": lambda t: _hidden(_phase_code(t), t // 2),
    "ReLU, full wait, a bias per neuron": lambda t: _hidden(_phase_code(t), t, own_bias=True),
    "ReLU, full wait, codebook": lambda t: _hidden(_codebook(t), t),
    "ReLU, wait T/2, codebook": lambda t: _hidden(_codebook(t), t // 2),
    "signed, full wait": lambda t: _hidden(_phase_code(t), t, signed=True),
    "signed, half one-sided, full wait": lambda t: _hidden(_phase_code(t), t, signed=True, one_sided=True),
    "signed, half one-sided, wait T/2": lambda t: _hidden(_phase_code(t), t // 2, signed=True, one_sided=True),
    "product of two sums, signed": lambda t: _product(_phase_code(t)),
}
"""Neurons without payload, for T in `BASES`."""
PAYLOAD_VARIANTS: dict[str, Callable[[int], tuple[Population, SingleSpikeCode]]] = {
    "ReLU, full wait, payload": lambda t: _hidden(_payload_code(t), t),
    "ReLU, wait T/2, payload": lambda t: _hidden(_payload_code(t), t // 2),
    "signed, full wait, payload": lambda t: _hidden(_payload_code(t), t, signed=True),
    "signed, half one-sided, full wait, payload": lambda t: _hidden(_payload_code(t), t, signed=True, one_sided=True),
}
"""Neurons with payload, for T in `PAYLOADS`."""


def example(variant: str, timesteps: int) -> Network:
    """A network input → hidden (the variant) → relay → readout; the relay runs the program of max pooling.

    With payload, max pooling over pairs of hidden neurons has a program of its own and stands beside the relay, unless
    its neurons may be negative.

    Args:
        variant: A key of `VARIANTS` or `PAYLOAD_VARIANTS`.
        timesteps: Phases of the code, T; a key of `BASES` or `PAYLOADS`.
    """
    hidden, code = (VARIANTS | PAYLOAD_VARIANTS)[variant](timesteps)
    rng = np.random.default_rng(timesteps + 1)
    two, none = np.array(2, np.int16), np.zeros((), np.int64)
    ones = (2**LEAK_SHIFT,) * timesteps
    constant = ThresholdTable.of_messages(code.messages)
    weights = [2 * rng.integers(-20, 21, shape) for shape in ((HIDDEN, INPUTS), (OUTPUTS, HIDDEN))]
    relay = Population(
        "relay",
        (HIDDEN,),
        "relay",
        Membrane(ones, 0, none, np.array(0.5)),
        0,
        code,
        np.array(2, np.int64),
        constant,
        constant if hidden.signed else None,
        np.array(1.0),
    )
    readout = Readout("readout", (OUTPUTS,), Membrane(code.gains, 0, none, np.array(1.0)))
    synapses = [
        Synapse("hidden", "input", "hidden", Dense(weights[0].astype(np.int16))),
        Synapse("relay", "hidden", "relay", Diagonal(two)),
        Synapse("readout", "relay", "readout", Dense(weights[1].astype(np.int16))),
    ]
    if hidden.product is not None:
        second = 2 * rng.integers(-60, 61, (HIDDEN, INPUTS))
        synapses.append(Synapse("second", "input", "hidden", Dense(second.astype(np.int16)), factor=1))
    pools = []
    if code.payload_bits and not hidden.signed:
        pool = replace(relay, name="pool", shape=(HIDDEN // 2,), kind="max_pool", threshold=np.array(1, np.int64))
        pools = [pool]
        synapses += _pairs(pool)
    return verify(
        Network(
            f"{variant}, T = {timesteps}",
            (InputPopulation("input", (INPUTS,), code, np.array(1.0), np.array(0.0)), hidden, relay, *pools, readout),
            tuple(synapses),
        )
    )


def _pairs(pool: Population) -> list[Synapse]:
    """Max pooling of messages over hidden neurons 2 i and 2 i + 1, with weights 2 and 2^(1 + digit_bits)."""
    groups = []
    for place in range(2):
        # Weights reach 2^7; the rest of the power of two is the weight exponent.
        power = 1 + place * pool.digit_bits
        exponent = max(power - 7, 0)
        weight = np.array(2 ** (power - exponent), np.int16)
        index = np.arange(place, HIDDEN, 2, dtype=np.int32)
        groups.append(Synapse(f"pool {place}", "hidden", "pool", Diagonal(weight), index, exponent))
    read = np.full((OUTPUTS, HIDDEN // 2), 2, np.int16)
    return [*groups, Synapse("readout of pool", "pool", "readout", Dense(read))]


def example_codes(words: int) -> np.ndarray:
    """(IMAGES, INPUTS) random code words, including 0 for no spike.

    Args:
        words: Number of code words; without payload the number of timesteps.
    """
    return np.random.default_rng(words + 2).integers(0, words + 1, (IMAGES, INPUTS)).astype(np.int16)
