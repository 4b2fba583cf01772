"""The checker's own count of the words of a core, tap by tap and place by place, without the mapper's accounting."""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from loihi_onespike.boards.mapping.map_recounts import RECOUNTS
from loihi_onespike.boards.mapping.placement import PlacedCore, Placement
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout, Synapse


class Recount:
    """Words of state, synapses and axons of a core, counted from the network."""

    def __init__(self, network: Network, placement: Placement) -> None:
        self.network, self.chip = network, placement.board.chip
        self.kernels: dict[tuple[str, int, int], int] = {}
        # Once per layer and group of synapses: large networks have thousands of cores.
        self.rows = {
            p.name: _rows(p, network.period_steps) for p in network.populations if not isinstance(p, InputPopulation)
        }
        self.widths = {s.name: _width(s) for s in network.synapses}
        sharing = bool(self.chip.accounting.shared_convolution.value)
        self.shared = {s.name: sharing and self.spatial(s.post) and self.as_kernel(s) for s in network.synapses}
        self.channel_ranges: dict[str, set[tuple[int, int]]] = {}
        for core in placement.cores:
            if core.block.low:
                ranges = self.channel_ranges.setdefault(core.layer, set())
                ranges.add((core.block.low[0], core.block.high[0]))

    def state(self, core: PlacedCore) -> int:
        """Words of neuron state of a core."""
        extent = [b - a for a, b in zip(core.block.low, core.block.high, strict=True)]
        if self.spatial(core.layer) and self.chip.accounting.shared_convolution.value:
            columns = 1
            while columns < extent[-1]:
                columns *= 2
            extent[-1] = columns
        return self.rows[core.layer] * prod(extent)

    def spatial(self, layer: str) -> bool:
        """Whether all maps onto a layer keep channels and space apart."""
        maps = [s.op for s in self.network.synapses_onto(layer)]
        return len(self.network.by_name[layer].shape) >= 2 and all(RECOUNTS[m].spatial for m in maps)

    def incoming(self, core: PlacedCore) -> tuple[int, int]:
        """(AxonIn words, synapse words) of a core."""
        axons = words = 0
        for synapse in self.network.synapses_onto(core.layer):
            if self.shared[synapse.name]:
                axons, words = axons + 2, words + self.kernel(synapse, core)
            else:
                more = self.listed(synapse, core)
                axons, words = axons + more[0], words + more[1]
        return axons, words

    def outgoing(self, core: PlacedCore) -> tuple[int, int]:
        """(AxonMap words, AxonMem words) of a core."""
        extent = [b - a for a, b in zip(core.block.low, core.block.high, strict=True)]
        map_words = prod(extent) if core.layer == self.network.readout.name else 0
        mem_words = 0
        for synapse in self.network.synapses:
            if synapse.pre != core.layer:
                continue
            if not self.shared[synapse.name]:
                map_words += prod(extent)
                continue
            map_words += prod(extent[1:]) * (1 if bin(extent[0]).count("1") == 1 else 2)
            mem_words += prod(extent[1:]) * len(self.channel_ranges.get(synapse.post, ()))
        return map_words, mem_words

    def as_kernel(self, synapse: Synapse) -> bool:
        """Whether a group can be stored as one kernel per core."""
        pre = self.network.by_name[synapse.pre].shape
        op = synapse.op
        shape = pre if synapse.index is None else synapse.index.shape
        if len(shape) < 2:
            return False
        if not RECOUNTS[op].taps(op, shape):
            return False
        return synapse.index is None or self.moves_channels(synapse.index, pre) is not None

    def moves_channels(self, index: np.ndarray, pre: tuple[int, ...]) -> list[int] | None:
        """Channels of a gather that carry spikes; None unless every channel is a whole one, or silent.

        Args:
            index: The gather.
            pre: Shape of the presynaptic population.
        """
        if index.ndim != len(pre) or index.shape[1:] != pre[1:]:
            return None
        whole = np.arange(prod(pre)).reshape(pre)
        carried = []
        for number, plane in enumerate(index):
            if np.all(plane == -1):
                continue
            if plane.flat[0] < 0 or not np.array_equal(plane, whole[plane.flat[0] // prod(pre[1:])]):
                return None
            carried.append(number)
        return carried

    def kernel(self, synapse: Synapse, core: PlacedCore) -> int:
        """Words of the kernel of a group on a core; counted once per range of output channels."""
        low, high = core.block.low[0], core.block.high[0]
        key = (synapse.name, low, high)
        if key not in self.kernels:
            self.kernels[key] = self.count_kernel(synapse, low, high)
        return self.kernels[key]

    def count_kernel(self, synapse: Synapse, low: int, high: int) -> int:
        """Words of the kernel of a group.

        Args:
            synapse: The group.
            low: First output channel on the core.
            high: Output channel after the last one.
        """
        pre = self.network.by_name[synapse.pre].shape
        op, bits = synapse.op, self.widths[synapse.name]
        channels = list(range(pre[0]))
        if synapse.index is not None:
            channels = self.moves_channels(synapse.index, pre) or []
        recount = RECOUNTS[op]
        taps = recount.taps(op, pre if synapse.index is None else synapse.index.shape)
        words = 0
        for channel in channels:
            outputs = recount.outputs(op, channel, low, high)
            if outputs:
                words += taps * ceil((outputs * bits + self._header) / self._word)
        return words

    def listed(self, synapse: Synapse, core: PlacedCore) -> tuple[int, int]:
        """(axons, words) of a group that is stored as lists.

        Every place that the map reads, and that a neuron stands behind, has a list of its targets on the core.

        Args:
            synapse: The group.
            core: The core.
        """
        pre = self.network.by_name[synapse.pre].shape
        shape = pre if synapse.index is None else synapse.index.shape
        targets = np.zeros(shape, np.int64)
        RECOUNTS[synapse.op].mark(synapse.op, targets, core.block.low, core.block.high)
        if synapse.index is not None:
            targets[synapse.index < 0] = 0
        bits = self.widths[synapse.name] + self._index
        axons = targets[targets > 0]
        return len(axons), int(np.sum(-((-(axons * bits + self._header)) // self._word)))

    @property
    def _header(self) -> int:
        return int(self.chip.accounting.synapse_header_bits.value or 0)

    @property
    def _index(self) -> int:
        return int(self.chip.accounting.synapse_index_bits.value or 0)

    @property
    def _word(self) -> int:
        return int(self.chip.accounting.word_bits.value or 1)


def _rows(population: Population | Readout, period: int) -> int:
    """Rows of state of a neuron.

    Fields of 24 bits for v and for what differs between neurons, a clock of the local step and, where the neuron
    fires, the flag of its spike.
    """
    wide = 1 + int(len(np.unique(population.membrane.bias)) > 1)
    narrow = 8 if period <= 127 else 16
    if isinstance(population, Population):
        wide += int(len(np.unique(population.threshold)) > 1)
        narrow += 8
    # Three wide fields take a second row, in which the narrow ones find room in any case.
    return 1 if 24 * wide + narrow <= 64 else 2


def _width(synapse: Synapse) -> int:
    """Fewest bits of the even weights of both signs."""
    weights = synapse.op.weight_values
    bits = 1
    while np.size(weights) and not (-(2**bits) <= np.min(weights) and np.max(weights) <= 2**bits - 2):
        bits += 1
    return bits
