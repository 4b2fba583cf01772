"""Sums of the event-driven kernel are as wide as the weights can make them, and not one bit less."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.core.codes import Base, PayloadCode, PhaseCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Readout, Synapse
from loihi_onespike.core.maps import Dense
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.event.event_layer import EventLayer
from loihi_onespike.executors.fast.fast_executor import FastExecutor

BASE, T = Base.nearest(1.3), 4


def network(weights: np.ndarray) -> Network:
    """One-spike inputs straight onto a readout."""
    given = InputPopulation("input", (weights.shape[1],), PhaseCode(BASE, T), np.array(1.0), np.array(0.0))
    membrane = Membrane((BASE.mant,) * T, 0, np.zeros((), np.int64), np.array(1.0))
    readout = Readout("readout", (len(weights),), membrane)
    return Network("sums", (given, readout), (Synapse("readout", "input", "readout", Dense(weights)),))


@pytest.mark.parametrize(("last", "width"), [(2, np.int16), (4, np.int32)])
def test_sums_that_reach_16_bits_take_32(last: int, width: type) -> None:
    """258 synapses of 254 and one of 2 are 32,767 in units of 2, the largest number of 16 bits; one of 4 is beyond."""
    row = np.array([254] * 258 + [last], np.int16)
    net = network(np.stack([row, -row]))
    codes = np.ones((1, len(row)), np.int16)  # all spike at once
    layer = FastExecutor(net).layers["readout"]
    assert isinstance(layer, EventLayer) and layer._sums.dtype == width
    expected, found = reference.run(net, codes).layers["readout"], FastExecutor(net).run(codes).layers["readout"]
    assert np.array_equal(expected.v, found.v)  # type: ignore[arg-type]
    assert found.input_peak == expected.input_peak == 258 * 254 + last


def test_odd_weights_keep_their_last_bit() -> None:
    """No power of two is taken out of weights that have none."""
    net = network(np.array([[3, -7, 2], [5, 0, 1]], np.int16))
    codes = np.array([[1, 2, 2], [0, 3, 1]], np.int16)
    expected, found = reference.run(net, codes).layers["readout"], FastExecutor(net).run(codes).layers["readout"]
    assert np.array_equal(expected.v, found.v)  # type: ignore[arg-type]


def test_weights_of_zero_are_silent() -> None:
    net = network(np.zeros((2, 3), np.int16))
    codes = np.ones((1, 3), np.int16)
    found = FastExecutor(net).run(codes).layers["readout"]
    assert not np.any(found.v) and found.input_peak == 0  # type: ignore[arg-type]


@pytest.mark.thorough
def test_phases_and_messages_beyond_16_bits() -> None:
    """Phase 300 with its message needs 17 bits side by side; the words themselves need 10."""
    code = PayloadCode((4096, *(8193,) * 299), (2, 1) * 300)
    given = InputPopulation("input", (3,), code, np.array(1.0), np.array(0.0))
    readout = Readout("readout", (2,), Membrane((4096,) * 300, 0, np.zeros((), np.int64), np.array(1.0)))
    op = Dense(np.array([[4, -2, 6], [2, 8, 0]], np.int16))
    net = Network("late", (given, readout), (Synapse("readout", "input", "readout", op),))
    codes = np.array([[600, 599, 1], [0, 2, 600]], np.int16)  # messages 1, 2, 2 and 0, 1, 1
    layer = FastExecutor(net).layers["readout"]
    assert isinstance(layer, EventLayer) and layer.sources({"input": codes}).dtype == np.int32
    expected, found = reference.run(net, codes).layers["readout"], FastExecutor(net).run(codes).layers["readout"]
    assert found.v is not None and found.v.tolist() == [[4 - 4 + 12, 2 + 16], [-2 + 6, 8]]
    assert np.array_equal(expected.v, found.v)  # type: ignore[arg-type]
