"""Two images through two neurons, step by step by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihi_onespike.conversion.quantization import integer_run
from loihi_onespike.conversion.quantization.integer_run import IntegerRun
from loihi_onespike.core.codes import Base, BinaryCode, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Readout, Synapse
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import LayerTrace

SOURCE = InputPopulation("x", (1,), BinaryCode(2), np.ones(()), np.zeros(()))
MEMBRANE = Membrane((8192, 8192), 0, np.array(1), np.ones(()))
READOUT = Readout("out", (2,), MEMBRANE)
SYNAPSE = Synapse("out", "x", "out", Dense(np.array([[2], [-4]], np.int16)))
"""v(t) = 2 v(t-1) + w s(t), v(0) = 1, in two steps. Bits 01: v = 2, 4 + w; bits 11: v = 2 + w, 4 + 3 w."""
V = [[6, 0], [10, -8]]


@pytest.fixture(params=[2**29, 1], ids=["together", "one image at a time"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> IntegerRun:
    monkeypatch.setattr(integer_run, "BUDGET_BYTES", request.param)
    return IntegerRun({"x": SOURCE}, {"x": np.array([[1], [3]])}, graph_layers=False)


def test_potentials_at_the_end_and_their_peaks(run: IntegerRun) -> None:
    trace = run.trace(READOUT, [SYNAPSE])
    assert trace.v is not None and trace.v.tolist() == V
    assert (trace.peak, trace.input_peak, trace.words) == (10, 4, None)


def test_largest_potential_of_every_neuron(run: IntegerRun) -> None:
    assert run.potentials(READOUT, [SYNAPSE]).tolist() == [10.0, 8.0]


def test_populations_that_are_done_are_read(run: IntegerRun) -> None:
    code = PhaseCode(Base.nearest(2.0), 2)
    table = ThresholdTable.constant(2)
    hidden = Population("h", (2,), "relu", MEMBRANE, 2, code, np.array(8), table, None, np.ones(()))
    phases = np.array([[0, 1], [2, 0]], np.int16)
    run.add(hidden, LayerTrace(phases, None))
    onto = Synapse("out", "h", "out", Dense(np.array([[2, 4]], np.int16)))
    readout = Readout("out", (1,), MEMBRANE)
    assert run.potentials(readout, [onto]).tolist() == [12.0]  # 2 (2 + 4) of the first image, 4 + 2 of the second
    run.add(READOUT, LayerTrace(None, np.zeros((2, 2), np.int64)))
    assert set(run.populations) == {"x", "h"}  # nothing reads a readout
