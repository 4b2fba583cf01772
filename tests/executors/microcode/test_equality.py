"""The programs on the interpreter equal the oracle: spike phases, v at the end of windows, largest values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from loihi_onespike.core.codes import BINARY, PayloadCode, PhaseCode, ThresholdTable
from loihi_onespike.core.graphs.network import Membrane, Network, Population, Product
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.trace import first_difference
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.executors import reference
from loihi_onespike.executors.microcode.microcode_executor import execute, run
from loihi_onespike.microcode import Interpreter, MicrocodeSpec, initial_state, program_of, state_rows
from loihi_onespike.microcode.examples import PAYLOAD_VARIANTS, PAYLOADS, VARIANTS, example, example_codes
from loihi_onespike.microcode.neuron_state import mixes_sides
from tests.strategies import Case, cases, random_case
from tests.support.lava_networks import BASE, GRADED, chain, codes, everything, sides
from tests.support.traces import phases_of

NARROW = MicrocodeSpec(register_bits=28, product_bits=39)
"""The narrowest widths that the programs are written for; gains above 4 take more."""
NARROW_PRODUCT = MicrocodeSpec(register_bits=28, product_bits=48)
"""The narrowest widths for products of two sums."""
NARROW_PAYLOAD = MicrocodeSpec(register_bits=30, product_bits=40)
"""The narrowest widths for a gain of 16."""


def thorough(values: Iterable[int]) -> list[Any]:
    return [pytest.param(value, marks=pytest.mark.thorough) for value in values]


def assert_equal(network: Network, x: np.ndarray, spec: MicrocodeSpec | None = None) -> None:
    expected = reference.run(network, x)
    found = run(network, x) if spec is None else run(network, x, spec)
    assert first_difference(expected, found) is None
    assert np.array_equal(expected.output, found.output)
    for name, layer in expected.layers.items():
        assert (layer.peak, layer.input_peak) == (found.layers[name].peak, found.layers[name].input_peak), name


@pytest.mark.thorough
@given(cases())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_networks(case: Case) -> None:
    assert_equal(*case)


@pytest.mark.thorough
@given(cases(payload=70, dips=50))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_networks_with_payload_and_dips(case: Case) -> None:
    assert_equal(*case)


@pytest.mark.parametrize("seed", [*range(7), *thorough(range(7, 12))])
def test_random_networks_with_payload_in_the_narrowest_widths(seed: int) -> None:
    assert_equal(*random_case(seed, payload=100, dips=50), NARROW_PAYLOAD)


@pytest.mark.parametrize("seed", [*range(7), *thorough(range(7, 12))])
def test_random_networks_in_the_narrowest_widths(seed: int) -> None:
    assert_equal(*random_case(seed), NARROW)


def test_random_networks_have_every_variant() -> None:
    """What the two tests above rely on, seen in the oracle's own traces."""
    seen = set()
    for seed in range(30):
        network, x = random_case(seed)
        layers = reference.run(network, x).layers
        for p in network.hidden:
            seen.add(p.kind)
            seen.add(f"rows {state_rows(p, network.period_steps)}")
            seen.add("short wait" if p.wait < p.membrane.input_steps else "full wait")
            seen |= {"gain per step"} if len(set(p.membrane.leak)) > 1 else set()
            seen |= {"negative spikes"} if (phases_of(layers[p.name]) < 0).any() else set()
            seen |= {"saturates"} if layers[p.name].peak >= 2**23 - 1 else set()
            seen |= {"entries below zero"} if min(p.table.mant) < 0 else set()
            seen |= {"input is pinned"} if "a_max" in program_of(p).constants else set()
            seen |= {"one-sided neurons"} if mixes_sides(p) else set()
    assert seen == {
        *("relu", "linear", "max_pool", "average_pool", "relay", "rows 1", "rows 2", "short wait", "full wait"),
        *(
            "gain per step",
            "negative spikes",
            "saturates",
            "entries below zero",
            "input is pinned",
            "one-sided neurons",
        ),
    }


