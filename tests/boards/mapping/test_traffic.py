"""Packets between cores against a count over explicit synapses, and the way from placement to hops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihi_onespike.boards.mapping import core_traffic, layers_of, map_layers, map_network, spike_hops
from loihi_onespike.boards.mapping.chip_assignment import crossing, in_order
from loihi_onespike.boards.mapping.traffic import packets_between_chips
from loihi_onespike.boards.specification import load_chip
from loihi_onespike.core.maps import Sparse, with_weight
from loihi_onespike.core.maps.connectivity import synapse_matrix
from tests.boards.mapping.boards import narrow
from tests.boards.mapping.published import chain, dense
from tests.strategies import networks, random_network

SMALL = narrow("hala_point", state_words=24)


def without_zeros(op):
    """Weights of 0 are stored like all others, and a dense matrix loses them when it turns sparse."""
    return op if isinstance(op, Sparse) else with_weight(op, np.where(op.weight == 0, 2, op.weight))


def by_hand(network, placement, spikes):
    """A packet for every spike, group and core with a target."""
    count = len(placement.cores)
    packets = np.zeros((count, count))
    for synapse in network.synapses:
        if synapse.pre == network.input.name:
            continue
        pre = network.by_name[synapse.pre]
        matrix = synapse_matrix(without_zeros(synapse.op), pre.shape, synapse.index).tocsc()
        senders, receivers = placement.core_of(pre.name).ravel(), placement.core_of(synapse.post).ravel()
        for neuron in range(matrix.shape[1]):
            rows = matrix.indices[matrix.indptr[neuron] : matrix.indptr[neuron + 1]]
            for core in set(receivers[rows]):
                packets[senders[neuron], core] += spikes[pre.name].ravel()[neuron]
    return packets


@settings(max_examples=30, deadline=None)
@given(networks(gathers=False), st.integers(0, 99))
def test_packets(network, seed):
    rng = np.random.default_rng(seed)
    spikes = {p.name: rng.integers(0, 3, p.shape) for p in network.hidden}
    mapping = map_network(network, SMALL, spikes)
    blocks = {s.layer.name: list(s.grid) for s in mapping.splits}
    found = core_traffic(layers_of(network), blocks, spikes).toarray()
    assert np.array_equal(found, by_hand(network, mapping.placement, spikes))


@pytest.mark.parametrize("seed", range(30))
def test_packets_between_chips_without_the_matrix(seed):
    """What a million cores need: all packets less those of cores that share a chip; gathers included (seed 22)."""
    network = random_network(seed)
    rng = np.random.default_rng(seed)
    for spikes in (None, {p.name: rng.integers(0, 3, p.shape) for p in network.hidden}):
        mapping = map_network(network, SMALL, spikes)
        grids = {s.layer.name: s.grid for s in mapping.splits}
        traffic = core_traffic(mapping.layers, {name: list(grid) for name, grid in grids.items()}, spikes)
        for room in (1, 2, 5):
            chips = in_order(len(mapping.placement.cores), room)
            found = packets_between_chips(mapping.layers, grids, chips, spikes)
            assert found == pytest.approx(crossing(traffic, chips))


def test_a_neuron_that_is_read_twice_sends_one_packet():
    """Two places of the second layer stand for neuron 0 of the first."""
    layers = chain((2,), [((2,), dense(2, 2), 8), ((1,), dense(1, 3), 8)])
    twice = replace(layers[1].afferents[0], index=np.array([0, 0, 1]))
    layers = [layers[0], replace(layers[1], afferents=(twice,))]
    mapping = map_layers(layers, "oheo_gulch")
    assert spike_hops(layers, mapping.placement).packets == 2.0


def test_mean_spikes_and_default():
    layers = chain((4,), [((4,), dense(4, 4), 8), ((2,), dense(2, 4), 8)])
    mapping = map_layers(layers, narrow(state_words=2))
    assert [len(s.grid) for s in mapping.splits] == [4, 1]  # 4 halves to (4 - 1) // 2 = 1
    blocks = {s.layer.name: list(s.grid) for s in mapping.splits}
    assert core_traffic(layers, blocks).toarray()[:4, 4].tolist() == [1.0] * 4
    assert core_traffic(layers, blocks, {"layer0": 0.25}).sum() == 1.0


def test_hops_on_a_mesh():
    """Two layers of two cores each, one neuron a core: each neuron of the first reaches both cores of the second."""
    layers = chain((2,), [((2,), dense(2, 2), 8), ((2,), dense(2, 2), 8)])
    mapping = map_layers(layers, narrow("nahuku_8", neurons=1))
    # cores in tiles of 4 in rows of 8: cores 0, 4 in tiles (0, 0), (1, 0); 36 in tile 9, (1, 1); 127 in tile 31, (7, 3)
    cores = [replace(c, core=n) for c, n in zip(mapping.placement.cores, (0, 4, 36, 127), strict=True)]
    placement = replace(mapping.placement, cores=tuple(cores))
    assert [placement.tile(i) for i in range(4)] == [(0, 0), (1, 0), (1, 1), (7, 3)]
    found = spike_hops(layers, placement)
    # 0 → 36: 1 + 1; 0 → 127: 7 + 3; 4 → 36: 0 + 1; 4 → 127: 6 + 3
    assert (found.packets, found.hops_east_west, found.hops_north_south) == (4.0, 14.0, 8.0)
    assert (found.within_core_tile, found.between_chips, found.mesh_assumed) == (0.0, 0.0, False)
    apart = replace(placement, cores=(*cores[:2], replace(cores[2], chip=1), replace(cores[3], core=1)))
    found = spike_hops(layers, apart)
    # two packets leave for chip 1; 0 → 1 stays in its tile, 4 → 1 goes one column
    assert (found.between_chips, found.within_core_tile, found.hops_east_west) == (2.0, 1.0, 1.0)


def test_a_chip_without_a_public_mesh():
    layers = chain((2,), [((2,), dense(2, 2), 8), ((2,), dense(2, 2), 8)])
    board = narrow(state_words=1)
    unknown = replace(board.chip.mesh.tile_columns, value=None, status="NF", source="")
    hidden = replace(board, chip=replace(board.chip, mesh=replace(board.chip.mesh, tile_columns=unknown)))
    placement = map_layers(layers, hidden).placement
    found = spike_hops(layers, placement)
    assert found.hops_east_west is None and found.within_core_tile is None and placement.tile(0) is None
    assumed = spike_hops(layers, placement, mesh=load_chip("loihi_1").mesh)
    assert assumed.mesh_assumed and assumed.within_core_tile == pytest.approx(4.0)


def test_mesh_of_loihi_2():
    """8 × 4 routers with four cores each, as arXiv 2601.10035 has them."""
    layers = chain((2,), [((2,), dense(2, 2), 8), ((2,), dense(2, 2), 8)])
    placement = map_layers(layers, narrow(state_words=1)).placement
    found = spike_hops(layers, placement)
    assert (found.within_core_tile, found.hops_east_west, found.mesh_assumed) == (4.0, 0.0, False)
