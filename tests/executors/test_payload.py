"""Networks of a few neurons with graded payload, computed by hand on docs/arithmetic.md, The neuron."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.core.codes import Base, PayloadCode, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense, Diagonal
from loihi_onespike.errors import GraphError
from loihi_onespike.executors import reference

CODE = PayloadCode((4096, 8192), (3, 2, 3, 2))
ONE = np.ones(())
SOURCE = InputPopulation("input", (2,), CODE, ONE, np.zeros(()))
THETA = ThresholdTable((6, 4, 3, 2), (1, 1, 1, 1))
"""θ(w) = 30, 20, 15, 10 for a threshold of 10."""


def _network(wait: int, signed: bool = False) -> Network:
    """Two inputs with weights 4 and -2, a neuron with bias 1, and a readout with weight 2."""
    membrane = Membrane(CODE.gains, 0, np.array(1), ONE)
    neuron = Population(
        "neuron", (1,), "linear", membrane, wait, CODE, np.array(10), THETA, THETA if signed else None, ONE
    )
    readout = Readout("readout", (1,), Membrane(CODE.gains, 0, np.array(0), ONE))
    synapses = (
        Synapse("neuron", "input", "neuron", Dense(np.array([[4, -2]], np.int16))),
        Synapse("readout", "neuron", "readout", Dense(np.array([[2]], np.int16))),
    )
    return verify(Network("by hand", (SOURCE, neuron, readout), synapses))


def test_the_word_is_the_first_threshold_of_its_phase_that_v_reaches() -> None:
    """Messages 3 at phase 1 and 2 at phase 2: v = 1 + 4 · 3 = 13, then 2 · 13 - 2 · 2 = 22.

    With full wait phase 1 is decided on 22, which reaches 20 and not 30: word 2, message 2. The readout gets 2 · 2 = 4
    at phase 1 and doubles it. Without wait phase 1 is decided on 13, which reaches neither 30 nor 20, and phase 2 on
    22, which reaches 15: word 3, the largest message of phase 2. The readout gets 2 · 3 = 6 after its gain.
    """
    codes = np.array([[1, 4]])
    for wait, word, output in ((2, 2, 8), (0, 3, 6)):
        trace = reference.run(_network(wait), codes)
        layer = trace.layers["neuron"]
        assert layer.words is not None and layer.v is not None
        assert (layer.words.tolist(), layer.v.tolist()) == ([[word]], [[22]])
        assert (layer.peak, layer.input_peak) == (22, 12)
        assert trace.layers["readout"].v.tolist() == [[output]]  # type: ignore[union-attr]
        assert trace.output.tolist() == [[output / 2]]


def test_a_late_neuron_sends_the_largest_message_of_its_phase() -> None:
    """The first input alone sends 3 at phase 1: v = 13, then 26.

    With a wait of 1 phase 1 is decided on 26: word 2. Without wait phase 1 is decided on 13, which is below 20, and
    phase 2 on 26: word 3, although 26 is nearer to the level of word 2.
    """
    for wait, sent in ((1, 2), (0, 3)):
        found = reference.run(_network(wait), np.array([[1, 0]])).layers["neuron"].words
        assert found is not None and found.tolist() == [[sent]]


def test_negative_messages() -> None:
    """Only the second input sends, 3 at phase 1: v = 1 - 6 = -5, then -10: word -4, and the readout gets -2 · 2."""
    trace = reference.run(_network(2, signed=True), np.array([[0, 1]]))
    assert trace.layers["neuron"].words.tolist() == [[-4]]  # type: ignore[union-attr]
    assert trace.output.tolist() == [[-2.0]]


def _behind(kind: str, weights: tuple[int, ...], threshold: int) -> Network:
    """A population that repeats or pools the two inputs, and a readout of weight 2 for each of its neurons."""
    shape = (2,) if kind == "relay" else (1,)
    table = ThresholdTable.of_messages(CODE.messages)
    plain = Population(
        kind, shape, kind, Membrane((4096, 4096), 0, np.array(0), ONE), 0, CODE, np.array(threshold), table, None, ONE
    )
    op = Diagonal(np.array(weights, np.int16)) if kind == "relay" else Dense(np.array([weights], np.int16))
    readout = Readout("readout", (1,), Membrane(CODE.gains, 0, np.array(0), ONE))
    two = Dense(np.full((1, *shape), 2, np.int16))
    synapses = (Synapse(kind, "input", kind, op), Synapse("readout", kind, "readout", two))
    return verify(Network("by hand", (SOURCE, plain, readout), synapses))


def test_a_relay_repeats_every_word() -> None:
    codes = np.array([[w, 4 - w] for w in range(5)])
    trace = reference.run(_behind("relay", (2, 2), 2), codes)
    assert np.array_equal(trace.layers["relay"].words, codes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "pooled"), [((1, 2), 1), ((2, 1), 1), ((2, 2), 2), ((4, 2), 2), ((3, 4), 3), ((0, 4), 4), ((0, 0), 0)]
)
def test_max_pooling_passes_the_largest_message_of_the_first_phase(words: tuple[int, int], pooled: int) -> None:
    """Messages of 2 bits: the first input has the digit of weight 2, the second that of weight 8."""
    network = _behind("max_pool", (2, 8), 1)
    assert network.hidden[0].digit_bits == 2
    trace = reference.run(network, np.array([words]))
    assert trace.layers["max_pool"].words.tolist() == [[pooled]]  # type: ignore[union-attr]
    message = np.array([0, 3, 2, 3, 2])[list(words)]
    assert trace.layers["max_pool"].v.tolist() == [[2 * message[0] + 8 * message[1]]]  # type: ignore[union-attr]


def test_thresholds_that_increase_within_a_phase_are_refused() -> None:
    network = _network(0)
    neuron = replace(network.hidden[0], table=ThresholdTable((6, 4, 2, 3), (1, 1, 1, 1)))
    changed = replace(network, populations=(SOURCE, neuron, network.readout))
    with pytest.raises(GraphError, match="neuron: thresholds must not increase from message to message of a phase"):
        verify(changed)


def test_a_table_has_an_entry_for_every_word() -> None:
    network = _network(0)
    neuron = replace(network.hidden[0], table=ThresholdTable((6, 4), (1, 1)))
    changed = replace(network, populations=(SOURCE, neuron, network.readout))
    with pytest.raises(GraphError, match="neuron: threshold table of 2 code words, the code has 4"):
        verify(changed)


def test_digits_that_messages_do_not_fit_into_are_refused() -> None:
    network = _behind("max_pool", (2, 8), 1)
    wide = replace(SOURCE, code=PayloadCode((4096, 8192), (6, 4, 3, 2)))
    with pytest.raises(GraphError, match=r"max_pool: input must send one spike with a message in 1\.\.3 "):
        verify(replace(network, populations=(wide, *network.populations[1:])))
    biased = replace(network.hidden[0], membrane=replace(network.hidden[0].membrane, bias=np.array(1)))
    with pytest.raises(GraphError, match="max_pool: max pooling of messages must have no gain, bias"):
        verify(replace(network, populations=(SOURCE, biased, network.readout)))
    negative = replace(network.synapses[0], op=Dense(np.array([[2, -8]], np.int16)))
    with pytest.raises(GraphError, match="max_pool: weights of max_pool must not be negative"):
        verify(replace(network, synapses=(negative, network.synapses[1])))


def test_bits_of_a_message() -> None:
    """±3 takes 3 bits with its sign; ±1 takes 2, and a spike that is always 1 none."""
    network = _network(0)
    neuron = network.hidden[0]
    assert (network.input.message_bits, neuron.message_bits) == (3, 3)
    plain = replace(neuron, code=PhaseCode(Base(8192), 4), negative=None)
    assert (plain.message_bits, replace(plain, negative=THETA).message_bits) == (0, 2)


def test_a_negative_threshold_is_refused() -> None:
    network = _network(0)
    changed = replace(
        network, populations=(SOURCE, replace(network.hidden[0], threshold=np.array(-10)), network.readout)
    )
    with pytest.raises(GraphError, match="neuron: threshold must not be negative with payload, got -10"):
        verify(changed)
