"""Layers decided by bounds on their potential: equal to the oracle, with every way of deciding really taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from loihi_onespike.core.codes import V_MAX, BinaryCode, Codebook, PayloadCode
from loihi_onespike.core.graphs.network import Network, Population
from loihi_onespike.executors import reference
from loihi_onespike.executors.fast.bounded.bounded_layer import BoundedLayer
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from tests.strategies import Case, cases, random_case


def equal_phases(case: Case) -> FastExecutor:
    """Run both, compare all phases and the output; the executor with its counts."""
    expected, fast = reference.run(*case), FastExecutor(case.network)
    found = fast.run(case.codes, potentials=False)
    for name, layer in expected.layers.items():
        assert np.array_equal(layer.words, found.layers[name].words), name  # type: ignore[arg-type]
    assert np.array_equal(expected.output, found.output)
    assert np.array_equal(expected.output, fast.predict(case.codes))
    return fast


@given(cases(full_wait=True))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_bounds_and_recursion_equal_the_reference(case: Case) -> None:
    equal_phases(case)


@given(cases(full_wait=True, payload=60, dips=50))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_bounds_and_recursion_equal_the_reference_with_payload_and_dips(case: Case) -> None:
    equal_phases(case)


@pytest.mark.thorough
@pytest.mark.parametrize("payload", [0, 60])
def test_every_way_of_deciding_is_taken(payload: int) -> None:
    """Over seeded networks: bounds alone, single neurons by recursion, codebooks, many bits, signed, saturated v."""
    ways = ["bounds", "recursion", "codebook", "binary", "signed", "split", "saturated"]
    seen = dict.fromkeys([*ways, "messages in", "messages out", "dip"] if payload else ways, 0)
    for seed in range(150):
        case = random_case(seed, full_wait=True, saturating=seed % 2 == 0, payload=payload, dips=payload)
        fast = equal_phases(case)
        peaks = reference.run(*case).layers
        for name, layer in fast.bounded.items():
            settled = layer.decisions
            assert settled.breaches == 0
            seen["bounds"] += settled.neurons - settled.exact
            seen["recursion"] += settled.exact
            codes = [case.network.by_name[s.pre].code for s in case.network.synapses_onto(name)]  # type: ignore[union-attr]
            seen["codebook"] += any(isinstance(code, Codebook) for code in codes)
            if payload:
                seen["dip"] += layer.population.far is not None
                seen["messages in"] += any(isinstance(code, PayloadCode) for code in codes)
                seen["messages out"] += isinstance(layer.population.code, PayloadCode)
            seen["binary"] += any(isinstance(code, BinaryCode) for code in codes)
            seen["signed"] += layer.population.signed
            seen["split"] += layer.splits if isinstance(layer, BoundedLayer) else 0
            seen["saturated"] += peaks[name].peak >= V_MAX
    assert min(seen.values()) > 0, seen
    assert seen["bounds"] > seen["recursion"], seen


def bounded_case() -> Case:
    """A case with a layer that bounds decide."""
    for seed in range(100):
        case = random_case(seed, full_wait=True, saturating=False)
        if FastExecutor(case.network).bounded:
            return case
    raise AssertionError("no seed gives a layer that bounds decide")


@pytest.mark.thorough
def test_broken_arithmetic_sends_the_batch_to_the_exact_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that is off by more than its bound is noticed by the neurons that are recomputed."""
    case = bounded_case()
    expected, fast = reference.run(*case), FastExecutor(case.network)
    name, layer = next(iter(fast.bounded.items()))
    sums = BoundedLayer._sums

    def broken(self: BoundedLayer, phases: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Every sum gives a potential at the lowest threshold, where nothing is decided by bounds."""
        z, rest = sums(self, phases)
        lowest = self.lookup.cut.min() - self.offset
        return np.broadcast_to(lowest / self.factor, z.shape).astype(np.float32), rest[:0]

    monkeypatch.setattr(BoundedLayer, "_sums", broken)
    found = fast.run(case.codes, potentials=False)
    assert layer.decisions.breaches > 0
    assert np.array_equal(expected.layers[name].words, found.layers[name].words)  # type: ignore[arg-type]


def test_short_waits_are_never_bounded() -> None:
    case = bounded_case()

    def hasty(network: Network) -> Network:
        populations = tuple(
            replace(p, wait=p.membrane.input_steps - 1) if isinstance(p, Population) and p.membrane.input_steps else p
            for p in network.populations
        )
        return replace(network, populations=populations)

    assert FastExecutor(case.network).bounded and not FastExecutor(hasty(case.network)).bounded


def test_lower_float_precision_turns_the_bounds_off() -> None:
    case = bounded_case()
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        fast = equal_phases(case)
        assert fast.bounded and not any(layer.decisions.neurons for layer in fast.bounded.values())
    finally:
        torch.set_float32_matmul_precision(before)
