"""Packets of one group of synapses between the blocks of two layers.

    packets[a, b] = Σ_{neurons i of block a that have a target in block b} spikes_i

Without a gather, and with blocks that form grids, the neurons that count are a product of one set of places per axis,
so the packets follow axis by axis.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent
from loihi_onespike.boards.mapping.targets import axis_targets, target_counts

Cuts = tuple[tuple[int, int], ...]


def between_blocks(
    afferent: Afferent, senders: Sequence[Block], readers: Sequence[Block], spikes: NDArray[np.float64] | float
) -> sp.coo_matrix:
    """Packets per image from each block of the presynaptic population to each block of the layer.

    Args:
        afferent: The group of synapses.
        senders: Blocks of the presynaptic population.
        readers: Blocks of the layer.
        spikes: Spikes of each presynaptic neuron, or one number for all.

    Returns:
        (senders, readers) packets.
    """
    sending, reading = _cuts(senders), _cuts(readers)
    if afferent.index is not None or sending is None or reading is None:
        return _block_by_block(afferent, senders, readers, spikes)
    joined = [
        np.stack([axis_targets(afferent.op, afferent.seen, d, low, high) > 0 for low, high in cuts])
        for d, cuts in enumerate(reading)
    ]
    if isinstance(spikes, float):
        counts = [_counts(axis, cuts) for axis, cuts in zip(joined, sending, strict=True)]
        product = reduce(lambda a, b: sp.kron(a, b, "csr"), counts, sp.csr_matrix([[spikes]]))
        return product.tocoo()
    return _weighted(joined, sending, spikes)


def _counts(joined: NDArray[np.bool_], cuts: Cuts) -> sp.csr_matrix:
    """(senders, readers) places of each sender along an axis that each reader sees."""
    up_to = np.insert(np.cumsum(joined, axis=1), 0, 0, axis=1)
    low, high = np.array(cuts).T
    return sp.csr_matrix((up_to[:, high] - up_to[:, low]).T.astype(np.float64))


def _weighted(joined: list[NDArray[np.bool_]], sending: tuple[Cuts, ...], spikes: NDArray[np.float64]) -> sp.coo_matrix:
    """The sum of the spikes, axis by axis over the different sets of places that pairs of cuts have in common."""
    total = spikes
    pairs: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    for seen, cuts in zip(joined, sending, strict=True):
        known: dict[bytes, int] = {}
        sets: list[NDArray[np.bool_]] = []
        found: list[tuple[int, int, int]] = []
        for (a, (low, high)), (b, places) in itertools.product(enumerate(cuts), enumerate(seen)):
            common = np.zeros_like(places)
            common[low:high] = places[low:high]
            if common.any():
                number = known.setdefault(common.tobytes(), len(known))
                if number == len(sets):
                    sets.append(common)
                found.append((a, b, number))
        pairs.append(tuple(np.array(found, np.int64).reshape(-1, 3).T))
        total = np.tensordot(total, np.stack(sets).astype(np.float64) if sets else np.zeros((0, len(seen[0]))), (0, 1))
    rows: Any = 0
    columns: Any = 0
    for (sender, reader, _), seen, cuts in zip(pairs, joined, sending, strict=True):
        rows, columns = np.add.outer(rows * len(cuts), sender), np.add.outer(columns * len(seen), reader)
    values = total[np.ix_(*(number for _, _, number in pairs))]
    sent = values != 0
    shape = (int(np.prod([len(c) for c in sending])), int(np.prod([len(j) for j in joined])))
    return sp.coo_matrix((values[sent], (rows[sent], columns[sent])), shape)


def _block_by_block(
    afferent: Afferent, senders: Sequence[Block], readers: Sequence[Block], spikes: NDArray[np.float64] | float
) -> sp.coo_matrix:
    """The same for gathers and for blocks of any arrangement, which need not hold all neurons."""
    owner = np.full(afferent.pre_shape, -1, np.int64)
    for number, block in enumerate(senders):
        owner[block.slices] = number
    owner, weight = owner.ravel(), np.broadcast_to(np.asarray(spikes, np.float64), afferent.pre_shape).ravel()
    rows, columns, values = [], [], []
    for number, block in enumerate(readers):
        neurons = afferent.neurons(tuple(np.flatnonzero(c) for c in target_counts(afferent.op, afferent.seen, block)))
        sent = np.bincount(owner[neurons] + 1, weight[neurons], len(senders) + 1)[1:]
        from_blocks = np.flatnonzero(sent)
        rows.append(from_blocks)
        columns.append(np.full(len(from_blocks), number))
        values.append(sent[from_blocks])
    flat = [np.concatenate(part) for part in (values, rows, columns)]
    return sp.coo_matrix((flat[0], (flat[1], flat[2])), (len(senders), len(readers)))


def _cuts(blocks: Sequence[Block]) -> tuple[Cuts, ...] | None:
    """Cuts of each axis when the blocks are a grid in C order, None when they are not."""
    rank = len(blocks[0].low) if blocks else 0
    cuts = tuple(tuple(sorted({(b.low[d], b.high[d]) for b in blocks})) for d in range(rank))
    grid = itertools.product(*cuts)
    if len(blocks) != int(np.prod([len(c) for c in cuts])):
        return None
    same = all(tuple(zip(b.low, b.high, strict=True)) == box for b, box in zip(blocks, grid, strict=True))
    return cuts if same else None
