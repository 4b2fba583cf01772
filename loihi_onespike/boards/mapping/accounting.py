"""Words of a core: what a block of a layer takes of each resource.

Rules, with their status as in docs/mapping.md (the numbers are in the chip's file):

    list of targets        ceil((targets · (weight_bits + 12) + 10) / 64) words per input axon          [I]
    shared convolution     taps · Σ_input channels ceil((output channels · weight_bits + 10) / 64)       [I]
    AxonIn                 one word per input axon; 2 per shared convolution                             [I]
    neuron state           rows · neurons, the columns of a convolution counted as a power of two        [I]
    AxonMap                one word per neuron towards lists and the host; 1 per place towards a shared
                           convolution, 2 when the number of channels is not a power of two              [I]
    AxonMem                places · channel blocks of a shared convolution that reads it (upper bound)   [I]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import reduce

import numpy as np

from loihi_onespike.boards.mapping.block import Block, padded_neurons
from loihi_onespike.boards.mapping.mapped_layer import Afferent, MappedLayer
from loihi_onespike.boards.mapping.targets import Counts, target_counts
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
)


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
    """

    neurons: int
    neuron_groups: int
    state_words: int
    synapse_words: int
    axon_in_words: int
    axon_map_words: int
    axon_mem_words: int

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
        shared: The group is stored as one kernel per core.
        channel_blocks: Number of cores that share one place of the reading layer.
    """

    shared: bool
    channel_blocks: int = 1


def exceeded(use: CoreUse, limits: CoreLimits) -> list[tuple[str, int, int]]:
    """All limits that are known and exceeded.

    Args:
        use: What a core holds.
        limits: What it can hold.

    Returns:
        (resource, found, limit) of each.
    """
    checked = ((r, use.of(r), getattr(limits, r).value) for r in RESOURCES)
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


def core_use(layer: MappedLayer, block: Block, readers: Sequence[Reader], chip: Chip) -> CoreUse:
    """What a block takes of a core of its own.

    Args:
        layer: The layer.
        block: The neurons on the core.
        readers: The groups of synapses that read the layer, on the board.
        chip: The chip, with its rules of accounting.
    """
    sharing = bool(chip.accounting.shared_convolution.value)
    axons = words = 0
    for afferent in layer.afferents:
        used = _afferent_use(afferent, block, layer.shares(afferent, sharing), chip.accounting)
        axons, words = axons + used[0], words + used[1]
    places = padded_neurons(block.extent) if sharing and layer.convolutional else block.neurons
    map_words, mem_words = _outgoing(layer, block, readers)
    return CoreUse(block.neurons, 1, layer.state_rows * places, words, axons, map_words, mem_words)


def _afferent_use(afferent: Afferent, block: Block, shared: bool, accounting: Accounting) -> tuple[int, int]:
    """(AxonIn words, synapse words)."""
    counts = target_counts(afferent.op, afferent.seen, block)
    if not shared:
        return _list_use(afferent, counts, accounting)
    assert afferent.active_channels is not None
    taps = afferent.op.kernel_taps(afferent.seen)
    assert taps is not None  # it is shared
    channels, times = np.unique(counts[0][afferent.active_channels], return_counts=True)
    words = sum(
        int(m) * kernel_words(int(c), afferent.weight_bits, accounting)
        for c, m in zip(channels, times, strict=True)
        if c
    )
    return SHARED_AXON_WORDS, taps * words


def _list_use(afferent: Afferent, counts: Counts, accounting: Accounting) -> tuple[int, int]:
    """The histogram of targets per axon, then words by their number."""
    histogram: dict[int, int] = {}
    if afferent.index is None:
        parts = [np.unique(c[c > 0], return_counts=True) for c in counts]
        for combination in itertools.product(*(zip(*p, strict=True) for p in parts)):
            targets, axons = 1, 1
            for value, times in combination:
                targets, axons = targets * int(value), axons * int(times)
            histogram[targets] = histogram.get(targets, 0) + axons
    else:
        targets_of_all = reduce(np.multiply.outer, counts, np.ones((), np.int64))
        reached = targets_of_all[(np.asarray(afferent.index) >= 0) & (targets_of_all > 0)]
        histogram = {int(v): int(n) for v, n in zip(*np.unique(reached, return_counts=True), strict=True)}
    words = sum(n * list_words(t, afferent.weight_bits, accounting) for t, n in histogram.items())
    return sum(histogram.values()), words


def _outgoing(layer: MappedLayer, block: Block, readers: Sequence[Reader]) -> tuple[int, int]:
    """(AxonMap words, AxonMem words)."""
    map_words = block.neurons if layer.to_host else 0
    mem_words = 0
    for reader in readers:
        if not reader.shared:
            map_words += block.neurons
            continue
        channels = block.extent[0]
        places = block.neurons // channels
        map_words += places * (1 if channels & (channels - 1) == 0 else 2)
        mem_words += places * reader.channel_blocks
    return map_words, mem_words
