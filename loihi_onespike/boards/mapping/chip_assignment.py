"""Assignment of cores to chips such that few spikes travel between chips.

Cores fill one chip after another in the order of the pipeline. Then single cores move and pairs of cores are exchanged
between chips as long as this lowers the number of packets that leave their chip. The order is fixed, so the result is
reproducible. It is a local optimum: moves are made one at a time, without looking ahead.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

PASSES = 8
"""Largest number of passes over all cores."""
MAX_REFINED_CORES = 20_000
"""Beyond this number cores stay in the order of the pipeline, because the exchange stores cores · chips numbers."""


def assign_chips(traffic: sp.csr_matrix, cores_per_chip: int) -> NDArray[np.int64]:
    """Assign a chip to every core.

    Args:
        traffic: (cores, cores) packets per image from row to column.
        cores_per_chip: Cores that may be used on a chip.

    Returns:
        (cores,) number of the chip, from 0.
    """
    count = traffic.shape[0]
    chips = np.arange(count, dtype=np.int64) // cores_per_chip
    if count <= cores_per_chip or count > MAX_REFINED_CORES:
        return chips
    both = (traffic + traffic.T).tocsr()
    both.setdiag(0)
    both.eliminate_zeros()
    return _exchange(both, chips, cores_per_chip)


def crossing(traffic: sp.csr_matrix, chips: NDArray[np.int64]) -> float:
    """Packets per image that leave their chip.

    Args:
        traffic: (cores, cores) packets per image from row to column.
        chips: (cores,) number of the chip of every core.
    """
    pairs = traffic.tocoo()
    return float(pairs.data[chips[pairs.row] != chips[pairs.col]].sum())


def _exchange(both: sp.csr_matrix, start: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    chips = start.copy()
    number = int(chips.max()) + 1
    member = sp.csr_matrix((np.ones(len(chips)), (np.arange(len(chips)), chips)), shape=(len(chips), number))
    pull = np.asarray((both @ member).todense())  # packets between a core and all cores of a chip
    filled = np.bincount(chips, minlength=number)
    for _ in range(PASSES):
        changed = False
        for a in range(len(chips)):
            gain = pull[a] - pull[a, chips[a]]
            target = int(np.argmax(gain))
            if gain[target] <= 0:
                continue
            if filled[target] < room:
                _move(both, pull, chips, filled, a, target)
                changed = True
                continue
            partners = np.flatnonzero(chips == target)
            row = both.getrow(a)
            shared = np.zeros(len(chips))
            shared[row.indices] = row.data
            total = gain[target] + pull[partners, chips[a]] - pull[partners, target] - 2 * shared[partners]
            best = int(np.argmax(total))
            if total[best] > 0:
                home, b = int(chips[a]), int(partners[best])
                _move(both, pull, chips, filled, a, target)
                _move(both, pull, chips, filled, b, home)
                changed = True
        if not changed:
            break
    return chips


def _move(
    both: sp.csr_matrix,
    pull: NDArray[np.float64],
    chips: NDArray[np.int64],
    filled: NDArray[np.int64],
    core: int,
    target: int,
) -> None:
    first, last = both.indptr[core], both.indptr[core + 1]
    neighbours, packets = both.indices[first:last], both.data[first:last]
    pull[neighbours, chips[core]] -= packets
    pull[neighbours, target] += packets
    filled[chips[core]] -= 1
    filled[target] += 1
    chips[core] = target
