"""Widths of a population of one neuron, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.quantization.headroom import Headroom, worst_case_bits
from loihi_onespike.core.codes import Base, BinaryCode, Code, PhaseCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Readout, Synapse
from loihi_onespike.core.maps import Dense, Pool, Window
from loihi_onespike.core.trace import LayerTrace
from tests.support.lava_networks import graded

READOUT = Readout("out", (1,), Membrane((8192, 8192), 1, np.array(-3), np.ones(())))
"""Gain 2 at both steps, one fraction bit."""
SYNAPSE = Synapse("out", "x", "out", Dense(np.array([[2, -4]], np.int16)), weight_exp=1)
"""Both inputs at once give (2 + 4) · 2 = 12."""


def source(code: Code) -> InputPopulation:
    return InputPopulation("x", (2,), code, np.ones(()), np.zeros(()))


@pytest.mark.parametrize(
    ("code", "v"),
    [
        (PhaseCode(Base.nearest(2.0), 2), 12 * 2 * 2 + 3 * 4),  # spikes at the first step grow by 2 until the end
        (BinaryCode(2), 12 * (2 + 1) * 2 + 3 * 4),  # a spike at either step
    ],
)
def test_the_worst_case(code: Code, v: int) -> None:
    """The input may spike at its worst moment; the bias grows by 4."""
    assert worst_case_bits(READOUT, [SYNAPSE], {"x": source(code)}) == (v.bit_length() + 1, 5)


def test_nothing_comes_in_without_synapses() -> None:
    silent = Readout("out", (1,), Membrane((8192, 8192), 1, np.array(0), np.ones(())))
    assert worst_case_bits(silent, [], {}) == (1, 1)


def test_measured_and_worst_widths() -> None:
    """The widest weight is 4 of 14 = 2 (2^3 - 1): one bit was given up. ±100 need 8 bits, ±9 need 5."""
    trace = LayerTrace(None, np.zeros((1, 1), np.int64), peak=100, input_peak=9)
    found = Headroom.of(READOUT, iter([SYNAPSE]), {"x": source(BinaryCode(2))}, trace, weight_bits=4)
    assert found == Headroom(8, 8, 5, 5, saturating=False, given_up_bits=1)


def test_a_worst_case_beyond_24_bits_may_saturate() -> None:
    wide = Readout("out", (1,), Membrane((16384,) * 12, 0, np.zeros((), np.int64), np.ones(())))
    trace = LayerTrace(None, np.zeros((1, 1), np.int64), peak=1, input_peak=1)
    found = Headroom.of(wide, [SYNAPSE], {"x": source(PhaseCode(Base.nearest(4.0), 12))}, trace, 8)
    assert found.v_worst_bits == (12 * 4**11).bit_length() + 1 > 24 and found.saturating


def test_a_pooling_window_gives_up_nothing() -> None:
    pool = Synapse("out", "x", "out", Pool(Window.plain((2,)), np.array(2, np.int16)))
    trace = LayerTrace(None, np.zeros((1, 1), np.int64), peak=1, input_peak=1)
    assert Headroom.of(READOUT, [pool], {"x": source(BinaryCode(2))}, trace, 8).given_up_bits == 0


def test_the_digits_of_pooled_messages_give_up_nothing() -> None:
    """The largest weight of max pooling of messages is the power of two 128, not a rounded 254."""
    network = graded(0)
    trace = LayerTrace(None, np.zeros((1, 1), np.int64), peak=1, input_peak=1)
    populations = {p.name: p for p in network.populations if not isinstance(p, Readout)}
    pool = populations["max1"]
    assert isinstance(pool, Population)
    assert Headroom.of(pool, network.synapses_onto("max1"), populations, trace, 8).given_up_bits == 0
