"""What a report is about: a network, images, and what the user has given beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.tuning import Front
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.data.dataset import spread

Progress = Callable[[str, int, int], None]
Section = dict[str, Any]
"""Content of a section as values for JSON; a section that is left out holds the one key `missing`, a sentence."""


@dataclass(frozen=True, eq=False)
class ReportSubject:
    """Everything that the sections are made of.

    Attributes:
        net: the network.
        x: inputs (N, …) as the ANN takes them, or the arguments of a graph network.
        y: labels (N,), or None.
        model: the ANN, or None.
        mask: nodes of a graph network that count for the accuracy, or None.
        board: board for the placement and for time and energy.
        fill_chips: whether slow layers take cores that are idle on the chips in use.
        front: result of a search, or None.
        facts: names of the file, the data and the model, as the page shows them.
        classes: names of the classes, empty where unknown.
        diagnosed_images: images on which errors are measured.
        profiled_images: images on which spikes are counted for the board.
        shown_images: images that one can step through.
        progress: called as progress(what, done, of).
    """

    net: OneSpikeNetwork
    x: Any
    y: NDArray[Any] | None
    model: torch.nn.Module | None
    mask: Any
    board: Board
    fill_chips: bool
    front: Front | None
    facts: Mapping[str, str]
    classes: tuple[str, ...]
    diagnosed_images: int
    profiled_images: int
    shown_images: int
    progress: Progress

    @property
    def is_graph(self) -> bool:
        """Whether the network is a graph network, whose graph is one sample."""
        return self.net.graph is not None

    @property
    def images(self) -> int:
        """Number of samples."""
        return 1 if self.is_graph else len(self.x)

    def part(self, count: int) -> tuple[Any, NDArray[Any] | None]:
        """Inputs and labels of `count` images at even distances, as `onespike --images` takes them."""
        if self.is_graph or count >= self.images:
            return self.x, self.y
        chosen = spread(self.images, count)
        return self.x[chosen], None if self.y is None else self.y[chosen]


def missing(sentence: str) -> Section:
    """A section that is left out; the sentence says how to get it."""
    return {"missing": sentence}
