"""Spikes between cores: how many each core sends to each other, and how far they travel.

A spike is sent once to every core that holds at least one of its targets, per group of synapses:

    packets[a, b] = Σ_{neurons i on core a with a target of the group on core b} spikes_i
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block, BlockGrid
from loihi_onespike.boards.mapping.edges import CoreEdges
from loihi_onespike.boards.mapping.mapped_layer import Afferent, MappedLayer
from loihi_onespike.boards.mapping.packets import between_blocks
from loihi_onespike.boards.mapping.placement import Placement
from loihi_onespike.boards.specification.spec import Mesh

Spikes = Mapping[str, NDArray[np.floating] | NDArray[np.integer] | float]
"""Spikes per image of every population, by name: one number per neuron (its shape), or their mean."""


def core_traffic(
    layers: Sequence[MappedLayer], blocks: Mapping[str, Sequence[Block]], spikes: Spikes | None = None
) -> sp.csr_matrix:
    """Packets per image between cores. The input comes from outside the cores and is not included.

    Args:
        layers: The layers, in topological order.
        blocks: Blocks of every layer, by name.
        spikes: Measured spikes per image; where not given, one spike per neuron, the most that a window allows.

    Returns:
        (cores, cores) packets from row to column; cores in the order of layers, then of their blocks.
    """
    first, number = {}, 0
    for layer in layers:
        first[layer.name] = number
        number += len(blocks[layer.name])
    parts: list[sp.coo_matrix] = []
    for layer in layers:
        for afferent in layer.afferents:
            if afferent.pre not in first:
                continue
            senders, readers = blocks[afferent.pre], blocks[layer.name]
            sent = between_blocks(afferent, senders, readers, spikes_of(afferent, spikes))
            rows, columns = sent.row + first[afferent.pre], sent.col + first[layer.name]
            parts.append(sp.coo_matrix((sent.data, (rows, columns)), (number, number)))
    if not parts:
        return sp.csr_matrix((number, number))
    values = np.concatenate([p.data for p in parts])
    places = np.concatenate([p.row for p in parts]), np.concatenate([p.col for p in parts])
    return sp.csr_matrix((values, places), shape=(number, number))


def spikes_of(afferent: Afferent, spikes: Spikes | None) -> NDArray[np.float64] | float:
    """Spikes of each presynaptic neuron of a group, or one number for all.

    Args:
        afferent: The group of synapses.
        spikes: Spikes of the populations, as for `core_traffic`.
    """
    given = 1.0 if spikes is None else spikes.get(afferent.pre, 1.0)
    return float(given) if np.ndim(given) == 0 else np.asarray(given, np.float64).reshape(afferent.pre_shape)


def packets_between_chips(
    layers: Sequence[MappedLayer], grids: Mapping[str, BlockGrid], chips: NDArray[np.int64], spikes: Spikes | None
) -> float:
    """Packets per image between chips, for cores in the order of the pipeline; for any number of cores.

    All packets less those that stay on a chip: of two layers only the few cores that share a chip are looked at.

    Args:
        layers: The layers, in topological order.
        grids: The cuts of every layer, by name.
        chips: (cores,) chip of every core; the cores of a chip follow one another.
        spikes: As for `core_traffic`.
    """
    first, number, total = {}, 0, 0.0
    for layer in layers:
        first[layer.name] = number
        number += len(grids[layer.name])
    for layer in layers:
        for afferent in layer.afferents:
            if afferent.pre not in first:
                continue
            given = spikes_of(afferent, spikes)
            pre, post = grids[afferent.pre], grids[layer.name]
            total += CoreEdges(afferent, post).packets(given)
            senders = chips[first[afferent.pre] : first[afferent.pre] + len(pre)]
            readers = chips[first[layer.name] : first[layer.name] + len(post)]
            for chip in np.intersect1d(senders, readers):
                sending = _blocks(pre, np.flatnonzero(senders == chip))
                reading = _blocks(post, np.flatnonzero(readers == chip))
                total -= float(between_blocks(afferent, sending, reading, given).sum())
    return total


def _blocks(grid: BlockGrid, numbers: NDArray[np.int64]) -> list[Block]:
    """Consecutive blocks of a grid."""
    return list(itertools.islice(grid, int(numbers[0]), int(numbers[-1]) + 1))


@dataclass(frozen=True)
class Hops:
    """Distances that the spikes of one image travel.

    Attributes:
        packets: Spikes that arrive at cores, one per spike, group and core with targets.
        within_core_tile: Packets among these that stay in one tile; None without a mesh.
        hops_east_west: Tiles crossed along rows, on chips where packets start and end; None without a mesh.
        hops_north_south: Tiles crossed along columns, likewise. Packets travel along rows first. Hops between chips are
            not
            included: how chips are joined is not public.
        between_chips: Packets that leave their chip.
        mesh_assumed: The mesh is that of another chip.
    """

    packets: float
    within_core_tile: float | None
    hops_east_west: float | None
    hops_north_south: float | None
    between_chips: float
    mesh_assumed: bool


def spike_hops(
    layers: Sequence[MappedLayer], placement: Placement, spikes: Spikes | None = None, mesh: Mesh | None = None
) -> Hops:
    """Hops of the spikes of one image under a placement.

    Args:
        layers: The layers that were mapped.
        placement: Their cores.
        spikes: Measured spikes per image, as for `core_traffic`.
        mesh: A mesh to assume where that of the chip is unknown (Loihi 2); the result is marked.
    """
    blocks = {name: [placement.cores[i].block for i in places] for name, places in placement.by_layer.items()}
    traffic = core_traffic(layers, blocks, spikes).tocoo()
    chips = np.array([c.chip for c in placement.cores])
    same = chips[traffic.row] == chips[traffic.col]
    packets, between = float(traffic.data.sum()), float(traffic.data[~same].sum())
    used = placement.board.chip.mesh if placement.board.chip.mesh.known else mesh
    if used is None or not used.known:
        return Hops(packets, None, None, None, between, False)
    assumed = used is not placement.board.chip.mesh
    column, row = _tiles(np.array([c.core for c in placement.cores]), used)
    east_west = np.abs(column[traffic.row] - column[traffic.col])[same]
    north_south = np.abs(row[traffic.row] - row[traffic.col])[same]
    sent = traffic.data[same]
    stays = float(sent[(east_west + north_south) == 0].sum())
    return Hops(packets, stays, float(sent @ east_west), float(sent @ north_south), between, assumed)


def _tiles(cores: NDArray[np.int64], mesh: Mesh) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    columns, per_tile = mesh.tile_columns.value, mesh.cores_per_tile.value
    assert columns and per_tile
    tile = cores // per_tile
    return tile % columns, tile // columns
