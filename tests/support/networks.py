"""Fixed small networks: a chain as of a CNN, a graph with a residual, a graph network, and codes of all kinds."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.activations import Hardswish, Silu
from loihi_onespike.core.codes import Base, BinaryCode, Codebook, DigitCode, PayloadCode, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Product, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Pool, Shape, Sparse, Window

BASE = Base.nearest(1.3)


def _weights(seed: int, shape: Shape, largest: int = 127) -> NDArray[np.int16]:
    return (2 * np.random.default_rng(seed).integers(-largest, largest + 1, shape)).astype(np.int16)


def _membrane(steps: int, mant: int, shape: Shape = (), bias: int = 0, shift: int = 2) -> Membrane:
    values = np.random.default_rng(bias).integers(-bias, bias + 1, shape)
    return Membrane((mant,) * steps, shift, np.asarray(values, dtype=np.int64), np.full(shape, 1e-3))


def _spiking(
    name: str, shape: Shape, membrane: Membrane, wait: int, threshold: int, *, timesteps: int = 4
) -> Population:
    code = PhaseCode(BASE, timesteps)
    table = ThresholdTable.from_gains(code.thresholds())
    per_channel = (shape[0], *(1,) * (len(shape) - 1))
    thresholds = (threshold * np.linspace(0.7, 1.4, shape[0])).astype(np.int64).reshape(per_channel)
    scale = np.linspace(1.0, 2.0, shape[0]).reshape(per_channel)
    return Population(name, shape, "relu", membrane, wait, code, thresholds, table, None, scale)


def _plain(name: str, shape: Shape, kind: str, steps: int, *, timesteps: int = 4) -> Population:
    """Max pooling or a relay, which forwards the first spike."""
    membrane = Membrane((4096,) * steps, 0, np.zeros((), np.int64), np.array(0.5))
    table = ThresholdTable.constant(timesteps)
    two = np.array(2, dtype=np.int64)
    return Population(name, shape, kind, membrane, 0, PhaseCode(BASE, timesteps), two, table, None, np.array(1.0))


def _two() -> NDArray[np.int16]:
    return np.array(2, dtype=np.int16)


def chain() -> Network:
    """Input (1, 8, 8) in 8 bits, convolution, max pooling, convolution, flatten, readout."""
    first = Conv(_weights(1, (3, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    pool = Pool(Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)), _two())
    second = Conv(_weights(2, (4, 3, 3, 3)), Window.plain((3, 3)))
    populations = (
        InputPopulation("input", (1, 8, 8), BinaryCode(8), np.array(1.0), np.array(0.0)),
        _spiking("conv1", (3, 8, 8), _membrane(8, 8192, (3, 8, 8), 4), 8, 300_000),
        _plain("pool1", (3, 4, 4), "max_pool", 4),
        _spiking("conv2", (4, 2, 2), _membrane(4, BASE.mant, (4, 1, 1), 90), 4, 4_000),
        Readout("readout", (10,), _membrane(4, BASE.mant, (10,), 50), "softmax"),
    )
    synapses = (
        Synapse("conv1", "input", "conv1", first),
        Synapse("pool1", "conv1", "pool1", pool),
        Synapse("conv2", "pool1", "conv2", second),
        Synapse("readout", "conv2", "readout", Dense(_weights(3, (10, 16))), np.arange(16, dtype=np.int32)),
    )
    return verify(Network("chain", populations, synapses, {"origin": "fixed", "timesteps": 4}))


def graph() -> Network:
    """Uneven padding, depthwise, dilation, a residual with its delay over a relay, a gather, weight exponents."""
    start = Conv(_weights(5, (4, 2, 2, 3)), Window((2, 3), (1, 2), ((1, 0), (2, 2)), (1, 1)))
    depthwise = Conv(_weights(6, (4, 1, 3, 1)), Window((3, 1), (1, 1), ((2, 2), (0, 0)), (2, 1)), groups=4)
    shape = (4, 4, 4)
    shuffled = np.arange(64, dtype=np.int32).reshape(shape)[::-1].copy()
    shuffled[0, 0, 0] = -1
    populations = (
        InputPopulation("input", (2, 4, 5), BinaryCode(4), np.full((2, 1, 1), 1.5), np.array(-0.5)),
        _spiking("start", shape, _membrane(4, 8192, (4, 1, 1), 20), 4, 9_000),
        _spiking("deep", shape, _membrane(4, BASE.mant, shape, 30), 3, 1_500),
        _plain("late", shape, "relay", 4),
        _spiking("sum", shape, _membrane(4, BASE.mant, (), 0, 3), 1, 2_500),
        Readout("readout", (2,), _membrane(4, BASE.mant), "identity"),
    )
    synapses = (
        Synapse("deep", "start", "deep", depthwise, weight_exp=1),
        Synapse("late", "start", "late", Diagonal(_two()), axon_delay=3),
        Synapse("sum", "deep", "sum", Diagonal(_weights(8, (4, 1, 1)))),
        Synapse("sum.1", "late", "sum", Diagonal(_weights(10, shape)), shuffled, 2, 0),
        Synapse("readout", "sum", "readout", Dense(_weights(11, (2, 64))), np.arange(64, dtype=np.int32)),
    )
    first = Synapse("start", "input", "start", start)
    return verify(Network("graph", populations, (first, *synapses), {"origin": "fixed", "timesteps": 4}))


def nodes() -> Network:
    """Single-spike input, a sparse graph map with signed neurons, a convolution in one dimension, dense per place."""
    adjacency = sp.csr_matrix(np.where(np.eye(5, 4, 1, dtype=bool), _weights(7, (5, 4)), 0).astype(np.int16))
    line = Conv(_weights(9, (3, 5, 4)), Window((4,), (3,), ((3, 4),), (1,)))
    falling = ThresholdTable.from_gains(np.array([1.0, 0.6, 0.1, -0.05]))
    signed = _spiking("signed", (5, 16), _membrane(4, BASE.mant, (5, 16), 60), 2, 2_000)
    signed = Population(**{**vars(signed), "kind": "linear", "negative": falling})
    populations = (
        InputPopulation("input", (4, 16), PhaseCode(BASE, 4), np.array(1.0), np.array(0.0)),
        signed,
        _spiking("line", (3, 7), _membrane(4, BASE.mant, (3, 1), 10), 4, 1_200),
        Readout("readout", (3, 2), _membrane(4, BASE.mant), "log_softmax"),
    )
    synapses = (
        Synapse("signed", "input", "signed", Sparse(adjacency)),
        Synapse("line", "signed", "line", line, axon_delay=2),
        Synapse("readout", "line", "readout", Dense(_weights(11, (2, 7)))),
    )
    return verify(Network("nodes", populations, synapses, {"origin": "fixed", "timesteps": 4}))


def levels() -> Network:
    """A codebook in place of a base, two-sided neurons about an offset, and a readout that follows its gains."""
    code = Codebook.nearest(np.array([0.8, 0.5, 0.25, 0.1]))
    table = ThresholdTable.from_gains(code.thresholds())
    late = ThresholdTable.from_gains(np.where(np.arange(4) < 2, np.inf, code.thresholds()))
    threshold = np.array([[[5000]], [[7000]], [[9000]]])
    hidden = Population(
        "hidden", (3, 4, 4), "relu", _membrane(4, 8192, (3, 4, 4), 900), 4, code, threshold, table, late,
        np.array([[[1.0]], [[1.5]], [[2.0]]]), np.array([[[0.25]], [[0.375]], [[0.5]]]),
    )  # fmt: skip
    read = Membrane(code.gains, 3, np.array([40, -90]), np.full((2,), 1e-3))
    conv = Conv(_weights(12, (3, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    populations = (
        InputPopulation("input", (1, 4, 4), BinaryCode(4), np.array(1.0), np.array(0.0)),
        hidden,
        Readout("readout", (2,), read),
    )
    synapses = (
        Synapse("hidden", "input", "hidden", conv),
        Synapse("readout", "hidden", "readout", Dense(_weights(13, (2, 48))), np.arange(48, dtype=np.int32)),
    )
    return verify(Network("levels", populations, synapses, {"origin": "fixed", "timesteps": 4}))


def digits() -> Network:
    """An input of five bits in digits of two, read by a convolution with a short wait."""
    source, code = DigitCode(5, 2), PhaseCode(Base.nearest(1.5), 6)
    shape, membrane = (2, 4, 4), Membrane(source.gains, 1, np.array(-20), np.full((), 1e-3))
    gains = code.thresholds() / code.thresholds()[0] * np.where(np.arange(6) < 1, 0.5, 1.0)
    conv = Conv(_weights(17, (2, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    populations = (
        InputPopulation("input", (1, 4, 4), source, np.array(1.0), np.array(-0.25)),
        Population(
            "hidden", shape, "relu", membrane, 2, code, np.array([[[6000]], [[9000]]]),
            ThresholdTable.from_gains(gains), None, np.array(1.0),
        ),
        Readout("readout", (2,), Membrane(code.gains, 0, np.array([40, -90]), np.full((2,), 1e-3))),
    )  # fmt: skip
    synapses = (
        Synapse("hidden", "input", "hidden", conv),
        Synapse("readout", "hidden", "readout", Dense(_weights(18, (2, 32))), np.arange(32, dtype=np.int32)),
    )
    return verify(Network("digits", populations, synapses, {"origin": "fixed", "timesteps": 6}))


def dithered() -> Network:
    """Nodes whose features are rounded up or down by their place, read by a dense map per node."""
    source, code = BinaryCode(3), PhaseCode(BASE, 4)
    populations = (
        InputPopulation("input", (5, 8), source, np.array(1.0), np.array(0.0), dithered=True),
        _spiking("hidden", (5, 6), Membrane(source.gains, 2, np.zeros((), np.int64), np.array(1e-3)), 3, 1_500),
        Readout("readout", (5, 2), _membrane(4, code.base.mant)),
    )
    synapses = (
        Synapse("hidden", "input", "hidden", Dense(_weights(19, (6, 8)))),
        Synapse("readout", "hidden", "readout", Dense(_weights(20, (2, 6)))),
    )
    return verify(Network("dithered", populations, synapses, {"origin": "fixed", "timesteps": 4}))


def sides() -> Network:
    """Two-sided neurons beside one-sided ones: by channel on the whole input, and by neuron with a short wait."""
    code, shape = PhaseCode(BASE, 4), (4, 4, 4)
    table = ThresholdTable.from_gains(code.thresholds() / code.thresholds()[0])
    populations = (
        InputPopulation("input", (1, 4, 4), BinaryCode(4), np.array(1.0), np.array(0.0)),
        Population(
            "channels", shape, "linear", _membrane(4, 8192, shape, 900), 4, code,
            np.array([9000, 11000, 13000, 15000]).reshape(4, 1, 1), table, table, np.array(1.0),
            np.array([0.0, 0.25, 0.0, 0.5]).reshape(4, 1, 1),
            one_sided=np.array([True, False, True, False]).reshape(4, 1, 1),
        ),
        Population(
            "neurons", (6,), "linear", _membrane(4, BASE.mant, (6,), 200, 3), 2, code, np.array(9000), table, table,
            np.array(1.0), one_sided=np.arange(6) % 3 == 0,
        ),
        Readout("readout", (2,), _membrane(4, BASE.mant, (2,), 50)),
    )  # fmt: skip
    conv = Conv(_weights(25, (4, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    synapses = (
        Synapse("channels", "input", "channels", conv),
        Synapse("neurons", "channels", "neurons", Dense(_weights(26, (6, 64))), np.arange(64, dtype=np.int32)),
        Synapse("readout", "neurons", "readout", Dense(_weights(27, (2, 6)))),
    )
    return verify(Network("sides", populations, synapses, {"origin": "fixed", "timesteps": 4}))


def payload() -> Network:
    """Messages of one spike: at the input, in max pooling of messages, and two-sided with tables that differ."""
    code = PayloadCode((5000, 40000), (7, 5, 3, 2, 7, 5, 4, 1))
    factors = code.thresholds() / code.thresholds()[0]
    table = ThresholdTable.from_gains(factors)
    late = ThresholdTable.from_gains(np.where(np.arange(8) < 4, np.inf, factors))
    shape, pooled, per_channel = (3, 4, 4), (3, 2, 2), np.array([[[1.0]], [[1.5]], [[2.0]]])
    first = Population(
        "first", shape, "relu", Membrane(code.gains, 2, np.array(300), np.full((), 1e-3)), 2, code,
        np.array([[[90000]], [[120000]], [[150000]]]), table, None, per_channel,
    )  # fmt: skip
    pool = Population(
        "pool", pooled, "max_pool", Membrane((4096,) * 2, 0, np.zeros((), np.int64), np.array(0.5)), 0, code,
        np.array(1), ThresholdTable.of_messages(code.messages), None, np.array(1.0),
    )  # fmt: skip
    both = Population(
        "both", (6,), "linear", Membrane(code.gains, 3, np.arange(-300, 300, 100), np.full((), 1e-3)), 1, code,
        np.array(100000), table, late, np.array(1.0), np.array(0.25),
    )  # fmt: skip
    # A digit of three bits for each neuron of a 2 × 2 window, the last one with a weight exponent.
    halves, groups = Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)), []
    for place in range(4):
        kernel = np.zeros((3, 1, 4), np.int16)
        kernel[:, :, place] = 2 ** min(1 + 3 * place, 7)
        op = Conv(kernel.reshape(3, 1, 2, 2), halves, groups=3)
        groups.append(Synapse(f"pool {place}", "first", "pool", op, None, max(0, 3 * place - 6)))
    conv = Conv(_weights(14, (3, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    flat = np.arange(12, dtype=np.int32)
    populations = (
        InputPopulation("input", (1, 4, 4), code, np.array(1.0), np.array(0.0)),
        first,
        pool,
        both,
        Readout("readout", (2,), Membrane(code.gains, 0, np.array([40, -90]), np.full((2,), 1e-3))),
    )
    synapses = (
        Synapse("first", "input", "first", conv),
        *groups,
        Synapse("both", "pool", "both", Dense(_weights(15, (6, 12))), flat),
        Synapse("readout", "both", "readout", Dense(_weights(16, (2, 6)))),
    )
    return verify(Network("payload", populations, synapses, {"origin": "fixed", "timesteps": 2}))


def products() -> Network:
    """Products of a signed sum and a gate of half its size that comes later; then of messages with other waits."""
    graded = PayloadCode((5000, 40000), (7, 5, 3, 2, 7, 5, 4, 1))
    plain, shape = PhaseCode(BASE, 4), (2, 4, 4)
    tables = [ThresholdTable.from_gains(code.thresholds() / code.thresholds()[0]) for code in (graded, plain)]
    gate = _spiking("gate", (2, 2, 2), _membrane(3, 8192, (2, 1, 1), 20), 3, 2_000)
    scaled = Population(
        "scaled", shape, "product", _membrane(3, 8192, (2, 1, 1), 100), 4, graded, np.array([[[5000]], [[7000]]]),
        tables[0], tables[0], np.array(1.0), np.array(0.25),
        product=Product(_membrane(4, BASE.mant, shape, 60, 3), 7, np.arange(-16, 16).reshape(shape)),
    )  # fmt: skip
    squares = Population(
        "squares", (3,), "product", Membrane(graded.gains, 0, np.array([5, 0, -7]), np.array(1e-3)), 3, plain,
        np.array(350_000), tables[1], None, np.array(1.0),
        product=Product(_membrane(3, 4500, (3,), 40, 1), 9, np.array(12)),
    )  # fmt: skip
    populations = (
        InputPopulation("input", (1, 4, 4), BinaryCode(3), np.array(1.0), np.array(0.0)),
        gate,
        scaled,
        squares,
        Readout("readout", (2,), _membrane(4, BASE.mant, (2,), 50)),
    )
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    halved = Conv(_weights(19, (2, 1, 2, 2)), Window((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)))
    twice = np.arange(8, dtype=np.int32).reshape(2, 2, 2).repeat(2, axis=1).repeat(2, axis=2)
    flat = np.arange(32, dtype=np.int32)
    synapses = (
        Synapse("gate", "input", "gate", halved),
        Synapse("scaled", "input", "scaled", Conv(_weights(20, (2, 1, 3, 3)), window), axon_delay=4),
        Synapse("scaled.gate", "gate", "scaled", Diagonal(_weights(21, (2, 1, 1))), twice, 1, factor=1),
        Synapse("squares", "scaled", "squares", Dense(_weights(22, (3, 32), 20)), flat),
        Synapse("squares.1", "input", "squares", Dense(_weights(23, (3, 16))), flat[:16], 2, 9, 1),
        Synapse("readout", "squares", "readout", Dense(_weights(24, (2, 3)))),
    )
    return verify(Network("products", populations, synapses, {"origin": "fixed", "timesteps": 4}))


def outputs() -> Network:
    """Three readouts at two depths: of a feature map, of a vector with softmax, and of the values of neurons."""
    code = PhaseCode(BASE, 4)
    table, last_first = ThresholdTable.from_gains(code.thresholds()), np.arange(6, dtype=np.int32)[::-1].copy()
    populations = (
        InputPopulation("input", (1, 4, 4), BinaryCode(4), np.array(1.0), np.array(0.0)),
        Population(
            "conv",
            (3, 4, 4),
            "relu",
            _membrane(4, 8192, (3, 4, 4), 900),
            4,
            code,
            np.array(12000),
            table,
            None,
            np.array(1.0),
        ),
        Population(
            "dense",
            (6,),
            "relu",
            Membrane((BASE.mant,) * 4, 3, np.arange(-300, 300, 100), np.full((), 1e-3)),
            2,
            code,
            np.array(1500),
            table,
            None,
            np.array(1.0),
        ),
        Readout("map", (2, 4, 4), Membrane(code.gains, 0, np.array(5), np.full((), 1e-3))),
        Readout("classes", (2,), Membrane(code.gains, 0, np.array([40, -90]), np.full((2,), 1e-3)), "softmax"),
        Readout(
            "values",
            (6,),
            Membrane(code.gains, 0, np.array(0), np.full((), 1e-3)),
            order=last_first,
        ),
    )
    conv = Conv(_weights(20, (3, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    synapses = (
        Synapse("conv", "input", "conv", conv),
        Synapse("dense", "conv", "dense", Dense(_weights(21, (6, 48))), np.arange(48, dtype=np.int32)),
        Synapse("map", "conv", "map", Conv(_weights(22, (2, 3, 1, 1)), Window.plain((1, 1)))),
        Synapse("classes", "dense", "classes", Dense(_weights(23, (2, 6)))),
        Synapse("values", "dense", "values", Diagonal(np.full((1,), 2, np.int16))),
    )
    tree = {"dict": [["map", {"output": 0}], ["rest", {"tuple": [{"output": 1}, {"output": 2}]}]]}
    facts = {"origin": "fixed", "timesteps": 4, "outputs": {"tree": tree}}
    return verify(Network("outputs", populations, synapses, facts))


def dips() -> Network:
    """Activations with a dip: SiLU at four phases on the whole input, Hardswish with messages and a short wait."""
    plain, graded = PhaseCode(BASE, 4), PayloadCode((5000, 40000), (7, 5, 3, 2, 7, 5, 4, 1))
    silu = Silu(), plain, 0.25 / plain.thresholds()[0]
    hardswish = Hardswish(), graded, 0.6 / graded.thresholds()[0]
    sides = [
        [side(code.thresholds() * scale) for side in (f.thresholds, f.negative_thresholds, f.far_thresholds)]
        for f, code, scale in (silu, hardswish)
    ]
    first, second = ([ThresholdTable.from_gains(gains / of[2].max()) for gains in of] for of in sides)
    populations = (
        InputPopulation("input", (1, 4, 4), BinaryCode(4), np.array(1.0), np.array(0.0)),
        Population(
            "silu", (3, 4, 4), "silu", _membrane(4, 8192, (3, 4, 4), 900), 4, plain,
            np.array([[[50000]], [[70000]], [[90000]]]), first[0], first[1], np.array(1.0), far=first[2],
        ),
        Population(
            "hardswish", (6,), "hardswish", Membrane((BASE.mant,) * 4, 3, np.arange(-300, 300, 100), np.full((), 1e-3)),
            2, graded, np.array(20000), second[0], second[1], np.array(1.0), far=second[2],
        ),
        Readout("readout", (2,), Membrane(graded.gains, 0, np.array([40, -90]), np.full((2,), 1e-3))),
    )  # fmt: skip
    conv = Conv(_weights(17, (3, 1, 3, 3)), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)))
    synapses = (
        Synapse("silu", "input", "silu", conv),
        Synapse("hardswish", "silu", "hardswish", Dense(_weights(18, (6, 48))), np.arange(48, dtype=np.int32)),
        Synapse("readout", "hardswish", "readout", Dense(_weights(19, (2, 6)))),
    )
    return verify(Network("dips", populations, synapses, {"origin": "fixed", "timesteps": 4}))
