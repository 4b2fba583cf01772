"""Counts of SANA-FE equal ours; its time and energy follow from its prices, by hand."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.mapping import map_network
from loihi_onespike.boards.sanafe import compare, export, simulate
from loihi_onespike.boards.sanafe.simulation import messages_nj
from loihi_onespike.core.graphs.network import Network, Synapse
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.core.maps import Dense
from loihi_onespike.errors import SimulatorError
from loihi_onespike.executors import reference
from loihi_onespike.json_text import json_text
from tests.boards.energy.test_estimate import CODES, two_layers
from tests.boards.mapping.boards import narrow
from tests.support.lava_networks import chain, codes, everything, weights

sanafe = pytest.importorskip("sanafe", reason="SANA-FE is not installed")

NETWORKS = {
    "one tile": (lambda: chain(6), "nahuku_32"),
    "short wait, many tiles": (lambda: chain(2), narrow("nahuku_32", neurons=16)),
    "signed, delays, sparse": (lambda: everything(5), narrow("nahuku_32", neurons=5)),
}


@cache
def compared(name):
    network, board = NETWORKS[name][0](), NETWORKS[name][1]
    trace = reference.run(network, codes(network, 3))
    activity = Activity.of(network, trace.layers)
    mapping = map_network(network, board, activity.per_neuron())
    return compare(network, mapping, trace, estimate_board(network, mapping, activity))


@pytest.mark.parametrize("name", NETWORKS)
def test_counts_are_equal(name):
    comparison = compared(name)
    assert comparison.unequal == ()
    counts = {row.name: row for row in comparison.counts}
    assert counts["spikes"].updated > 0 and counts["packets between cores"].updated > 0
    if name != "one tile":
        assert counts["tiles crossed east-west"].updated > 0
    for row in comparison.counts:
        assert row.updated == pytest.approx(row.ours.value, rel=1e-9) and row.idle == row.updated, row


@pytest.mark.parametrize("name", NETWORKS)
def test_energy_is_counts_times_prices(name):
    run = compared(name).updated
    operations = run.messages.synaptic_operations + run.input_messages.synaptic_operations
    # loihi.yaml: lists of targets 33.6 pJ, access and update of a neuron 51.2 + 21.6 pJ, a spike 69.3 pJ
    assert run.energy_nj["synapse"] == pytest.approx(operations * 33.6e-3)
    network = run.placed.network
    neurons = sum(core.block.neurons for core in run.placed.placement.cores)
    expected = neurons * network.period_steps * 72.8e-3 + run.spikes * 69.3e-3
    assert run.energy_nj["soma"] == pytest.approx(expected)
    assert compared(name).idle.energy_nj["soma"] == pytest.approx(
        neurons * network.period_steps * 51.2e-3 + run.spikes * (21.6e-3 + 69.3e-3)
    )
    sent = messages_nj(run.placed, run.messages)
    assert run.energy_nj["network"] == pytest.approx(sent + run.input_network_nj)
    # 111 pJ to leave a core, 3 and 4.2 pJ a tile
    hops = run.messages.hops_east_west * 3.0e-3 + run.messages.hops_north_south * 4.2e-3
    assert sent == pytest.approx(run.messages.packets * 0.111 + hops)
    assert run.core_energy_nj.sum() == pytest.approx(run.total_nj - run.input_network_nj - hops)


def test_two_layers_by_hand():
    network = two_layers()
    trace = reference.run(network, CODES)
    mapping = map_network(network, "nahuku_32")
    run = simulate(network, mapping, trace)
    # 3 and 1 neurons on two cores of one tile, and the input beside them
    assert run.placed.connections == 2 * 3 + 3 and run.tiles == 1
    # input: neuron 0 in steps 1 and 2, neuron 1 in step 2, one message each to the core of 3 targets
    assert (run.input_messages.packets, run.input_messages.synaptic_operations) == (3, 9)
    raster = run.placed.raster("input", 0)
    assert raster.tolist() == [[True, False], [True, True], [False, False], [False, False]]
    # steps without spikes: 3 neurons of 6.0 + 3.7 ns, and the barrier of one tile, 600 ns
    assert run.steps_us.min() == pytest.approx(3 * 9.7e-3 + 0.6)


def test_the_stream_is_a_ring():
    """A spike that is sent after the last step of the stream stands at its beginning."""
    network = chain(6)
    trace = reference.run(network, codes(network, 3))
    placed = export(network, map_network(network, "nahuku_32"), trace)
    late = network.hidden[-1]
    ring = np.concatenate([placed.raster(late.name, n) for n in range(3)])
    phases = trace.layers[late.name].words
    assert phases is not None
    phases = phases.reshape(3, -1)
    expected = np.zeros_like(ring)
    for image, neuron in np.argwhere(phases != 0):
        step = network.starts[late.name] + late.wait + abs(int(phases[image, neuron])) + image * network.period_steps
        expected[(step - 1) % len(ring), neuron] = True
    assert expected.any() and np.array_equal(ring, expected)


def test_one_core_too_small_for_its_neurons(tmp_path):
    network = chain(6)
    description = (compared("one tile").updated.placed.description.source).read_text()
    file = tmp_path / "small.yaml"
    file.write_text(description.replace("max_neurons_supported: 1024", "max_neurons_supported: 255"))
    trace = reference.run(network, codes(network, 1))
    with pytest.raises(SimulatorError, match="conv1: must have at most 255 neurons on a core, got 256"):
        export(network, map_network(network, "nahuku_32"), trace, architecture=file)


def test_time_without_contention_is_no_longer():
    network = chain(6)
    trace = reference.run(network, codes(network, 2))
    mapping = map_network(network, "nahuku_32")
    simple, detailed = (simulate(network, mapping, trace, timing=timing) for timing in ("simple", "detailed"))
    assert simple.image_us <= detailed.image_us and simple.messages.blocked_us == 0


def test_files_for_its_own_simulator(tmp_path):
    comparison = compared("one tile")
    placed = comparison.updated.placed
    placed.write(tmp_path)
    chip_description = sanafe.load_arch(str(tmp_path / "architecture.yaml"))
    chip = sanafe.SpikingChip(chip_description)
    chip.load(sanafe.load_net(str(tmp_path / "network.yaml"), chip_description))
    result = chip.sim(3 * placed.network.period_steps)
    sent = comparison.updated.messages.packets + comparison.updated.input_messages.packets
    assert result["packets_sent"] == pytest.approx(3 * sent)


def test_progress():
    network = chain(6)
    trace = reference.run(network, codes(network, 2))
    activity = Activity.of(network, trace.layers)
    mapping = map_network(network, "nahuku_32", activity.per_neuron())
    seen: list[tuple[int, int]] = []
    compare(network, mapping, trace, estimate_board(network, mapping, activity), progress=lambda *at: seen.append(at))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_document_and_words():
    comparison = compared("one tile")
    document = json.loads(json_text(comparison.document()))
    assert document["counts_equal"] and document["simulator"].startswith("sanafe ")
    assert len(document["energy_of_cores"]) == len(comparison.updated.placed.placement.cores)
    time = next(row for row in document["per_image"] if row["name"] == "time")
    assert time["estimate"]["least"] <= time["estimate"]["value"] <= time["estimate"]["largest"]
    assert time["idle"] <= time["updated"]
    text = "\n".join(document["differences"])
    for words in ("111 pJ for every message", "33.6 pJ per target of a list", "a barrier of", "cores of its own"):
        assert words in text


def test_two_groups_from_one_population_are_one_message():
    plain = two_layers()
    again = Synapse("again", "hidden", "out", Dense(weights(5, (1, 3))))
    network = verify(Network("twice", plain.populations, (*plain.synapses, again)))
    trace = reference.run(network, CODES)
    activity = Activity.of(network, trace.layers)
    mapping = map_network(network, "nahuku_32", activity.per_neuron())
    comparison = compare(network, mapping, trace, estimate_board(network, mapping, activity))
    assert comparison.unequal == ("packets between cores",)
    (packets,) = (row for row in comparison.counts if row.name == "packets between cores")
    assert packets.ours.value == 2 * packets.updated > 0
    assert "two groups from one population onto one core count twice" in comparison.differences[0]