@pytest.mark.parametrize("timesteps", [8, pytest.param(16, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_examples_of_the_document(variant: str, timesteps: int) -> None:
    network, x = example(variant, timesteps), example_codes(timesteps)
    phases = phases_of(reference.run(network, x).layers["hidden"])
    assert len(np.unique(phases)) > timesteps / 2, "the figures come from neurons that fire at many phases"
    assert_equal(network, x)


@pytest.mark.parametrize("seed", [*range(100, 106), *thorough(range(106, 112))])
def test_random_networks_with_products(seed: int) -> None:
    assert_equal(*random_case(seed, payload=seed % 2 * 70, products=60, images=2))


@pytest.mark.thorough
@given(cases(payload=50, dips=30, products=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_network_with_products(case: Case) -> None:
    assert_equal(*case)


def _potentials(u: list[int], w: list[int], shift: int, bias: int, spec: MicrocodeSpec) -> list[int]:
    """v of neurons with given sums, checked by neurons whose thresholds are v and one more."""
    one, size = np.array(1.0), 2 * len(u)
    v = [min(max((a * b >> shift) + bias, -(2**23)), 2**23 - 1) for a, b in zip(u, w, strict=True)]
    threshold = np.clip(np.array([*v, *(x + 1 for x in v)]), -(2**23), 2**23 - 1)
    factors = [Membrane((4096,), 0, np.array([*values, *values]), one) for values in (u, w)]
    product = Product(factors[1], shift, np.array(bias))
    p = Population(
        "p", (size,), "product", factors[0], 1, PhaseCode(BINARY, 1), threshold, ThresholdTable.constant(1), None, one,
        product=product,
    )  # fmt: skip
    core = Interpreter(program_of(p, spec=spec), initial_state(p, 0, 2))
    assert not core.step(np.zeros((2, size), np.int64)).any()
    # No threshold lies above the largest v.
    expected = [1] * len(v) + [int(x == 2**23 - 1) for x in v]
    assert core.step(np.zeros((2, size), np.int64)).tolist() == expected
    return v


@pytest.mark.parametrize("spec", [MicrocodeSpec(), NARROW_PRODUCT], ids=["default", "narrow"])
@pytest.mark.parametrize("shift", [0, 1, 9, 15, 16, 17, 20, 24, 46])
@pytest.mark.parametrize("bias", [0, -(2**23), 2**23 - 1, 77])
def test_products_of_any_size_are_exact(shift: int, bias: int, spec: MicrocodeSpec) -> None:
    """Factors at both ends, and around the square roots where v saturates and where a register overflows."""
    low, high = -(2**23), 2**23 - 1
    roots = {round(2 ** ((bits + shift) / 2)) + d for bits in (22, 23, 24, 27, 31) for d in (-1, 0, 1)}
    edges = sorted(e for e in {low, high, 0, 1, -1, *roots, *(-r for r in roots)} if low <= e <= high)
    u, w = (list(x) for x in zip(*((a, b) for a in edges for b in edges), strict=True))
    v = _potentials(u, w, shift, bias, spec)
    assert len(set(v)) > 2 or shift == 46


def test_a_product_needs_48_bits() -> None:
    product = example("product of two sums, signed", 8).hidden[0]
    with pytest.raises(MicrocodeError, match=r"product_bits must be at least 48 for the product of two factors"):
        program_of(product, spec=NARROW)
    assert program_of(product, spec=NARROW_PRODUCT)


@pytest.mark.parametrize("timesteps", [*list(PAYLOADS)[:3], *thorough(list(PAYLOADS)[3:])])
@pytest.mark.parametrize("variant", PAYLOAD_VARIANTS)
def test_examples_with_payload(variant: str, timesteps: int) -> None:
    network = example(variant, timesteps)
    words = len(network.hidden[0].code.messages)
    x = example_codes(words)
    found = reference.run(network, x).layers
    assert len(np.unique(phases_of(found["hidden"]))) > words / 2, "neurons fire at many phases, with many messages"
    if "pool" in found:
        assert len(np.unique(phases_of(found["pool"]))) > words / 4
    assert_equal(network, x)
    assert_equal(network, x, NARROW_PAYLOAD)


def test_a_table_of_its_own_for_negative_messages() -> None:
    """Negative spikes begin at the third phase, where the positive side has none any more."""
    network = example("signed, full wait, payload", 4)
    hidden = network.hidden[0]
    factors = hidden.table.gains().reshape(4, -1)
    early = ThresholdTable.from_gains(np.where(np.arange(4)[:, None] < 2, factors, np.inf).ravel())
    late = ThresholdTable.from_gains(np.where(np.arange(4)[:, None] < 2, np.inf, factors).ravel())
    changed = _with_hidden(network, table=early, negative=late)
    x = example_codes(32)
    words = phases_of(reference.run(changed, x).layers["hidden"])
    assert 0 < words.max() <= 16 and -32 <= words.min() < words[words < 0].max() <= -17
    assert_equal(changed, x)


def test_a_gain_beyond_the_registers_is_refused() -> None:
    hidden = example("ReLU, full wait, payload", 2).hidden[0]
    wide = replace(hidden, membrane=replace(hidden.membrane, leak=(16 * 4096,) * 2))
    with pytest.raises(MicrocodeError, match=r"register_bits must be at least 30 for a gain of 16, got 28"):
        program_of(wide, spec=NARROW)
    with pytest.raises(MicrocodeError, match=r"product_bits must be at least 40 for a gain of 16, got 39"):
        program_of(wide, spec=MicrocodeSpec(register_bits=30, product_bits=39))
    assert program_of(wide, spec=NARROW_PAYLOAD)


@pytest.mark.parametrize("network", [chain(2), everything(3)], ids=["chain", "everything"])
def test_networks_made_by_hand(network: Network) -> None:
    assert_equal(network, codes(network, 3))


@pytest.mark.parametrize("code", [PhaseCode(BASE, 4), GRADED], ids=["binary", "payload"])
@pytest.mark.parametrize("early", [0, *thorough([1]), None])
def test_one_sided_neurons(early: int | None, code: PhaseCode | PayloadCode) -> None:
    network = sides(code.timesteps if early is None else early, code)
    x = codes(network, 30)
    words = np.asarray(reference.run(network, x).layers["pairs"].words)
    one_sided, other = words[:, 0], words[:, 1]
    assert one_sided.min() == 0 and other.min() < 0 and len(np.unique(one_sided)) > len(code.messages) / 2
    # Where v falls first and rises then, only the one-sided neuron of the pair sends the later value.
    later = (one_sided > 0) & (other < 0)
    assert early == 1 or later.any() == (early == 0)
    assert_equal(network, x)
    assert_equal(network, x, NARROW_PAYLOAD)


def test_one_sided_neurons_with_a_negative_table_of_their_own() -> None:
    network = example("signed, half one-sided, full wait, payload", 4)
    factors = network.hidden[0].table.gains()
    changed = _with_hidden(network, negative=ThresholdTable.from_gains(factors * 0.9))
    assert_equal(changed, example_codes(32))
    binary = example("signed, half one-sided, full wait", 8)
    changed = _with_hidden(binary, negative=ThresholdTable.from_gains(binary.hidden[0].table.gains() * 0.9))
    assert_equal(changed, example_codes(8))


@pytest.mark.parametrize("v", [-3, -1, 0, 1])
def test_one_sided_neurons_at_a_threshold_of_0(v: int) -> None:
    """θ = 1, then 1 · 16384 >> 15 = 0, which v = 0 reaches; θ_negative is 0 at once and decides nothing."""
    table, negative = ThresholdTable((16384, 16384), (14, 15)), ThresholdTable((16384, 16384), (15, 15))
    p = neurons(Membrane((4096,), 0, np.array(v), np.array(1.0)), np.array([1, 1]), table, 1, signed=True)
    p = replace(p, negative=negative, one_sided=np.array([True, False]))
    core = Interpreter(program_of(p), initial_state(p, 0, 3), graded_spikes=True)
    sent = [core.step(np.zeros(2, np.int64)).tolist() for _ in range(3)]
    positive = [[0, 0], [int(v >= 1), 0], [0, int(v == 0)]]
    assert [s[0] for s in sent] == [0, int(v >= 1), int(v == 0)] == [p[0] + p[1] for p in positive]
    assert [s[1] for s in sent] == [0, 1 if v >= 1 else -1, 0]


def test_a_population_of_one_side_runs_the_program_of_that_side() -> None:
    mixed = example("signed, half one-sided, full wait", 8).hidden[0]
    every, none = (replace(mixed, one_sided=np.full((), side)) for side in (True, False))
    assert program_of(every) == program_of(replace(mixed, one_sided=None, negative=None))
    assert program_of(none) == program_of(replace(mixed, one_sided=None))
    assert state_rows(mixed) == state_rows(none) == 1
    network = _with_hidden(example("signed, half one-sided, full wait", 8), one_sided=np.full((1,), True))
    assert_equal(network, example_codes(8))


def _with_hidden(network: Network, **changes: object) -> Network:
    hidden = replace(network.hidden[0], **changes)  # type: ignore[arg-type]
    return verify(replace(network, populations=(network.input, hidden, *network.populations[2:])))


@pytest.mark.parametrize("spec", [None, NARROW], ids=["default", "narrow"])
@pytest.mark.parametrize("one_threshold", [False, True])
@pytest.mark.parametrize("variant", ["ReLU, wait T/2", "signed, full wait"])
def test_entries_never_sent_and_thresholds_of_any_size(variant: str, one_threshold: bool, spec: object) -> None:
    """mant 32767 and shift 0 beside entries below zero, a table of its own for negative spikes, and thresholds from
    -2^23 to 2^23 - 1."""
    network = example(variant, 8)
    table = ThresholdTable.from_gains(np.array([np.inf, 0.9, np.inf, 0.01, 0.0, -1.0, -np.inf, -0.3]))
    opposite = ThresholdTable.from_gains(np.array([0.5, np.inf, 0.2, 0.3, -1.0, 0.1, np.inf, 1e-9]))
    assert table.shift[0] == 0 and table.mant[0] == 2**15 - 1
    edges = [1, 2, 511, 512, 513, 2**23 - 1, -1, -511, -(2**23)]
    for first in edges if one_threshold else [0]:
        threshold = np.random.default_rng(5).integers(-3000, 3000, 32)
        threshold[: len(edges)] = edges
        changed = _with_hidden(
            network,
            table=table,
            negative=opposite if network.hidden[0].signed else None,
            threshold=np.array(first) if one_threshold else threshold,
        )
        x = example_codes(8)
        phases = phases_of(reference.run(changed, x).layers["hidden"])
        assert one_threshold or len(np.unique(phases)) > 3
        assert_equal(changed, x, spec)  # type: ignore[arg-type]


def test_idle_windows_disturb_no_image() -> None:
    """A bias above θ fires in every idle window before the first image; the trace shows none of it."""
    network = example("ReLU, full wait", 8)
    loud = _with_hidden(network, membrane=replace(network.hidden[0].membrane, bias=np.array(2**20)))
    late = replace(loud.synapses[0], axon_delay=40)
    loud = verify(replace(loud, synapses=(late, *loud.synapses[1:])))
    assert loud.starts["hidden"] > 2 * loud.period_steps
    assert (phases_of(reference.run(loud, example_codes(8)).layers["hidden"]) == 1).all()
    assert_equal(loud, example_codes(8))


def test_long_windows_have_a_clock_of_16_bits() -> None:
    network = example("ReLU, full wait", 8)
    table = ThresholdTable(network.hidden[0].table.mant * 20, network.hidden[0].table.shift * 20)
    code = replace(network.hidden[0].code, timesteps=160)  # type: ignore[type-var]
    readout = replace(network.readout, membrane=replace(network.readout.membrane, leak=(4096,) * 160))
    relay = replace(
        network.hidden[1],
        code=code,
        table=ThresholdTable.constant(160),
        membrane=replace(network.hidden[1].membrane, leak=(4096,) * 160),
    )
    hidden = replace(network.hidden[0], table=table, code=code)
    long = verify(replace(network, populations=(network.input, hidden, relay, readout)))
    assert long.period_steps == 168
    assert state_rows(hidden, 168) == 2 and state_rows(hidden, 127) == 1
    assert_equal(long, example_codes(8)[:2])


def test_the_trace_notices_a_wrong_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same networks with the saturation left out of the rule differ: the equality above is not empty."""
    from loihi_onespike.microcode import potential

    monkeypatch.setattr(potential, "V_MAX", 2**23 - 2)
    network, x = everything(3), codes(everything(3), 3)
    difference = first_difference(reference.run(network, x), execute(network, x).trace)
    assert difference is not None and difference.layer == "wide"


def neurons(
    membrane: Membrane, threshold: np.ndarray, table: ThresholdTable, wait: int, signed: bool = False
) -> Population:
    """Neurons with a threshold each; `signed` ones have the same table for negative spikes."""
    code, one = PhaseCode(BINARY, len(table.mant)), np.array(1.0)
    negative = table if signed else None
    return Population("p", threshold.shape, "linear", membrane, wait, code, threshold, table, negative, one)


def test_hand_computed_neuron() -> None:
    """Q = 2, T = 2, full wait, one neuron, weight 6, input_shift 2, bias 10.

    Spike at input phase 2: v(1) = 20, v(2) = 40 + (6 << 2) = 64. θ(1) = 128 · 16384 >> 14 = 128 > 64,
    θ(2) = 128 · 16384 >> 15 = 64 ≤ 64: a spike at phase 2.
    """
    membrane = Membrane((8192, 8192), 2, np.array(10), np.array(1.0))
    table = ThresholdTable((16384, 16384), (14, 15))
    p = neurons(membrane, np.array([128]), table, wait=2)
    core = Interpreter(program_of(p), initial_state(p, 0, 4))
    seen = [(int(core.step(np.array([a]))[0]), int(core.state("v")[0])) for a in (0, 6, 0, 0, 0)]
    assert seen == [(0, 20), (0, 64), (0, 64), (1, 64), (0, 20)]


@pytest.mark.parametrize("spec", [MicrocodeSpec(), NARROW], ids=["default", "narrow"])
@pytest.mark.parametrize("shift", [8, 16])
@pytest.mark.parametrize("v", [-(2**23), 2**23 - 1])
def test_pinned_input_saturates_where_the_whole_input_does(v: int, shift: int, spec: MicrocodeSpec) -> None:
    """v at one end, gain 4, inputs that bring the sum just up to the other end and far beyond: exact integers."""
    around = -(-5 * 2**23 >> shift)
    a_in = np.unique([*range(-around - 40, around + 40, 1 + around // 50), *(-(2**23), 2**23 - 1), 0])
    p = neurons(
        Membrane((16384,), shift, np.array(v), np.array(1.0)), np.arange(len(a_in)), ThresholdTable.constant(1), 1
    )
    core = Interpreter(program_of(p, spec=spec), initial_state(p, 0, 2))
    core.step(a_in)
    exact = [min(max(4 * v + int(a) * 2**shift, -(2**23)), 2**23 - 1) for a in a_in]
    assert core.state("v").tolist() == exact
    assert exact[0] == -(2**23) and exact[-1] == 2**23 - 1 and len(set(exact)) > 5


@pytest.mark.parametrize("spec", [MicrocodeSpec(), NARROW], ids=["default", "narrow"])
@pytest.mark.parametrize("v", [-(2**23), 2**23 - 1])
def test_limited_thresholds_lie_beyond_every_potential(v: int, spec: MicrocodeSpec) -> None:
    """Factor 32767: θ = ±(2^23 - 1) · 32767 is out of reach on one side and below everything on the other; ±256 gives
    θ = ±8388352, 255 below the highest v and 256 above the lowest.
    """
    threshold = np.array([2**23 - 1, 256, -256, -(2**23)])
    membrane = Membrane((4096,), 0, np.array(v), np.array(1.0))
    p = neurons(membrane, threshold, ThresholdTable((2**15 - 1,), (0,)), 1, signed=True)
    core = Interpreter(program_of(p, spec=spec), initial_state(p, 0, 2), graded_spikes=True)
    core.step(np.zeros(4, np.int64))
    # Positive first: v ≥ θ. Otherwise negative: v ≤ -θ.
    expected = [0, 1, 1, 1] if v > 0 else [0, -1, -1, 1]
    assert core.step(np.zeros(4, np.int64)).tolist() == expected
