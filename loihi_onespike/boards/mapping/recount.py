"""The checker's own count of the words of a core, tap by tap and place by place, without the mapper's accounting."""

from __future__ import annotations

from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.map_recounts import RECOUNTS
from loihi_onespike.boards.mapping.placement import PlacedCore, Placement
from loihi_onespike.core.codes import V_MAX
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout, Synapse
from loihi_onespike.core.maps import Dense, Window


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
        self.sharing = self.chip.accounting.convolution == "kernels"
        self.shared = {s.name: self.sharing and self.spatial(s.post) and self.as_kernel(s) for s in network.synapses}
        self._edges: dict[str, NDArray[np.int64]] = {}
        self.channel_ranges: dict[str, set[tuple[int, int]]] = {}
        self.cores_of: dict[str, list[PlacedCore]] = {}
        for core in placement.cores:
            self.cores_of.setdefault(core.layer, []).append(core)
            if core.block.low:
                ranges = self.channel_ranges.setdefault(core.layer, set())
                ranges.add((core.block.low[0], core.block.high[0]))

    def state(self, core: PlacedCore) -> int:
        """Words of neuron state of a core."""
        extent = [b - a for a, b in zip(core.block.low, core.block.high, strict=True)]
        if self.sharing and self.spatial(core.layer):
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
        map_words = prod(extent) if isinstance(self.network.by_name[core.layer], Readout) else 0
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
        """Whether Lava's Conv process expresses a group: two axes of space, even padding, no gather, delay or exponent.

        All else goes to the board as a matrix.
        """
        pre = self.network.by_name[synapse.pre]
        assert isinstance(pre, InputPopulation | Population)
        spatial = synapse.index is None and len(pre.shape) == 3
        window = RECOUNTS[synapse.op].taps(synapse.op, pre.shape) if spatial else None
        largest = synapse.op.row_magnitude * pre.code.largest_message
        if window is None or synapse.axon_delay or synapse.weight_exp or largest > V_MAX:
            return False
        return all(even for _, even in self.kernel_taps(window, pre.shape[1:]))

    def kernel_taps(self, window: Window, spatial: tuple[int, ...]) -> list[tuple[int, bool]]:
        """(taps, same padding on both sides) of the kernel along each axis, without taps that read padding alone."""
        found = []
        outputs = window.output(spatial)
        for axis, size in enumerate(spatial):
            reads = [
                {o * window.stride[axis] - window.padding[axis][0] + k * window.dilation[axis] for o in range(out)}
                & set(range(size))
                for out in (outputs[axis],)
                for k in range(window.kernel[axis])
            ]
            before, after = window.padding[axis]
            best = (before != after, window.kernel[axis])
            for first in range(window.kernel[axis]):
                for end in range(first + 1, window.kernel[axis] + 1):
                    low = before - first * window.dilation[axis]
                    if low < 0 or any(reads[:first]) or any(reads[end:]) or not any(reads):
                        continue
                    reach = size + low - window.dilation[axis] * (end - first - 1) - 1
                    fitting = [
                        high
                        for high in range(window.dilation[axis] * window.kernel[axis] + after + 1)
                        if (reach + high) // window.stride[axis] + 1 == outputs[axis]
                    ]
                    if fitting:
                        best = min(best, (low not in fitting, end - first))
            found.append((best[1], not best[0]))
        return found

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
        recount, bits = RECOUNTS[synapse.op], self.widths[synapse.name]
        window = recount.taps(synapse.op, pre)
        assert window is not None
        taps = prod(number for number, _ in self.kernel_taps(window, pre[1:]))
        words = 0
        for channel in range(pre[0]):
            outputs = recount.outputs(synapse.op, channel, low, high)
            if outputs:
                words += taps * ceil((outputs * bits + self._header) / self._word)
        return words

    def listed(self, synapse: Synapse, core: PlacedCore) -> tuple[int, int]:
        """(axons, words) of a group that is stored as lists.

        Every neuron that stands behind a place which the map reads has a list of its targets on the core. A matrix of
        one axis is stored with its weights of 0, unless it is gathered or delayed.

        Args:
            synapse: The group.
            core: The core.
        """
        dense = isinstance(synapse.op, Dense) and synapse.index is None and not synapse.axon_delay
        pre = self.network.by_name[synapse.pre].shape
        _, axons = self.marked(synapse, core, zeros=dense and len(pre) == 1)
        bits = self.widths[synapse.name] + self._index
        return len(axons), int(np.sum(-((-(axons * bits + self._header)) // self._word)))

    def marked(self, synapse: Synapse, core: PlacedCore, zeros: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Presynaptic neurons with targets on a core, by their place in the flat population, and how many each has.

        A core reads few of the places of a large gather, such as the pairs of attention; no others are looked at.

        Args:
            synapse: The group.
            core: The core.
            zeros: Weights of 0 count.
        """
        shape = self.network.by_name[synapse.pre].shape if synapse.index is None else synapse.index.shape
        targets, recount = np.zeros(shape, np.int64), RECOUNTS[synapse.op]
        recount.mark(synapse.op, targets, core.block.low, core.block.high, zeros)
        region = recount.region(core.block.low, core.block.high)
        inside = np.nonzero(targets[region])
        number = targets[region][inside]
        first = [each.start or 0 for each in region] + [0] * (len(shape) - len(region))
        places = tuple(at + start for at, start in zip(inside, first, strict=True))
        if synapse.index is None:
            return np.ravel_multi_index(places, shape).astype(np.int64), number
        behind = synapse.index[places]
        neurons, which = np.unique(behind[behind >= 0], return_inverse=True)
        return neurons.astype(np.int64), np.bincount(which, number[behind >= 0]).astype(np.int64)

    def lists_and_edges(self, core: PlacedCore) -> tuple[int, int]:
        """(input lists, fan-out edges) of a core."""
        lists = 0
        for synapse in self.network.synapses_onto(core.layer):
            if self.shared[synapse.name]:  # the channels of a place share a list
                shape = self.network.by_name[synapse.pre].shape
                places = np.unravel_index(self.marked(synapse, core, zeros=True)[0], shape)[1:]
                lists += len(set(zip(*(axis.tolist() for axis in places), strict=True)))
            else:
                lists += self.listed(synapse, core)[0]
        block = tuple(slice(a, b) for a, b in zip(core.block.low, core.block.high, strict=True))
        return lists, int(self.edges(core.layer)[block].sum())

    def edges(self, layer: str) -> NDArray[np.int64]:
        """Edges of each neuron of a layer: cores with a target, group by group; counted once per layer."""
        if layer not in self._edges:
            edges = np.zeros(self.network.by_name[layer].shape, np.int64)
            for synapse in self.network.synapses:
                readers = self.cores_of.get(synapse.post, []) if synapse.pre == layer else []
                for core in readers:
                    edges.reshape(-1)[self.marked(synapse, core, zeros=True)[0]] += 1
            self._edges[layer] = edges
        return self._edges[layer]

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

    Fields of 24 bits for v, or for both sums of a product, and for what differs between neurons, a clock of the local
    step and, where the neuron fires, the flag of its spike.
    """
    wide = sum(1 + int(len(np.unique(m.bias)) > 1) for m in population.membranes)
    narrow = 8 if period <= 127 else 16
    if isinstance(population, Population):
        wide += int(len(np.unique(population.threshold)) > 1)
        narrow += 8
        if population.product is not None:
            wide += int(len(np.unique(population.product.bias)) > 1)
    # A row holds two wide fields and leaves 16 bits; no field lies across two rows.
    return max(ceil(wide / 2), ceil((24 * wide + narrow) / 64))


def _width(synapse: Synapse) -> int:
    """Fewest bits of the even weights of both signs."""
    weights = synapse.op.weight_values
    bits = 1
    while np.size(weights) and not (-(2**bits) <= np.min(weights) and np.max(weights) <= 2**bits - 2):
        bits += 1
    return bits
