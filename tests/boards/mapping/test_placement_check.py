"""Mapper and checker share no code: on random networks they must agree. The checker must object to every mutation."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.boards.mapping import Block, check_placement, map_network
from loihi_onespike.boards.specification import load_board
from tests.boards.mapping.boards import narrow
from tests.strategies import networks, random_network

BOARDS = (
    load_board("oheo_gulch"),
    load_board("nahuku_8"),
    load_board("nahuku_8").with_convolution("kernels"),
    narrow("nahuku_32", input_lists=40, fan_out_edges=60),
    narrow("hala_point", state_words=24, synapse_words=120, total_words=300),
    narrow("pohoiki_springs", neurons=9, synapse_words=60),
)
TOO_NARROW = (
    narrow("nahuku_8", input_lists=2),
    narrow("hala_point", synapse_words=6),
    narrow("hala_point", state_words=1),
    narrow("nahuku_8", neurons=0),
)


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(networks(products=20), st.sampled_from(BOARDS))
def test_every_placement_passes(network, board):
    mapping = map_network(network, board)
    assert mapping.fits, mapping.violations
    assert check_placement(network, mapping.placement) == []


@pytest.mark.thorough
@settings(max_examples=40, deadline=None)
@given(networks(), st.sampled_from(TOO_NARROW))
def test_violations_are_those_that_the_checker_finds(network, board):
    mapping = map_network(network, board)
    objections = check_placement(network, mapping.placement)
    assert {(v.layer, v.resource) for v in mapping.violations} == {
        (layer, resource) for layer, resource in _over_a_limit(objections)
    }


def _over_a_limit(objections):
    for text in objections:
        layer, _, rest = text.partition(": ")
        assert "limit" in rest, text
        yield layer, rest.split()[7].rstrip(",")


@pytest.fixture(scope="module")
def placed():
    board = narrow("kapoho_point", state_words=24, cores_per_chip=4)
    for seed in range(50):
        network = random_network(seed, ops=("conv",), input_ranks=(3,), gathers=False, branches=False)
        mapping = map_network(network, board)
        if mapping.fits and len(mapping.placement.cores) > 4 and len(mapping.splits[0].grid) > 1:
            break
    assert len(mapping.splits) > 1 and check_placement(network, mapping.placement) == []
    return network, mapping.placement


def changed(placement, number, **changes):
    cores = list(placement.cores)
    cores[number] = replace(cores[number], **changes)
    return replace(placement, cores=tuple(cores))


def split_one(placement):
    """Number of a core of a layer with several, and its block."""
    name = next(n for n, places in placement.by_layer.items() if len(places) > 1)
    return placement.by_layer[name]


def objected(network, placement, words):
    found = check_placement(network, placement)
    assert any(words in text for text in found), found


def test_a_dropped_neuron(placed):
    network, placement = placed
    number = split_one(placement)[0]
    block = placement.cores[number].block
    axis = max(range(len(block.extent)), key=lambda d: block.extent[d])
    high = tuple(h - (d == axis) for d, h in enumerate(block.high))
    objected(network, changed(placement, number, block=Block(block.low, high)), "neurons lie on no core")


def test_a_dropped_core(placed):
    network, placement = placed
    objected(network, replace(placement, cores=placement.cores[1:]), "neurons lie on no core")


def test_a_neuron_on_two_cores(placed):
    network, placement = placed
    first, second = split_one(placement)[:2]
    both = changed(placement, second, block=placement.cores[first].block)
    objected(network, both, "neurons lie on several cores")


def test_a_core_that_is_too_full(placed):
    network, placement = placed
    name = placement.cores[split_one(placement)[0]].layer
    kept = [c for c in placement.cores if c.layer != name]
    whole = replace(next(c for c in placement.cores if c.layer == name), block=_all_of(placement.shapes[name]))
    found = replace(placement, cores=(*kept, whole))
    objected(network, found, "state_words, limit 24")
    objected(network, found, "counted")  # and it states fewer words than it holds


def _all_of(shape):
    return Block((0,) * len(shape), shape)


def test_two_layers_on_one_core(placed):
    network, placement = placed
    first, last = placement.cores[0], len(placement.cores) - 1
    assert placement.cores[last].layer != first.layer
    mixed = changed(placement, last, chip=first.chip, core=first.core)
    objected(network, mixed, f"holds a block of {first.layer} already")


def test_addresses_beyond_the_board(placed):
    network, placement = placed
    objected(network, changed(placement, 0, chip=8), "chip 8, Kapoho Point has chips 0 to 7")
    objected(network, changed(placement, 0, core=4), "usable are 0 to 3")
    objected(network, changed(placement, 0, core=-1), "core -1")


def test_words_that_are_not_there(placed):
    network, placement = placed
    use = placement.cores[0].use
    for resource in ("synapse_words", "axon_in_words", "axon_map_words", "axon_mem_words", "state_words", "neurons"):
        less = replace(use, **{resource: use.of(resource) - 1})
        objected(network, changed(placement, 0, use=less), f"{use.of(resource)} {resource} counted")


def test_strange_layers_and_blocks(placed):
    network, placement = placed
    objected(network, changed(placement, 0, layer="nobody"), "nobody: is on a core")
    shape = placement.shapes[placement.cores[0].layer]
    beyond = Block((0,) * len(shape), tuple(n + 1 for n in shape))
    objected(network, changed(placement, 0, block=beyond), "is not within the shape")


def test_axons_that_are_not_there():
    network = random_network(3, ops=("conv",), input_ranks=(3,), gathers=False, branches=False)
    placement = map_network(network, "nahuku_8").placement
    assert check_placement(network, placement) == []
    use = placement.cores[0].use
    for resource in ("input_lists", "fan_out_edges"):
        less = replace(use, **{resource: use.of(resource) - 1})
        objected(network, changed(placement, 0, use=less), f"{use.of(resource)} {resource} counted")
