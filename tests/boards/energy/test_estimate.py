"""Time and energy of a network of two layers, every number derived by hand in the comments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.break_even import PaperBalance
from loihi_onespike.boards.energy.core_load import core_load
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.energy.estimate_document import estimate_document
from loihi_onespike.boards.energy.step_time import barrier_of
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.specification import load_board
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation.alpha import FP32, INT8, ArithmeticCounts
from loihi_onespike.executors import reference
from loihi_onespike.json_text import json_text
from tests.boards.mapping.boards import narrow
from tests.support.lava_networks import BASE, codes, graded, membrane, neurons, source, weights

CODES = np.array([[3, 1]])
"""Bits 11 and 01: spikes of the first neuron at phases 1 and 2, of the second at phase 2."""
PHASES = np.array([[1, 2, 0]], np.int16)


def two_layers(macs: dict[str, float] | None = None) -> Network:
    """2 inputs of 2 bits → 3 neurons (T 2, wait 2) → 1 output: starts 0, 1, 4; period 4, latency 6."""
    populations = (
        source((2,), BinaryCode(2)),
        neurons("hidden", (3,), membrane(8192, 2), 2, 30, 2),
        Readout("out", (1,), membrane(BASE.mant, 2)),
    )
    synapses = (
        Synapse("hidden", "input", "hidden", Dense(weights(1, (3, 2)))),
        Synapse("out", "hidden", "out", Dense(weights(2, (1, 3)))),
    )
    facts = {"ann_macs": {"hidden": 6, "out": 3} if macs is None else macs}
    return verify(Network("two layers", populations, synapses, facts))


def activity(network: Network) -> Activity:
    layers = {"input": LayerTrace(CODES, None), "hidden": LayerTrace(PHASES, None)}
    return Activity.of(network, layers)


def estimated(board, macs=None):
    network = two_layers(macs)
    counted = activity(network)
    return estimate_board(network, map_network(network, board, counted.per_neuron()), counted)


def test_activity_by_phase():
    network = two_layers()
    counted = activity(network)
    assert counted.mean("input").tolist() == [[1, 0], [1, 1]]
    assert counted.mean("hidden").tolist() == [[1, 0, 0], [0, 1, 0]]
    counted.add({"input": LayerTrace(CODES * 0, None), "hidden": LayerTrace(PHASES * 0, None)})
    assert counted.images == 2 and counted.per_neuron()["hidden"].tolist() == [0.5, 0.5, 0.0]
    with pytest.raises(ConfigurationError, match="at least 1 image, got 0"):
        Activity(network).mean("input")


def test_load_of_cores_by_step():
    network = two_layers()
    counted = activity(network)
    mapping = map_network(network, "oheo_gulch")
    load = core_load(network, mapping.layers, mapping.placement, counted)
    # input phase k arrives in step k + 1: 1 · 3 and 2 · 3 targets; hidden phase k in step 1 + 2 + k + 1 = 4 + k: 5 and
    # 6 are steps 1 and 2 of the next period
    assert load.synaptic_operations.tolist() == [[0, 3, 6, 0], [1, 1, 0, 0]]
    # hidden decides until wait + T = 4; the readout reads during steps 5 and 6
    assert load.active_updates.tolist() == [[3, 3, 3, 3], [1, 1, 0, 0]]
    assert load.inactive_updates.tolist() == [[0, 0, 0, 0], [0, 0, 1, 1]]
    # hidden fires in steps 4 and 5
    assert load.packets_sent.tolist() == [[1, 0, 0, 1], [0, 0, 0, 0]]


def test_time_on_loihi_2():
    """Loihi 1's times by Intel's factors, in the form of arXiv 2601.10035: the longest part, a lower bound."""
    e = estimated("oheo_gulch")
    # the busiest core updates 3 neurons at 8.4 / 2 ns, synapses take 6 · 3.5 / 5 ns at most; no step is below 200 ns
    assert e.time.parts_ns["neuron updates"].tolist() == pytest.approx([12.6] * 4)
    assert e.time.parts_ns["synaptic operations"].max() == pytest.approx(4.2)
    assert e.time.steps_ns.tolist() == [200.0] * 4 and e.time.bound_by == "barrier" and e.time.rule == "max"
    assert str(e.images_per_s).startswith("1,250,000") and "1/s" not in str(e.images_per_s)
    assert e.images_per_s.value == pytest.approx(1 / 800e-9) and e.latency_us.value == pytest.approx(6 * 0.2)
    assert (
        e.images_per_s.status == "I" and "4.2 ns" in e.images_per_s.source and "under 200 ns" in e.images_per_s.source
    )
    # the high end has the parts one after the other: 4.2 · 3 + 0.7 · 6 + 200 ns
    assert e.time.high_ns.tolist() == pytest.approx([212.6, 214.7, 216.8, 212.6])
    assert set(e.time.left_out) == {"routing"}
    assert any("lower bound" in note for note in e.notes) and any("2601.10035" in note for note in e.notes)


def test_energy_on_loihi_2_is_unknown_and_estimated_apart():
    e = estimated("oheo_gulch")
    own, borrowed = e.accounts
    assert own.dynamic.value is None and own.low.value is None and str(own.synaptic) == "unknown"
    assert own.dynamic.status == "NF" and not own.estimated and "Loihi 2" in own.table
    # 110 to 280 mW of the one chip in use, 800 ns
    assert own.static_low.value == pytest.approx(0.110 * 800) and own.static_high.value == pytest.approx(0.280 * 800)
    assert borrowed.estimated and "not a Loihi 2 figure" in borrowed.table
    assert borrowed.synaptic.value == pytest.approx(11 * 23.6e-3) and borrowed.synaptic.status == "I"
    assert e.best_account is borrowed
    prices = json_text(estimate_document(e))
    assert '"value": 23.6' not in prices  # never an entry of its own for Loihi 2


def test_time_and_energy_on_loihi_1():
    e = estimated("kapoho_bay")
    # work: 3 active neurons · 8.4 ns; then the barrier of 32 tiles
    assert e.time.steps_ns.tolist() == pytest.approx([490.2] * 4)
    assert e.time.bound_by == "barrier" and e.time.rule == "sum" and not e.time.left_out
    # least: the barrier of one tile; largest: SANA-FE's 9.7, 4.7 and 5.1 ns one after the other, and 1.8 µs
    assert e.time.low_ns.tolist() == pytest.approx([138.2] * 4)
    assert e.time.high_ns.tolist() == pytest.approx([1834.2, 1843.2, 1857.3, 1834.2])
    assert (e.step_us.least, e.step_us.largest) == pytest.approx((0.1382, 1.842225))
    assert "3.5 (max) ns" in e.step_us.source and "SANA-FE" in e.step_us.source
    (account,) = e.accounts
    assert not account.estimated
    assert account.synaptic.value == pytest.approx(11 * 23.6e-3) == account.synaptic.least
    # Davies' price is the least one; SANA-FE's lists of targets take 33.6 pJ
    assert "23.6 (min) pJ" in account.synaptic.source and account.synaptic.largest == pytest.approx(11 * 33.6e-3)
    assert account.updates.value == pytest.approx((14 * 81 + 2 * 52) * 1e-3)
    assert account.updates.least == pytest.approx((14 * 72.8 + 2 * 51.2) * 1e-3)
    # two spikes from core 0 to core 1 of one tile, by Davies' reading and by SANA-FE's
    assert account.hops.value == pytest.approx(2 * 1.7e-3) and account.hops.largest == pytest.approx(2 * 0.111)
    assert "111" in account.hops.source and "1.7" in account.hops.source
    assert account.static_low.value == pytest.approx(104 * 1.9608) and account.static_high is account.static_low
    assert account.static_low.least == pytest.approx(104 * 4 * 0.1382)
    total = 0.2596 + 1.238 + 0.0034 + 203.9232
    assert account.low.value == account.high.value == pytest.approx(total)
    assert account.static_share == pytest.approx((203.9232 / total,) * 2)
    assert account.low.largest == pytest.approx(11 * 0.0336 + 1.238 + 0.222 + 104 * 4 * 1.842225)


def test_every_part_can_decide_the_time():
    board = load_board("kapoho_bay")

    def with_prices(**ns):
        timing = board.chip.timing
        plain = {"status": "U", "source": "test", "bound": "", "low": None, "high": None, "range_source": ""}
        changed = {k: replace(getattr(timing, k), value=v, **plain) for k, v in ns.items()}
        return replace(board, chip=replace(board.chip, timing=replace(timing, **changed)))

    free = {"barrier_max_ns": 0.0, "barrier_min_ns": 0.0}
    # 3 active neurons · 8.4 ns
    assert estimated(with_prices(**free)).time.steps_ns.tolist() == pytest.approx([25.2] * 4)
    cheap = {**free, "neuron_update_active_ns": 0.0, "neuron_update_inactive_ns": 0.0}
    # synaptic operations of the busiest core: 1, 3, 6, 0; a packet takes 2.1 ns, in steps 1 and 4
    e = estimated(with_prices(**cheap))
    assert (
        e.time.steps_ns.tolist() == pytest.approx([3.5, 10.5, 21.0, 2.1]) and e.time.bound_by == "synaptic operations"
    )
    slow = estimated(with_prices(**cheap, spike_within_tile_ns=100.0))
    assert slow.time.steps_ns.tolist() == pytest.approx([100.0, 10.5, 21.0, 100.0]) and slow.time.bound_by == "routing"


def test_chips_apart_wait_for_each_other():
    """One neuron a core and two cores a chip: four cores on two chips."""
    board = narrow("kapoho_point", state_words=1)
    board = replace(board, usable_cores_per_chip=replace(board.usable_cores_per_chip, value=2))
    e = estimated(board)
    assert (e.cores, e.chips) == (4, 2) and e.time.steps_ns.tolist() == [10_000.0] * 4
    assert e.time.bound_by == "barrier" and e.time.left_out == ("routing",)
    # a barrier without a source that could be named is not verified, and not below that of one chip
    assert e.step_us.status == "U" and e.time.low_ns.tolist() == [200.0] * 4
    assert e.accounts[0].static_low.value == pytest.approx(2 * 110 * 40)
    assert any("between chips" in item for item in e.best_account.left_out)
    price = replace(board.chip.energy.hop_between_chips_pj, value=1000.0, status="U", source="test")
    energy = replace(load_board("kapoho_bay").chip.energy, hop_between_chips_pj=price)
    with_price = estimated(replace(board, chip=replace(board.chip, energy=energy)))
    (account,) = with_price.accounts
    # of the two spikes, those that leave their chip
    crossing = with_price.work.hops.between_chips
    assert crossing > 0 and account.hops.value >= crossing * 1.0
    assert not any("between chips" in item for item in account.left_out)


@pytest.mark.parametrize(
    ("chips", "barrier", "low"),
    [
        (1, 465, 113),
        (2, 5_800, 465),
        (32, 5_800, 5_800),
        (33, 14_300, 465),
        (256, 14_300, 14_300),
        (768, 16_200, 16_200),
    ],
)
def test_barrier_of_many_chips_of_loihi_1(chips, barrier, low):
    """Frady et al. 2020: 14.3 µs for 256 chips, 16.2 µs for 768; a step of 32 chips takes 5.8 µs."""
    found = barrier_of(chips, load_board("pohoiki_springs").chip.timing)
    assert (found.value, found.least) == (barrier, low)
    assert chips == 1 or f"used for {chips}" in found.source


def test_an_unknown_barrier_of_many_chips_is_left_out_by_name():
    timing = load_board("pohoiki_springs").chip.timing
    unknown = replace(timing.barrier_chips, value=None, status="NF", source="")
    found = barrier_of(2, replace(timing, barrier_chips=unknown))
    assert found.value is None and "2 chips" in found.source


def test_when_the_snn_loses_by_the_paper():
    paper = estimated("oheo_gulch").paper
    # rates 3 / 2 and 2 / 3: 1.5 · 6 + 2 / 3 · 3 = 11 additions for 9 MACs, but for synapses whose weight is 0
    first, second = (np.asarray(s.op.weight) != 0 for s in two_layers().synapses)
    made = (first @ [2, 1]).sum() / 9, (second @ [1, 1, 0]).sum() / 2
    added = 9 * made[0] + 2 * made[1]
    assert paper is not None and paper.operations.additions == pytest.approx(added) and paper.macs == 9
    assert f"here it makes {added / 9:.2f}, so it wins in both" in paper.sentence()
    assert made != (1, 1) and paper.alpha_all(FP32) == pytest.approx(4.6 * 9 / (0.9 * 11))
    said = f"; {paper.alpha_all(FP32):.2f} and {paper.alpha_all(INT8):.2f} with additions of weights of 0)"
    assert said in paper.sentence()
    document = estimate_document(estimated("oheo_gulch"))["paper"]
    assert isinstance(document, dict) and document["alpha_all_int8"] == paper.alpha_all(INT8) < document["alpha_int8"]
    assert "loses in FP32 and INT8" in PaperBalance(ArithmeticCounts(9.0, 63.0)).sentence()
    assert "loses in FP32 (" in PaperBalance(ArithmeticCounts(9.0, 54.0)).sentence()  # 6 lies between 5.11 and 6.67


def test_when_the_snn_loses_on_a_board():
    fp32, int8 = estimated("kapoho_bay").balances
    assert fp32.ann_nj == pytest.approx(9 * 4.6e-3) and int8.ann_nj == pytest.approx(9 * 0.2e-3)
    assert fp32.fixed_nj == pytest.approx(1.238 + 203.9232)
    assert fp32.break_even_operations == 0.0 and "at any spike rate" in fp32.sentence()
    # an ANN of 10^6 MACs: (4600 - 205.1612) / ((0.2596 + 0.0034) / 11) operations
    fp32, _ = estimated("kapoho_bay", {"hidden": 1_000_000, "out": 0}).balances
    assert fp32.break_even_operations == pytest.approx(4394.8388 / 0.0239090909)
    assert "it makes 11, so it wins" in fp32.sentence() and "Static power is at least 99 %" in fp32.sentence()
    dear = replace(fp32, ann_nj=fp32.fixed_nj + 0.1)  # 4.2 operations
    assert "so it loses" in dear.sentence()


def test_nothing_is_said_of_unknown_energies():
    e = estimated("oheo_gulch")
    unknown = replace(e.balances[0], account=e.accounts[0])
    assert unknown.break_even_operations is None and "not public" in unknown.sentence()


def test_a_network_that_does_not_say_what_its_ann_was():
    network = replace(two_layers(), facts={})
    e = estimate_board(network, map_network(network, "oheo_gulch"), activity(network))
    assert e.paper is None and e.balances == () and e.sentences == ()
    assert estimate_document(e)["paper"] is None


def test_layers_and_figures():
    e = estimated("kapoho_bay")
    hidden, out = e.layers
    assert (hidden.spikes, hidden.synaptic_operations, hidden.updates, hidden.cores) == (2.0, 9.0, 12.0, 1)
    assert (out.spikes, out.synaptic_operations, out.updates, out.instructions) == (0.0, 2.0, 4.0, None)
    parts = [y.dynamic_nj for y in e.layers if y.dynamic_nj is not None]
    assert sum(parts) == pytest.approx(0.2596 + 1.238)
    assert all(y.instructions and y.instructions > 0 for y in estimated("oheo_gulch").layers)
    assert {f.status for f in e.counts} == {"counted"}


def test_a_spike_with_payload_is_one_spike():
    """Messages multiply nothing in the counts, and the report says what it leaves out."""
    network = graded(1)
    trace = reference.run(network, codes(network, 3))
    counted = Activity.of(network, trace.layers)
    found = estimate_board(network, map_network(network, "oheo_gulch"), counted)
    for layer in found.layers[:-1]:
        assert layer.spikes == pytest.approx(np.count_nonzero(np.asarray(trace.layers[layer.name].words)) / 3)
        assert layer.spikes <= layer.neurons
    assert any("one synaptic operation per target" in note for note in found.notes)
    assert not any("payload" in note for note in estimated("oheo_gulch").notes)
