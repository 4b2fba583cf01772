"""Words of a core: what the blocks of a layer take of each resource.

Rules, with their status as in docs/mapping.md (the numbers are in the chip's file):

    list of targets        ceil((targets · (weight_bits + 12) + 10) / 64) words per input axon          [I]
    shared convolution     taps · Σ_input channels ceil((output channels · weight_bits + 10) / 64)       [I]
    AxonIn                 one word per input axon; 2 per shared convolution                             [I]
    neuron state           rows · neurons, the columns of a convolution counted as a power of two        [I]
    AxonMap                one word per neuron towards lists and the host; 1 per place towards a shared
                           convolution, 2 when the number of channels is not a power of two              [I]
    AxonMem                places · channel blocks of a shared convolution that reads it (upper bound)   [I]
    input lists            one per input axon; one per place that a shared convolution reads             [P, I]
    fan-out edges          one per neuron, group and core on which the neuron has a target               [P]

Everything but the lists of gathers is a product over the axes of a block, so a grid of thousands of blocks is counted
at once, as arrays with one entry per block.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.block import Block, padded
from loihi_onespike.boards.mapping.edges import CoreEdges
from loihi_onespike.boards.mapping.mapped_layer import Afferent, MappedLayer, Storage
from loihi_onespike.boards.mapping.target_lists import TargetLists
from loihi_onespike.boards.mapping.targets import axis_targets
from loihi_onespike.boards.specification.spec import Accounting, Chip, CoreLimits

SHARED_AXON_WORDS = 2
"""AxonIn words of a shared convolution."""
RESOURCES = (
    "neurons",
    "neuron_groups",
    "state_words",
    "synapse_words",
    "axon_in_words",
    "axon_map_words",
    "axon_mem_words",
    "total_words",
    "input_lists",
    "fan_out_edges",
)
Segments: TypeAlias = Sequence[Sequence[tuple[int, int]]]
"""Cuts of a layer: (first index, index after the last) of every block along each axis."""
Uses: TypeAlias = dict[str, NDArray[np.int64]]
"""Amount of every resource, an array with one entry per block in the shape of the grid."""


@dataclass(frozen=True)
class CoreUse:
    """What one core holds, per resource.

    Attributes:
        neurons: Number of neurons.
        neuron_groups: Number of neuron groups.
        state_words: Words of neuron state.
        synapse_words: Words of synapses.
        axon_in_words: Words of AxonIn, the incoming axons.
        axon_map_words: Words of AxonMap, the outgoing axons.
        axon_mem_words: Words of AxonMem.
        input_lists: Number of lists of targets that incoming axons select.
        fan_out_edges: Number of edges from its neurons to cores.
    """

    neurons: int
    neuron_groups: int
    state_words: int
    synapse_words: int
    axon_in_words: int
    axon_map_words: int
    axon_mem_words: int
    input_lists: int
    fan_out_edges: int

    @property
    def total_words(self) -> int:
        """AxonIn + state + synapses + AxonMap + AxonMem."""
        words = self.axon_in_words + self.state_words + self.synapse_words
        return words + self.axon_map_words + self.axon_mem_words

    def of(self, resource: str) -> int:
        """Amount of one resource, by its name in `RESOURCES`."""
        return int(getattr(self, resource))

    @classmethod
    def largest(cls, uses: Iterable[CoreUse]) -> CoreUse:
        """The largest amount of each resource over several cores."""
        given = list(uses)
        return cls(**{f.name: max(u.of(f.name) for u in given) for f in fields(cls)})


@dataclass(frozen=True)
class Reader:
    """A group of synapses that reads a layer, as far as the layer's own core depends on it.

    Attributes:
        kernel: The group is stored as one kernel per core.
        channel_blocks: Number of cores that share one place of the reading layer.
        edges: Cores that each neuron of the layer sends to.
    """

    kernel: bool
    channel_blocks: int
    edges: CoreEdges


def exceeded(uses: Uses, limits: CoreLimits) -> list[tuple[str, int, int]]:
    """All limits that are known and exceeded.

    Args:
        uses: What cores hold.
        limits: What a core can hold.

    Returns:
        (resource, largest amount found, limit) of each.
    """
    checked = ((r, int(uses[r].max()), getattr(limits, r).value) for r in RESOURCES)
    return [(r, found, limit) for r, found, limit in checked if limit is not None and found > limit]


def list_words(targets: int, weight_bits: int, accounting: Accounting) -> int:
    """Words of one input axon with a list of targets.

        ceil((targets · (weight_bits + index_bits) + header_bits) / word_bits)

    Args:
        targets: Number of targets in the list.
        weight_bits: Width of a stored weight.
        accounting: Widths of the chip's lists.
    """
    index, header, word = _bits(accounting)
    return -(-(targets * (weight_bits + index) + header) // word)


def kernel_words(output_channels: int, weight_bits: int, accounting: Accounting) -> int:
    """Words of one kernel tap and input channel of a shared convolution.

        ceil((output_channels · weight_bits + header_bits) / word_bits)

    Args:
        output_channels: Output channels on the core.
        weight_bits: Width of a stored weight.
        accounting: Widths of the chip's kernels.
    """
    _, header, word = _bits(accounting)
    return -(-(output_channels * weight_bits + header) // word)


def _bits(accounting: Accounting) -> tuple[int, int, int]:
    index, header, word = (
        accounting.synapse_index_bits.value,
        accounting.synapse_header_bits.value,
        accounting.word_bits.value,
    )
    assert index is not None and header is not None and word
    return index, header, word


class LayerAccount:
    """Words that blocks of a layer take, for any number of grids that the layer is cut into.

    Args:
        layer: The layer.
        readers: The groups of synapses that read the layer, on the board.
        chip: The chip, with its rules of accounting.
    """

    def __init__(self, layer: MappedLayer, readers: Sequence[Reader], chip: Chip) -> None:
        self.layer, self.readers, self.rules = layer, readers, chip.accounting
        self.kernels = chip.accounting.kernels
        self._kept = {a.name: layer.storage(a, self.kernels) for a in layer.afferents}
        lists = (a for a in layer.afferents if self._kept[a.name] is not Storage.KERNEL)
        self._lists = {a.name: TargetLists(a, zeros=self._kept[a.name] is Storage.DENSE) for a in lists}

    @property
    def shares_a_kernel(self) -> bool:
        """Whether a group of synapses onto the layer is stored as a kernel."""
        return Storage.KERNEL in self._kept.values()

    def uses(self, segments: Segments) -> Uses:
        """What every block of a grid takes of a core of its own.

        Args:
            segments: Where the grid cuts each axis.
        """
        extents = [np.array([high - low for low, high in cuts]) for cuts in segments]
        neurons = _product(extents)
        places = neurons
        if self.kernels and self.layer.convolutional:
            places = _product([*extents[:-1], np.array([padded(n) for n in extents[-1].tolist()])])
        found: Uses = {
            "neurons": neurons,
            "neuron_groups": np.ones_like(neurons),
            "state_words": self.layer.state_rows * places,
            "synapse_words": np.zeros_like(neurons),
            "axon_in_words": np.zeros_like(neurons),
            "input_lists": np.zeros_like(neurons),
        }
        for afferent in self.layer.afferents:
            kernel = self._kept[afferent.name] is Storage.KERNEL
            axons, lists, words = (self._kernel_use if kernel else self._list_use)(afferent, segments)
            found["axon_in_words"] = found["axon_in_words"] + axons
            found["input_lists"] = found["input_lists"] + lists
            found["synapse_words"] = found["synapse_words"] + words
        found["axon_map_words"], found["axon_mem_words"] = self._outgoing(neurons, extents)
        edges = (r.edges.sums(segments) for r in self.readers)
        found["fan_out_edges"] = sum(edges, np.zeros_like(neurons))
        parts = ("axon_in_words", "state_words", "synapse_words", "axon_map_words", "axon_mem_words")
        found["total_words"] = reduce(np.add, (found[p] for p in parts))
        return found

    def _kernel_use(self, afferent: Afferent, segments: Segments) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
        """(AxonIn words, input lists, synapse words)."""
        op, seen = afferent.op, afferent.seen
        taps = op.kernel_taps(seen)
        assert taps is not None  # it is stored as a kernel
        words = []
        for low, high in segments[0]:
            channels, times = np.unique(axis_targets(op, seen, 0, low, high), return_counts=True)
            pairs = zip(channels.tolist(), times.tolist(), strict=True)
            each = (m * kernel_words(c, afferent.weight_bits, self.rules) for c, m in pairs if c)
            words.append(taps * int(sum(each)))
        reached = [
            np.array([np.count_nonzero(axis_targets(op, seen, d, low, high)) for low, high in segments[d]])
            for d in range(1, len(seen))
        ]
        shape = (-1, *(1,) * (len(segments) - 1))
        lists = _product([np.ones(len(segments[0]), np.int64), *reached])
        return SHARED_AXON_WORDS, lists, np.array(words, np.int64).reshape(shape)

    def _list_use(
        self, afferent: Afferent, segments: Segments
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(AxonIn words, input lists, synapse words): blocks with the same lists are counted once."""
        lists = self._lists[afferent.name]
        numbers: list[NDArray[np.int64]] = []
        first: list[list[tuple[int, int]]] = []
        for axis, cuts in enumerate(segments):
            known: dict[Hashable, int] = {}
            numbers.append(np.array([known.setdefault(lists.signature(axis, *c), len(known)) for c in cuts], np.int64))
            first.append([cuts[int(np.argmax(numbers[-1] == n))] for n in range(len(known))])
        table = np.zeros((*(len(f) for f in first), 2), np.int64)
        for place in itertools.product(*(range(len(f)) for f in first)):
            chosen = [f[n] for f, n in zip(first, place, strict=True)]
            block = Block(tuple(low for low, _ in chosen), tuple(high for _, high in chosen))
            histogram = lists.histogram(block)
            words = sum(n * list_words(t, afferent.weight_bits, self.rules) for t, n in histogram)
            table[place] = sum(n for _, n in histogram), words
        of_blocks = table[np.ix_(*numbers)] if numbers else table
        return of_blocks[..., 0], of_blocks[..., 0], of_blocks[..., 1]

    def _outgoing(
        self, neurons: NDArray[np.int64], extents: Sequence[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(AxonMap words, AxonMem words)."""
        map_words = neurons * int(self.layer.to_host)
        mem_words = np.zeros_like(neurons)
        for reader in self.readers:
            if not reader.kernel:
                map_words = map_words + neurons
                continue
            ones = np.ones_like(extents[0])
            even = extents[0] & (extents[0] - 1) == 0
            map_words = map_words + _product([np.where(even, 1, 2), *extents[1:]])
            mem_words = mem_words + _product([ones * reader.channel_blocks, *extents[1:]])
        return map_words, mem_words


def _product(factors: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Outer product of one array per axis."""
    return reduce(np.multiply.outer, factors, np.ones((), np.int64)).astype(np.int64)
