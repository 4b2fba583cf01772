"""Max pooling of one image row by hand: synapses without payload, and digits with it."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.quantization.headroom import Headroom
from loihi_onespike.conversion.quantization.max_pooling import max_pooling
from loihi_onespike.core.activations import Relu
from loihi_onespike.core.codes import Base, PayloadCode, PhaseCode, SingleSpikeCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.graphs.stage import Link, Stage, StagePlan
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense, Pool, Window
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.errors import GraphError
from loihi_onespike.executors import reference

ONE = np.ones(())
SMALL = PayloadCode((4096, 8192), (3, 2, 3, 2))


def _pooled(
    code: SingleSpikeCode,
    kernel: tuple[int, int],
    shape: tuple[int, int, int],
    pres: tuple[str, ...] = ("input",),
    behind: int = 0,
) -> Network:
    """Inputs, each with the same pooling window, and a readout."""
    pool = Pool(Window(kernel, kernel, ((0, 0), (0, behind)), (1, 1)), np.array(1.0))
    out = pool.output_shape(shape)
    links = tuple(Link(pre, pool, None, ONE) for pre in pres)
    stage = Stage("pool", out, "max_pool", links, np.zeros(()), Relu(), ())
    plan = StagePlan.of(Relu(), code, ONE, 0)
    source = InputPopulation("input", shape, code, ONE, np.zeros(()))
    population, synapses = max_pooling(stage, plan, {"input": source}, code.timesteps)
    readout = Readout("readout", (1,), Membrane(code.gains, 0, np.array(0), ONE))
    flat = np.arange(np.prod(out), dtype=np.int32)
    last = Synapse("readout", "pool", "readout", Dense(np.full((1, len(flat)), 2, np.int16)), flat)
    return verify(Network("pooled", (source, population, readout), (*synapses, last)))


def _words(network: Network, codes: list[int]) -> list[int]:
    given = np.array(codes).reshape(1, *network.input.shape)
    found = reference.run(network, given).layers["pool"].words
    assert found is not None
    return found.ravel().tolist()


def test_without_payload_one_group_with_weight_2() -> None:
    network = _pooled(PhaseCode(Base.nearest(1.5), 4), (1, 2), (1, 1, 4))
    pool = network.hidden[0]
    assert (pool.threshold.tolist(), pool.digit_bits, pool.wait, set(pool.membrane.leak)) == (2, 0, 0, {4096})
    (synapse, _) = network.synapses
    assert (synapse.name, synapse.op.weight.tolist(), synapse.weight_exp) == ("pool", 2, 0)
    assert _words(network, [3, 2, 0, 4]) == [2, 4]


def test_messages_of_two_bits_in_windows_of_four() -> None:
    """Weights 2, 2^3, 2^5 and 2^7 for the four neurons of a window; the word that passes is the smallest one."""
    network = _pooled(SMALL, (2, 2), (1, 2, 4))
    *groups, _ = network.synapses
    assert [int(s.op.weight.ravel()[0]) << s.weight_exp for s in groups] == [2, 8, 32, 128]
    assert [s.index.ravel().tolist() for s in groups] == [[0, 2], [1, 3], [4, 6], [5, 7]]  # type: ignore[union-attr]
    assert len({s.name for s in groups}) == 4
    assert _words(network, [2, 3, 0, 0, 1, 2, 4, 0]) == [1, 4]
    assert _words(network, [2, 2, 4, 3, 2, 2, 0, 4]) == [2, 3]


def test_the_largest_weight_is_128_times_2_to_the_7() -> None:
    """Messages of 4 bits: 2^(1 + 4 · 3) = 2^13, thus 64 · 2^7; the digits of all four fill 16 bits."""
    code = PayloadCode.geometric(3.0, 4, 3)
    network = _pooled(code, (2, 2), (1, 2, 2))
    *groups, _ = network.synapses
    assert [(int(s.op.weight.ravel()[0]), s.weight_exp) for s in groups] == [(2, 0), (2, 4), (4, 7), (64, 7)]
    for words in ([1, 2, 3, 4], [9, 8, 16, 0], [32, 0, 31, 32]):
        assert _words(network, words) == [min(w for w in words if w)]


def test_windows_over_several_populations_share_the_digits() -> None:
    network = _pooled(SMALL, (1, 2), (1, 1, 2), ("input", "input"))
    *groups, _ = network.synapses
    assert [int(s.op.weight.ravel()[0]) << s.weight_exp for s in groups] == [2, 8, 32, 128]
    assert _words(network, [4, 3]) == [3]


def test_a_window_that_reaches_beyond_the_border() -> None:
    """The second window has one neuron, and so nothing in the second group."""
    network = _pooled(SMALL, (1, 2), (1, 1, 3), behind=1)
    first, second, _ = network.synapses
    assert first.index is not None and first.index.ravel().tolist() == [0, 2]
    assert second.index is not None and second.index.ravel().tolist() == [1, -1]
    assert _words(network, [4, 2, 3]) == [2, 3]


def test_digits_of_three_bits() -> None:
    network = _pooled(PayloadCode((4096, 8192), (7, 4, 7, 4)), (1, 3), (1, 1, 3))
    *groups, _ = network.synapses
    assert [int(s.op.weight.ravel()[0]) << s.weight_exp for s in groups] == [2, 2**4, 2**7]
    assert _words(network, [4, 2, 3]) == [2]


def test_digits_are_no_rounded_weights() -> None:
    """The largest weight is 8 of 254, and no bit of precision was given up."""
    network = _pooled(SMALL, (1, 2), (1, 1, 2))
    trace = LayerTrace(None, np.zeros((1, 1), np.int64), peak=1, input_peak=1)
    found = Headroom.of(network.hidden[0], network.synapses_onto("pool"), {"input": network.input}, trace, 8)
    assert found.given_up_bits == 0


def test_four_messages_of_five_bits_are_one_too_many() -> None:
    """2^(1 + 5 · 3) is beyond 2^14; 2^(1 + 4 · 3) is not."""
    with pytest.raises(GraphError, match=r"of 4 neurons can hold messages of at most 4 bits beside each other, got 5"):
        _pooled(PayloadCode((4096, 8192), (31, 20, 31, 20)), (2, 2), (1, 2, 2))


def test_windows_that_are_too_large_are_refused() -> None:
    with pytest.raises(
        GraphError,
        match=r"^pool: max pooling of 9 neurons can hold messages of at most 1 bits beside each other, got 2; limit "
        r"those of the populations that it reads to 1, or use no payload there$",
    ):
        _pooled(SMALL, (3, 3), (1, 3, 3))
