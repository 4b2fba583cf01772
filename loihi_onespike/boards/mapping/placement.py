"""The core of every neuron: blocks of populations on cores, cores on chips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping.accounting import CoreUse
from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.maps import Shape


@dataclass(frozen=True)
class PlacedCore:
    """One core and what it holds: a block of neurons of one layer.

    Attributes:
        layer: Name of the population.
        block: The neurons.
        use: What the mapper counted for each resource.
        chip: Number of the chip on the board, from 0.
        core: Number of the core on the chip, from 0.
    """

    layer: str
    block: Block
    use: CoreUse
    chip: int
    core: int


class LazyCores(Sequence[PlacedCore]):
    """Cores whose objects are made when the first of them is asked for: a network can take a million.

    Args:
        number: Number of cores.
        make: Makes them all.
    """

    def __init__(self, number: int, make: Callable[[], Iterable[PlacedCore]]) -> None:
        self._number, self._make = number, make

    @cached_property
    def _cores(self) -> tuple[PlacedCore, ...]:
        return tuple(self._make())

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, place: int) -> PlacedCore: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[PlacedCore, ...]: ...
    def __getitem__(self, place: int | slice) -> PlacedCore | tuple[PlacedCore, ...]:
        return self._cores[place]

    def __iter__(self) -> Iterator[PlacedCore]:
        return iter(self._cores)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._cores == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as any sequence that is compared by its content


@dataclass(frozen=True)
class Placement:
    """A network on a board.

    Attributes:
        board: The board.
        shapes: Shapes of the placed populations by name, in topological order.
        cores: The occupied cores, in the order of the populations, then of their blocks.
    """

    board: Board
    shapes: dict[str, Shape]
    cores: Sequence[PlacedCore]

    @cached_property
    def by_layer(self) -> dict[str, tuple[int, ...]]:
        """Positions in `cores` of the blocks of every layer."""
        found: dict[str, list[int]] = {name: [] for name in self.shapes}
        for i, core in enumerate(self.cores):
            found.setdefault(core.layer, []).append(i)
        return {name: tuple(places) for name, places in found.items()}

    @cached_property
    def cores_per_chip(self) -> dict[int, int]:
        """Number of occupied cores of every chip in use."""
        return dict(sorted(Counter(c.chip for c in self.cores).items()))

    @property
    def chips(self) -> int:
        """Number of chips in use."""
        return len(self.cores_per_chip)

    def core_of(self, layer: str) -> NDArray[np.int64]:
        """Position in `cores` of every neuron of a layer, in the layer's shape; -1 for neurons on no core."""
        places = np.full(self.shapes[layer], -1, np.int64)
        for i in self.by_layer[layer]:
            places[self.cores[i].block.slices] = i
        return places

    def tile(self, position: int) -> tuple[int, int] | None:
        """(column, row) of the tile of a core on its chip's mesh; None where the mesh is not public.

        Core n belongs to tile n // cores_per_tile, tiles are numbered row by row [I].
        """
        mesh = self.board.chip.mesh
        columns, per_tile = mesh.tile_columns.value, mesh.cores_per_tile.value
        if columns is None or per_tile is None:
            return None
        row, column = divmod(self.cores[position].core // per_tile, columns)
        return column, row
