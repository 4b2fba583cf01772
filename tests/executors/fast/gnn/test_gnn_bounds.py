"""Graph layers decided by bounds: equal to the oracle, from sparse and dense inputs, whatever the rows hold."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loihi_onespike.core.codes import Base, BinaryCode, PayloadCode, PhaseCode, ThresholdTable
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense, Sparse
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from loihi_onespike.executors.fast.gnn.gnn_bounds import BoundedGraphLayer

BASE, T, NODES, FEATURES, INPUTS = Base.nearest(1.3), 8, 12, 7, 40


def network(seed: int, signed: bool, shift: int = 2, payload_bits: int = 0) -> Network:
    """Input in 8 bits, dense map, aggregation over the nodes, readout; all with a full wait."""
    rng = np.random.default_rng(seed)

    def even(*shape: int) -> np.ndarray:
        return (2 * rng.integers(-60, 90, shape)).astype(np.int16)

    code = PayloadCode.geometric(2.0, 4, payload_bits) if payload_bits else PhaseCode(BASE, T)
    table = ThresholdTable.from_gains(code.thresholds() / max(code.thresholds()[0], 1.0))

    def spiking(name: str, gains: tuple[int, ...], threshold: int) -> Population:
        bias = rng.integers(-200, 200, FEATURES)
        membrane = Membrane(gains, shift, bias, np.array(1e-3))
        own = (threshold * np.linspace(0.6, 1.5, FEATURES)).astype(np.int64)
        negative = table if signed else None
        return Population(
            name, (NODES, FEATURES), "relu", membrane, len(gains), code, own, table, negative, np.ones(FEATURES)
        )

    edges = np.where(rng.random((NODES, NODES)) < 0.4, np.abs(even(NODES, NODES)), 0)
    populations = (
        InputPopulation("input", (NODES, INPUTS), BinaryCode(8), np.array(1.0), np.array(0.0)),
        spiking("dense", (8192,) * 8, min(1_000_000 << (shift - 2), 5_000_000)),
        spiking("sum", code.gains, 4_000 * code.largest_message),
        Readout("readout", (NODES, 3), Membrane(code.gains, shift, np.zeros(3, np.int64), np.array(1e-3))),
    )
    synapses = (
        Synapse("dense", "input", "dense", Dense(even(FEATURES, INPUTS))),
        Synapse("sum", "dense", "sum", Sparse(sp.csr_matrix(edges.astype(np.int16)))),
        Synapse("readout", "sum", "readout", Dense(even(3, FEATURES))),
    )
    return verify(Network("graph", populations, synapses))


def sparse_codes(seed: int, largest: int, share: float = 0.2) -> SparseSample:
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((NODES, INPUTS)) < share, rng.integers(0, largest + 1, (NODES, INPUTS)), 0)
    return SparseSample(sp.csr_matrix(codes.astype(np.int32)))


def equal_phases(net: Network, codes: SparseSample) -> dict[str, BoundedGraphLayer]:
    expected, fast = reference.run(net, codes.dense("test")), FastExecutor(net)
    for given in (codes, codes.dense("test")):
        found = fast.run(given, potentials=False)
        for name in ("dense", "sum"):
            assert np.array_equal(expected.layers[name].words, found.layers[name].words), name  # type: ignore[arg-type]
        assert np.array_equal(expected.output, found.output)
    return {name: layer for name, layer in fast.bounded.items() if isinstance(layer, BoundedGraphLayer)}


@pytest.mark.parametrize("payload_bits", [0, 2])
@pytest.mark.parametrize("signed", [False, True])
def test_bounds_equal_the_reference(signed: bool, payload_bits: int) -> None:
    decided = dict.fromkeys(("dense", "sum"), 0)
    exact = dict.fromkeys(("dense", "sum"), 0)
    for seed in range(12):
        for name, layer in equal_phases(network(seed, signed, 2, payload_bits), sparse_codes(seed, 255)).items():
            assert layer.decisions.breaches == 0
            decided[name] += layer.decisions.neurons - layer.decisions.exact
            exact[name] += layer.decisions.exact
    assert min(decided.values()) > 0 and min(exact.values()) > 0, (decided, exact)


def test_rows_that_may_saturate_are_left_to_the_recursion() -> None:
    """One full row of the largest codes among many short ones: its potentials do saturate."""
    net = network(3, True, shift=6)
    codes = sparse_codes(3, 10, 0.05).dense("test")[0]
    few = SparseSample(sp.csr_matrix(codes))
    quiet = equal_phases(net, few)["dense"].decisions
    codes[5] = 255
    loud = reference.run(net, codes[None]).layers["dense"]
    assert loud.peak == 2**23 - 1 or loud.peak == 2**23
    equal_phases(net, SparseSample(sp.csr_matrix(codes)))
    assert quiet.neurons > quiet.exact


def test_broken_arithmetic_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    net, codes = network(1, True), sparse_codes(1, 255)
    expected, fast = reference.run(net, codes.dense("test")), FastExecutor(net)
    layer = fast.bounded["sum"]
    assert isinstance(layer, BoundedGraphLayer)
    factor, offset = layer._bounds[:2]
    lowest = ((layer.lookup.cut.min() - offset) / factor).astype(np.float32)
    monkeypatch.setattr(layer.group, "sums", lambda phases: np.broadcast_to(lowest, (NODES, FEATURES)).copy())
    found = fast.run(codes, potentials=False)
    assert layer.decisions.breaches == 1
    assert np.array_equal(expected.layers["sum"].words, found.layers["sum"].words)  # type: ignore[arg-type]


def test_a_budget_without_room_for_bounds_does_without() -> None:
    net, codes = network(2, False), sparse_codes(2, 255)
    fast = FastExecutor(net)
    tight = FastExecutor(net, budget_bytes=fast.bytes_per_image)
    assert np.array_equal(fast.predict(codes), tight.predict(codes))
    assert not any(layer.decisions.neurons for layer in tight.bounded.values())
    assert any(layer.decisions.neurons for layer in fast.bounded.values())
