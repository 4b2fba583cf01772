"""Small handwritten integer networks for runs on Lava, which together have every feature of a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.codes import Base, BinaryCode, PayloadCode, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse, Window

BASE = Base.nearest(1.5)


def weights(seed: int, shape: Shape, largest: int = 20) -> NDArray[np.int16]:
    """Random even weights up to twice `largest` in magnitude."""
    return (2 * np.random.default_rng(seed).integers(-largest, largest + 1, shape)).astype(np.int16)


def codes(network: Network, images: int, seed: int = 0) -> NDArray[np.integer]:
    """Random input codes (images, *input shape)."""
    source = network.input
    highest = int(source.code.words()[-1])
    return np.random.default_rng(seed).integers(0, highest + 1, (images, *source.shape)).astype(np.int32)


def source(shape: Shape, code: BinaryCode | PhaseCode | PayloadCode) -> InputPopulation:
    """Input population with scale 1 and offset 0."""
    return InputPopulation("input", shape, code, np.array(1.0), np.array(0.0))


def membrane(mant: int, steps: int, shift: int = 0, bias: int = 0) -> Membrane:
    """Membrane with one base and one bias for all neurons."""
    return Membrane((mant,) * steps, shift, np.array(bias, np.int64), np.array(0.5))


def neurons(
    name: str, shape: Shape, m: Membrane, wait: int, threshold: int, timesteps: int, *, kind: str = "relu"
) -> Population:
    """One-spike neurons with a θ of about `threshold` at the first decision, which then falls by the base."""
    code = PhaseCode(BASE, timesteps)
    plain = kind in ("max_pool", "relay")
    gains = code.thresholds() * m.gains[np.minimum(wait + np.arange(1, timesteps + 1), m.input_steps)]
    table = ThresholdTable.constant(timesteps) if plain else ThresholdTable.from_gains(gains / gains.max())
    negative = table if kind == "linear" else None
    limit = np.array(2 if plain else threshold, np.int64)
    return Population(name, shape, kind, m, wait, code, limit, table, negative, np.array(1.0))


def conv(seed: int, out: int, into: int, kernel: Shape, padding: tuple[tuple[int, int], ...] = ()) -> Conv:
    rank = len(kernel)
    window = Window(kernel, (1,) * rank, padding or ((0, 0),) * rank, (1,) * rank)
    return Conv(weights(seed, (out, into, *kernel)), window)


def chain(wait: int, timesteps: int = 6, *, bits: int = 4) -> Network:
    """8 × 8 input → conv → max pool → conv → average pool → dense: the structure of the demo network."""
    two = np.array(2, np.int16)
    halves = Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    q = BASE.mant
    populations = (
        source((1, 8, 8), BinaryCode(bits)),
        neurons("conv1", (4, 8, 8), membrane(8192, bits, 2, 30), min(wait, bits), 1500, timesteps),
        neurons("max1", (4, 4, 4), membrane(4096, timesteps), 0, 2, timesteps, kind="max_pool"),
        neurons("conv2", (6, 4, 4), membrane(q, timesteps, 1), wait, 300, timesteps),
        neurons("mean2", (6, 2, 2), membrane(q, timesteps, 4), wait, 120, timesteps, kind="average_pool"),
        Readout("out", (5,), membrane(q, timesteps, 0, -7)),
    )
    flat = np.arange(24, dtype=np.int32)
    synapses = (
        Synapse("conv1", "input", "conv1", conv(1, 4, 1, (3, 3), ((1, 1), (1, 1)))),
        Synapse("max1", "conv1", "max1", Pool(halves, two)),
        Synapse("conv2", "max1", "conv2", conv(2, 6, 4, (3, 3), ((1, 1), (1, 1)))),
        Synapse("mean2", "conv2", "mean2", Pool(halves, two)),
        Synapse("out", "mean2", "out", Dense(weights(3, (5, 24))), flat),
    )
    return verify(Network(f"chain, wait {wait}", populations, synapses))


def everything(wait: int, timesteps: int = 5) -> Network:
    """Signed layer, residual with axon delay and weight_exp, asymmetric padding, 1-d convolution, concatenation by
    gathers, sparse aggregation, relay, saturating v, single-spike input."""
    q = BASE.mant
    shape = (3, 8)
    m = membrane(q, timesteps, 3, 40)
    populations = (
        source(shape, PhaseCode(BASE, timesteps)),
        neurons("signed", shape, m, wait, 400, timesteps, kind="linear"),
        neurons("wide", shape, membrane(q, timesteps, 14), wait, 2_000_000, timesteps),
        neurons("joined", shape, membrane(q, timesteps, 2, -10), wait, 300, timesteps, kind="linear"),
        neurons("relay", shape, membrane(4096, timesteps), 0, 2, timesteps, kind="relay"),
        neurons("both", (6, 8), membrane(q, timesteps, 2), wait, 200, timesteps),
        Readout("out", (4, 8), membrane(q, timesteps, 1)),
    )
    places = np.arange(24, dtype=np.int32).reshape(shape)
    nothing = np.full(shape, -1, np.int32)
    hop = wait + 1
    scale = Diagonal(weights(7, (6, 1)))
    aggregate = sp.csr_matrix(np.where(np.eye(4, 6) + np.eye(4, 6, 2) > 0, weights(8, (4, 6)), 0).astype(np.int16))
    uneven = Conv(weights(4, (3, 3, 4)), Window((4,), (1,), ((1, 2),), (1,)))
    grouped = Conv(weights(5, (3, 1, 3)), Window((3,), (1,), ((2, 2),), (2,)), groups=3)
    synapses = (
        Synapse("signed", "input", "signed", uneven),
        Synapse("wide", "signed", "wide", grouped, None, 2),
        Synapse("joined", "wide", "joined", Diagonal(weights(6, shape))),
        Synapse("shortcut", "signed", "joined", Diagonal(np.array(6, np.int16)), places[::-1].copy(), 3, hop),
        Synapse("relay", "joined", "relay", Diagonal(np.array(2, np.int16)), None, 0, 4),
        Synapse("both", "relay", "both", scale, np.concatenate([places, nothing]), 1),
        Synapse("both again", "wide", "both", scale, np.concatenate([nothing, places]), 0, hop + 5),
        Synapse("out", "both", "out", Sparse(aggregate)),
    )
    return verify(Network(f"everything, wait {wait}", populations, synapses))


GRADED = PayloadCode.geometric(3.0, 3, 2, largest=7)
"""Three phases with the messages 5, 4, 3 and 2."""


def graded_neurons(
    name: str, shape: Shape, m: Membrane, wait: int, threshold: int, *, kind: str = "relu", signed: bool = False
) -> Population:
    """Neurons with the code `GRADED`; θ of the first word at the first decision is about `threshold`."""
    decided = np.minimum(wait + GRADED.phase_of(GRADED.words()[1:]), m.input_steps)
    gains = GRADED.thresholds() * m.gains[decided]
    plain = kind in ("max_pool", "relay")
    table = ThresholdTable.of_messages(GRADED.messages) if plain else ThresholdTable.from_gains(gains / gains.max())
    limit = np.array({"max_pool": 1, "relay": 2}.get(kind, threshold), np.int64)
    return Population(name, shape, kind, m, wait, GRADED, limit, table, table if signed else None, np.array(1.0))


def sides(wait: int, code: PhaseCode | PayloadCode = GRADED) -> Network:
    """Pairs of signed neurons with the same weights, of which the first is one-sided, and relays of both kinds."""
    steps, q = code.timesteps, code.gains
    # So fine that no θ is 0, and so large that the first phases are not the only ones that send.
    m = Membrane(q, 6, np.array(-60, np.int64), np.array(0.5))
    decided = np.minimum(wait + code.phase_of(code.words()[1:]), m.input_steps)
    gains = code.thresholds() * m.gains[decided]
    table = ThresholdTable.from_gains(gains / gains.max())
    copied, two, one = ThresholdTable.of_messages(code.messages), np.array(2, np.int64), np.array(1.0)
    threshold = np.array(int(1000 * gains.max()), np.int64)
    pairs = Population("pairs", (2, 8), "linear", m, wait, code, threshold, table, table, one)
    relay = Population("relay", (2, 8), "relay", membrane(4096, steps), 0, code, two, copied, copied, one)
    populations = (
        source((8,), code),
        replace(pairs, one_sided=np.array([[True], [False]])),
        replace(relay, one_sided=np.arange(16).reshape(2, 8) % 3 == 0),
        Readout("out", (3,), Membrane(q, 0, np.array(-7), np.array(0.5))),
    )
    synapses = (
        Synapse("pairs", "input", "pairs", Dense(weights(1, (8, 8))), np.tile(np.arange(8, dtype=np.int32), (2, 1))),
        Synapse("relay", "pairs", "relay", Diagonal(np.array(2, np.int16))),
        Synapse("out", "relay", "out", Dense(weights(2, (3, 16))), np.arange(16, dtype=np.int32)),
    )
    return verify(Network(f"sides, wait {wait}", populations, synapses))


def message_pool(pre: str, post: str, channels: int) -> list[Synapse]:
    """Max pooling of messages of 3 bits over 2 × 2 windows: a digit of v, and a group of synapses, for each place."""
    groups = []
    halves = Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    for place in range(4):
        exponent = max(1 + 3 * place - 7, 0)
        kernel = np.zeros((channels, 1, 4), np.int16)
        kernel[:, :, place] = 2 ** (1 + 3 * place - exponent)
        op = Conv(kernel.reshape(channels, 1, 2, 2), halves, groups=channels)
        groups.append(Synapse(f"{post} {place}", pre, post, op, None, exponent))
    return groups


def graded(wait: int) -> Network:
    """Payload everywhere: input, ReLU, max pooling of messages, signed neurons, relay, average pooling, a branch."""
    q, steps = GRADED.gains, GRADED.timesteps
    populations = (
        source((1, 8, 8), GRADED),
        graded_neurons("conv1", (4, 8, 8), Membrane(q, 2, np.array(30, np.int64), np.array(0.5)), wait, 4000),
        graded_neurons("max1", (4, 4, 4), membrane(4096, steps), 0, 1, kind="max_pool"),
        graded_neurons(
            "conv2", (6, 4, 4), Membrane(q, 1, np.array(0), np.array(0.5)), wait, 1200, kind="linear", signed=True
        ),
        graded_neurons("relay", (6, 4, 4), membrane(4096, steps), 0, 2, kind="relay", signed=True),
        graded_neurons(
            *("mean", (6, 2, 2), Membrane(q, 4, np.array(9), np.array(0.5)), wait, 700 * 3**wait),
            kind="average_pool",
            signed=True,
        ),
        Readout("out", (5,), Membrane(q, 0, np.array(-7), np.array(0.5))),
    )
    halves = Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    flat = np.arange(24, dtype=np.int32)
    synapses = (
        Synapse("conv1", "input", "conv1", conv(1, 4, 1, (3, 3), ((1, 1), (1, 1)))),
        *message_pool("conv1", "max1", 4),
        Synapse("conv2", "max1", "conv2", conv(2, 6, 4, (3, 3), ((1, 1), (1, 1)))),
        Synapse("relay", "conv2", "relay", Diagonal(np.array(2, np.int16)), None, 0, 3),
        Synapse("mean", "relay", "mean", Pool(halves, np.array(2, np.int16))),
        Synapse("mean again", "conv2", "mean", Pool(halves, np.array(4, np.int16)), None, 1, 4),
        Synapse("out", "mean", "out", Dense(weights(3, (5, 24))), flat),
    )
    return verify(Network(f"graded, wait {wait}", populations, synapses))


OPS: dict[str, tuple[Shape, LinearMap]] = {
    "conv2d": ((3, 5, 6), conv(1, 4, 3, (3, 2), ((1, 0), (0, 1)))),
    "strided": ((2, 7, 7), Conv(weights(2, (4, 2, 3, 3)), Window((3, 3), (2, 3), ((1, 1), (0, 2)), (1, 2)))),
    "grouped": ((4, 5, 5), Conv(weights(3, (6, 2, 3, 3)), Window.plain((3, 3)), groups=2)),
    "depthwise": ((3, 5, 5), Conv(weights(4, (3, 1, 2, 2)), Window.plain((2, 2)), groups=3)),
    "conv1d": ((2, 9), Conv(weights(5, (3, 2, 4)), Window((4,), (2,), ((2, 1),), (2,)))),
    "dense": ((2, 3, 7), Dense(weights(6, (4, 7)))),
    "diagonal": ((2, 3), Diagonal(weights(7, (2, 1)))),
    "pool": ((3, 5, 5), Pool(Window((3, 2), (2, 2), ((1, 1), (0, 1)), (1, 1)), np.array(-4, np.int16))),
    "sparse": ((5, 3), Sparse(sp.csr_matrix(weights(8, (6, 5)) * (weights(9, (6, 5)) > 0)))),
}
