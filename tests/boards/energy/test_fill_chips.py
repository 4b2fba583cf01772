"""Layers on cores that are idle: all limits kept, as fast as the best of all ways where these can be tried."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.core_load import core_load, layer_load
from loihi_onespike.boards.energy.estimate import estimate_board
from loihi_onespike.boards.energy.fill_chips import fill_chips, map_measured
from loihi_onespike.boards.energy.step_time import step_time
from loihi_onespike.boards.mapping import check_placement, map_network, mapper
from loihi_onespike.boards.mapping.mapper import place_splits
from loihi_onespike.boards.mapping.network_split import NetworkSplitter
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Quantity
from loihi_onespike.core.graphs.network import Readout
from loihi_onespike.errors import ConfigurationError, DeploymentError
from loihi_onespike.executors import reference
from tests.boards.mapping.boards import narrow
from tests.strategies import random_case

WORDS = 40
"""Words of state of a core: populations of the random networks take one to a few cores."""


ONE = Quantity("U", 1, "a test")


def board_of(cores_per_chip=None, *, barrier=0.0, **limits):
    """A board with Loihi 2 whose steps are as short as the work allows."""
    made = narrow("hala_point", cores_per_chip=cores_per_chip, **{"state_words": WORDS, **limits})
    timing = made.chip.timing
    barriers = {
        "barrier_max_ns": replace(timing.barrier_max_ns, value=barrier),
        "barrier_of_chips_ns": replace(timing.barrier_of_chips_ns, value=[barrier]),
    }
    return replace(made, chip=replace(made.chip, timing=replace(timing, **barriers)))


def case(seed, **changes):
    network, codes = random_case(seed, **changes)
    return network, Activity.of(network, reference.run(network, codes).layers)


def image_ns(network, mapping, activity):
    """Time of an image, by the code that estimates it."""
    return step_time(core_load(network, mapping.layers, mapping.placement, activity), mapping.placement).steps_ns.sum()


def test_idle_cores_make_an_image_faster_and_keep_every_limit():
    faster = 0
    for seed in range(12):
        network, activity = case(seed, payload=100 * (seed % 2))
        fewest = len(map_network(network, board_of()).placement.cores)
        for per_chip in (fewest + 4, -(-fewest // 2) + 2):  # one chip with idle cores, and two
            board = board_of(per_chip)
            before = map_network(network, board, activity.per_neuron())
            filled = fill_chips(network, before, activity)
            assert filled.fits and check_placement(network, filled.placement) == []
            assert filled.placement.chips == before.placement.chips
            assert max(filled.placement.cores_per_chip.values()) <= per_chip
            of_layers = zip(before.splits, filled.splits, strict=True)
            assert all(len(new.grid) >= len(old.grid) for old, new in of_layers)
            if filled is before:
                continue
            assert image_ns(network, filled, activity) < image_ns(network, before, activity)
            more = len(filled.placement.cores) - len(before.placement.cores)
            assert f"{more} cores more than the {len(before.placement.cores)}" in filled.notes[-1]
            assert fill_chips(network, filled, activity) is filled
            faster += 1
    assert faster >= 15  # of 24; a layer of one neuron that determines the time cannot be cut


def best_time(network, activity, board):
    """The shortest time of an image over all numbers of cores of all layers that the chips in use have room for."""
    before = map_network(network, board, activity.per_neuron())
    room = before.placement.chips * board.usable_cores_per_chip.value
    splitter = NetworkSplitter(before.layers, board.chip)
    idle = room - len(before.placement.cores)
    options = [range(len(s.grid), len(s.grid) + idle + 1) for s in before.splits]
    fewest = [option[0] for option in options]
    found = []
    for counts in itertools.product(*options):
        if sum(counts) > room:
            continue
        more = {s.layer.name: n for s, n, few in zip(before.splits, counts, fewest, strict=True) if n > few}
        splits = splitter.with_at_least(more)
        if splits is not None and sum(len(s.grid) for s in splits) <= room:
            mapping = place_splits(before.layers, splits, board, activity.per_neuron(), network.name)
            found.append(image_ns(network, mapping, activity))
    return min(found)


@pytest.mark.parametrize("seed", [0, 2, 3, 5])
def test_against_all_ways_to_give_two_cores(seed):
    network, activity = case(seed)
    board = board_of(len(map_network(network, board_of()).placement.cores) + 2)
    filled = map_measured(network, board, activity, fill=True)
    assert image_ns(network, filled, activity) <= 1.05 * best_time(network, activity, board)


@pytest.mark.parametrize("seed", range(4))
def test_no_core_is_given_for_nothing(seed):
    """Every layer with cores of its own choice would cost time with one size less."""
    network, activity = case(seed)
    board = board_of(60)
    filled = map_measured(network, board, activity, fill=True)
    few = {s.layer.name: len(s.grid) for s in map_network(network, board).splits}
    splitter = NetworkSplitter(filled.layers, board.chip)
    counts = {s.layer.name: len(s.grid) for s in filled.splits}
    given = [name for name, n in counts.items() if n > few[name]]
    assert given
    for name in given:
        without = splitter.with_at_least({**{n: counts[n] for n in given}, name: 1})
        assert without is not None
        mapping = place_splits(filled.layers, without, board, activity.per_neuron(), network.name)
        assert image_ns(network, mapping, activity) > image_ns(network, filled, activity)


def test_nothing_is_done_where_nothing_is_gained():
    network, activity = case(1)
    long_step = board_of(60, barrier=1e6)
    before = map_network(network, long_step, activity.per_neuron())
    assert fill_chips(network, before, activity) is before
    full = board_of(len(before.placement.cores))
    before = map_network(network, full, activity.per_neuron())
    assert fill_chips(network, before, activity) is before
    too_small = map_network(network, board_of(60, state_words=0), activity.per_neuron())
    assert not too_small.fits and fill_chips(network, too_small, activity) is too_small


def test_a_barrier_is_part_of_the_time():
    """Steps that the barrier determines are not made shorter: fewer cores are given than without it."""
    network, activity = case(1)
    counts = []
    free = image_ns(network, map_network(network, board_of(60), activity.per_neuron()), activity)
    for barrier in (0.0, free / network.period_steps):
        filled = map_measured(network, board_of(60, barrier=barrier), activity, fill=True)
        counts.append(len(filled.placement.cores))
    assert counts[1] < counts[0]


@pytest.mark.parametrize("seed", range(6))
def test_load_of_a_layer_alone(seed):
    """It is that of the whole network, on the cores of the layer."""
    network, activity = case(seed)
    mapping = map_network(network, board_of(), activity.per_neuron())
    whole = core_load(network, mapping.layers, mapping.placement, activity)
    for split in mapping.splits:
        own = layer_load(network, split.layer, tuple(split.grid), activity)
        cores = list(mapping.placement.by_layer[split.layer.name])
        for name in ("synaptic_operations", "active_updates", "inactive_updates"):
            np.testing.assert_array_equal(getattr(own, name), getattr(whole, name)[cores])
        assert not own.packets_sent.any()


def test_the_smallest_board_is_that_of_the_fewest_cores(monkeypatch):
    network, activity = case(1)
    cores = len(map_network(network, board_of()).placement.cores)
    large, small = (replace(board_of(count), id=name, chips=ONE) for count, name in ((60, "large"), (cores, "small")))
    monkeypatch.setattr(mapper, "boards", lambda: ("small",))
    monkeypatch.setattr(mapper, "load_board", lambda name: small)
    filled = map_measured(network, large, activity, fill=True)
    assert len(filled.placement.cores) > cores and filled.smallest_board == "small"


def test_activity_of_every_neuron():
    """One spike per neuron and image, at each phase equally often, whatever the numbers of phases."""
    network, _ = case(3)
    activity = Activity.every_neuron(network)
    for population in network.populations:
        if not isinstance(population, Readout):
            mean = activity.mean(population.name)
            np.testing.assert_allclose(mean, mean.flat[0])
            if population is not network.input:
                np.testing.assert_allclose(mean.sum(axis=0), 1)


def test_estimate_says_less_static_energy():
    network, activity = case(1)
    board = board_of(60)
    plain, filled = (map_measured(network, board, activity, fill) for fill in (False, True))
    before, after = (estimate_board(network, mapping, activity) for mapping in (plain, filled))
    assert after.chips == before.chips and after.cores > before.cores
    for of in (lambda e: e.image_us.value, lambda e: e.best_account.static_low.value):
        assert of(after) < of(before)
    assert after.work.synaptic_operations == pytest.approx(before.work.synaptic_operations)


def test_errors():
    network, _ = case(1)
    with pytest.raises(ConfigurationError, match="requires at least 1 image"):
        fill_chips(network, map_network(network, board_of(60)), Activity(network))
    payload, activity = case(1, payload=100)
    with pytest.raises(DeploymentError, match="payload"):
        map_measured(payload, load_board("kapoho_bay"), activity, fill=True)
