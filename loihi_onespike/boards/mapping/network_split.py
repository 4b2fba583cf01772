"""Splitting of a whole network over cores, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loihi_onespike.boards.mapping.accounting import Reader
from loihi_onespike.boards.mapping.edges import CoreEdges
from loihi_onespike.boards.mapping.layer_split import LayerSplit, channel_blocks, finer_split, split_layer
from loihi_onespike.boards.mapping.mapped_layer import MappedLayer, Storage
from loihi_onespike.boards.specification.spec import Chip
from loihi_onespike.core.maps import Shape


class NetworkSplitter:
    """Splits layers from the output back, since what a core needs for sending depends on how its readers are cut.

    A layer is split again only where its own number of cores or the grid of one of its readers is another one.

    Args:
        layers: The layers in topological order.
        chip: The chip, with its limits.
    """

    def __init__(self, layers: Sequence[MappedLayer], chip: Chip) -> None:
        self._layers, self._chip = layers, chip
        self._placed = {layer.name for layer in layers}  # the input occupies no core
        self._splits: dict[tuple[str, int, tuple[Shape, ...]], LayerSplit | None] = {}
        self._readers: dict[tuple[str, int, Shape], Reader] = {}

    def fewest(self) -> tuple[LayerSplit, ...]:
        """Each layer on the fewest cores, in the order of the layers; one that does not fit says what it exceeds."""
        splits = self.with_at_least({})
        assert splits is not None  # a layer that does not fit is split all the same
        return splits

    def with_at_least(self, cores: Mapping[str, int]) -> tuple[LayerSplit, ...] | None:
        """Some layers on at least so many cores, the others on the fewest.

        Args:
            cores: Number of cores of a layer, by its name.

        Returns:
            The splits in the order of the layers; None where a layer cannot be cut into as many that keep all limits.
        """
        readers: dict[str, list[Reader]] = {}
        grids: dict[str, tuple[Shape, ...]] = {}
        splits: list[LayerSplit] = []
        for layer in reversed(self._layers):
            key = (layer.name, cores.get(layer.name, 1), grids.get(layer.name, ()))
            if key not in self._splits:
                self._splits[key] = self._split(layer, readers.get(layer.name, []), key[1])
            split = self._splits[key]
            if split is None:
                return None
            splits.append(split)
            for number, afferent in enumerate(layer.afferents):
                if afferent.pre in self._placed:
                    readers.setdefault(afferent.pre, []).append(self._reader(layer, number, split))
                    grids[afferent.pre] = (*grids.get(afferent.pre, ()), split.grid.sizes)
        return tuple(reversed(splits))

    def _split(self, layer: MappedLayer, readers: Sequence[Reader], least: int) -> LayerSplit | None:
        if least <= 1:
            return split_layer(layer, readers, self._chip)
        return finer_split(layer, readers, self._chip, least)

    def _reader(self, layer: MappedLayer, number: int, split: LayerSplit) -> Reader:
        """One of the groups of synapses onto a layer, as the layer that it reads sees it."""
        key = (layer.name, number, split.grid.sizes)
        if key not in self._readers:
            afferent = layer.afferents[number]
            kernel = layer.storage(afferent, self._chip.accounting.kernels) is Storage.KERNEL
            self._readers[key] = Reader(kernel, channel_blocks(split.grid), CoreEdges(afferent, split.grid))
        return self._readers[key]
