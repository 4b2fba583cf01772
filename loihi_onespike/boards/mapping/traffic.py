"""Spikes between cores: how many each core sends to each other, and how far they travel.

A spike is sent once to every core that holds at least one of its targets, per group of synapses:

    packets[a, b] = Σ_{neurons i on core a with a target of the group on core b} spikes_i
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent, MappedLayer
from loihi_onespike.boards.mapping.placement import Placement
from loihi_onespike.boards.mapping.targets import target_counts
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
    owners: dict[str, NDArray[np.int64]] = {}
    for layer in layers:
        first[layer.name] = number
        owner = np.zeros(layer.shape, np.int64)
        for i, block in enumerate(blocks[layer.name]):
            owner[block.slices] = number + i
        owners[layer.name] = owner
        number += len(blocks[layer.name])
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float64]] = []
    for layer in layers:
        for afferent in layer.afferents:
            if afferent.pre not in first:
                continue
            low, count = first[afferent.pre], len(blocks[afferent.pre])
            owner, weight = _seen_by(afferent, owners[afferent.pre] - low, spikes)
            for i, block in enumerate(blocks[layer.name]):
                counts = target_counts(afferent.op, afferent.seen, block)
                places = np.ix_(*(np.flatnonzero(c) for c in counts))
                sent = np.bincount(owner[places].ravel() + 1, _part(weight, places, owner), count + 1)[1:]
                senders = np.flatnonzero(sent)
                rows.append(senders + low)
                columns.append(np.full(len(senders), first[layer.name] + i))
                values.append(sent[senders].astype(np.float64))
    if not rows:
        return sp.csr_matrix((number, number))
    parts = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csr_matrix(parts, shape=(number, number))


def _part(
    weight: NDArray[np.float64] | float, places: tuple[NDArray[np.int64], ...], owner: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    if isinstance(weight, float):
        return None if weight == 1.0 else np.full(owner[places].size, weight)
    return weight[places].ravel()


def _seen_by(
    afferent: Afferent, owner: NDArray[np.int64], spikes: Spikes | None
) -> tuple[NDArray[np.int64], NDArray[np.float64] | float]:
    """Owner of every place that the map reads (-1 for none), and its spikes."""
    given = 1.0 if spikes is None else spikes.get(afferent.pre, 1.0)
    per_neuron = np.ndim(given) > 0
    weight: NDArray[np.float64] | float = np.asarray(given, np.float64) if per_neuron else float(given)
    if afferent.index is None:
        return owner, weight
    index = np.asarray(afferent.index)
    places = np.maximum(index, 0)
    seen = np.where(index >= 0, owner.ravel()[places], -1)
    return seen, weight.ravel()[places] if isinstance(weight, np.ndarray) else weight


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
