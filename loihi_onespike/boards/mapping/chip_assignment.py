"""Assignment of cores to chips such that few spikes travel between chips.

Cores fill one chip after another in the order of the pipeline. Then single cores move and pairs of cores are exchanged
between chips as long as this lowers the number of packets that leave their chip. The order is fixed, so the result is
reproducible. It is a local optimum: moves are made one at a time, without looking ahead. Cores of a network that is too
large for its board stay in the order of the pipeline.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

PASSES = 8
"""Largest number of passes over all cores."""
MAX_REFINED_CORES = 20_000
"""Beyond this number cores stay in the order of the pipeline, because the exchange stores cores · chips numbers."""


def in_order(count: int, cores_per_chip: int) -> NDArray[np.int64]:
    """Chips of so many cores in the order of the pipeline, from 0."""
    return np.arange(count, dtype=np.int64) // cores_per_chip


def assign_chips(traffic: sp.csr_matrix, cores_per_chip: int) -> NDArray[np.int64]:
    """Assign a chip to every core.

    Args:
        traffic: (cores, cores) packets per image from row to column.
        cores_per_chip: Cores that may be used on a chip.

    Returns:
        (cores,) number of the chip, from 0.
    """
    count = traffic.shape[0]
    chips = in_order(count, cores_per_chip)
    if count <= cores_per_chip or count > MAX_REFINED_CORES:
        return chips
    pairs = traffic.tocoo()
    apart = (pairs.row != pairs.col) & (pairs.data != 0)
    one_way = sp.csr_matrix((pairs.data[apart], (pairs.row[apart], pairs.col[apart])), traffic.shape)
    return _Exchange((one_way + one_way.T).tocsr(), chips, cores_per_chip).run()


def crossing(traffic: sp.csr_matrix, chips: NDArray[np.int64]) -> float:
    """Packets per image that leave their chip.

    Args:
        traffic: (cores, cores) packets per image from row to column.
        chips: (cores,) number of the chip of every core.
    """
    pairs = traffic.tocoo()
    return float(pairs.data[chips[pairs.row] != chips[pairs.col]].sum())


class _Exchange:
    """Moves and exchanges that lower the packets between chips.

    Args:
        both: (cores, cores) packets between two cores, in both directions together.
        start: (cores,) chip of every core to begin with; changed in place.
        room: Cores of a chip.
    """

    def __init__(self, both: sp.csr_matrix, start: NDArray[np.int64], room: int) -> None:
        self.both, self.chips, self.room = both, start, room
        number = int(start.max()) + 1
        member = sp.csr_matrix((np.ones(len(start)), (np.arange(len(start)), start)), shape=(len(start), number))
        self.pull = np.asarray((both @ member).todense())  # packets between a core and all cores of a chip
        self.members = [set(np.flatnonzero(start == chip).tolist()) for chip in range(number)]
        self.shared = np.zeros(len(start))  # packets with one core, written for the cores that exchange some with it

    def run(self) -> NDArray[np.int64]:
        """The chip of every core in the end."""
        for _ in range(PASSES):
            if not sum(self._improve(core) for core in range(len(self.chips))):
                break
        return self.chips

    def _improve(self, core: int) -> bool:
        """Move a core to where it has the most packets, or exchange it with one there; whether this was done."""
        mine, home = self.pull[core], int(self.chips[core])
        target = int(np.argmax(mine - mine[home]))
        gain = mine[target] - mine[home]
        if gain <= 0:
            return False
        if len(self.members[target]) < self.room:
            self._move(core, target)
            return True
        partners = np.array(sorted(self.members[target]))
        neighbours, packets = self._neighbours(core)
        self.shared[neighbours] = packets
        total = gain + self.pull[partners, home] - self.pull[partners, target] - 2 * self.shared[partners]
        self.shared[neighbours] = 0
        best = int(np.argmax(total))
        if total[best] <= 0:
            return False
        self._move(core, target)
        self._move(int(partners[best]), home)
        return True

    def _neighbours(self, core: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        first, last = self.both.indptr[core], self.both.indptr[core + 1]
        return self.both.indices[first:last], self.both.data[first:last]

    def _move(self, core: int, target: int) -> None:
        home = int(self.chips[core])
        neighbours, packets = self._neighbours(core)
        self.pull[neighbours, home] -= packets
        self.pull[neighbours, target] += packets
        self.members[home].remove(core)
        self.members[target].add(core)
        self.chips[core] = target
