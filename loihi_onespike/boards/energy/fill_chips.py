"""Spreading of slow layers over cores that are idle on the chips in use, so that an image takes less time.

A layer starts on the fewest cores that hold it, which says nothing of its work: layers with few neurons and many
synaptic operations then determine the time of a step, while the rest of the chip is idle. Static power runs all that
time. Per step s of the period, and over the layers l,

    time = Σ_s max(max_l t_l[s], barrier),   t_l[s] = largest time of a core of l in s (synaptic operations or updates)

is lowered greedily (without the barrier where the chip's table adds it to the work, since it then shortens nothing).
Layers that are the slowest one of a step are candidates; each is cut into the next larger number of cores that makes it
faster in those steps. The candidate that saves most of its own time per further core is taken, until no idle core
helps. Last, cores are given back whose loss costs no time, because another layer takes as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.core_load import layer_load
from loihi_onespike.boards.energy.step_time import barrier_of, work_of_cores
from loihi_onespike.boards.mapping import Mapping, map_network
from loihi_onespike.boards.mapping.layer_split import LayerSplit
from loihi_onespike.boards.mapping.mapper import place_splits
from loihi_onespike.boards.mapping.network_split import NetworkSplitter
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.maps import Shape

Times = NDArray[np.float64]
Splits = tuple[LayerSplit, ...]
FASTER = 1e-9
"""Share of its time by which a layer must become faster, so that rounding does not count."""


def map_measured(network: Network, board: Board | str, activity: Activity, fill: bool = False) -> Mapping:
    """Map a network onto a board, and place its cores by measured spikes.

    Args:
        network: The network.
        board: A board, its name, or the path of its file.
        activity: Measured spikes.
        fill: Use cores that are idle on the chips in use, as `fill_chips` does.

    Returns:
        The mapping, as `map_network` returns it.

    Raises:
        BoardError: the board does not exist, or its file has problems.
        ConfigurationError: the activity holds no images.
        DeploymentError: the network has payload, and the board's chip does not carry its messages.
    """
    mapping = map_network(network, board, activity.per_neuron())
    return fill_chips(network, mapping, activity) if fill else mapping


def fill_chips(network: Network, mapping: Mapping, activity: Activity) -> Mapping:
    """Map a network onto more cores of the chips that it occupies anyway, so that an image takes less time.

    Only synaptic operations and neuron updates are counted; the packets that a core sends depend on where the others
    lie. The number of chips stays the same. More cores receive a spike, so hops take a little more energy.

    Args:
        network: The network.
        mapping: Its mapping onto a board.
        activity: Measured spikes.

    Returns:
        The new mapping; the given one where it does not fit, is filled already, or would not become faster.

    Raises:
        ConfigurationError: the activity holds no images.
    """
    if not mapping.fits:
        return mapping
    room = mapping.placement.chips * (mapping.placement.board.usable_cores_per_chip.value or 0)
    filling = _Filling(network, mapping, activity, room)
    fewest = _cores(filling.splits)
    filling.spread()
    filling.give_back()
    if [split.grid for split in filling.splits] == [split.grid for split in mapping.splits]:
        return mapping
    board = mapping.placement.board
    made = place_splits(mapping.layers, filling.splits, board, activity.per_neuron(), network.name)
    more = len(made.placement.cores) - fewest
    note = f"slow layers take {more} cores more than the {fewest} that hold the network, on the same chips"
    # The board that is large enough is still that for the fewest cores.
    return replace(made, smallest_board=mapping.smallest_board, notes=(*mapping.notes, note))


@dataclass(eq=False)
class _Filling:
    """The splits so far, and the time of every layer under them.

    Attributes:
        network, mapping, activity: What `fill_chips` is given.
        room: Cores of the chips in use.
    """

    network: Network
    mapping: Mapping
    activity: Activity
    room: int
    least: dict[str, int] = field(default_factory=dict)
    _times: dict[tuple[str, Shape], Times] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._splitter = NetworkSplitter(self.mapping.layers, self.mapping.placement.board.chip)
        self.splits: Splits = self._splitter.fewest()
        self._given: list[tuple[str, int]] = []
        timing = self.mapping.placement.board.chip.timing
        barrier = barrier_of(self.mapping.placement.chips, timing).value if timing.step == "max" else None
        self._barrier = barrier or 0.0

    def spread(self) -> None:
        """Take idle cores for the slowest layers, one layer after the other."""
        while True:
            times = self._layer_times(self.splits)
            slowest = times.max(axis=0)
            best: tuple[int, int, Splits] | None = None
            most = 0.0
            for number in np.unique(times.argmax(axis=0)).tolist():
                at = (times[number] >= slowest) & (slowest > self._barrier)  # the steps that the layer determines
                found = self._faster(number, at)
                if found is None:
                    continue
                least, splits = found
                saved = float((times[number] - self._time_of(splits[number]))[at].sum())
                saved /= max(_cores(splits) - _cores(self.splits), 1)
                if saved > most:
                    best, most = (number, least, splits), saved
            if best is None:
                return
            number, least, self.splits = best
            name = self.splits[number].layer.name
            self._given.append((name, self.least.get(name, 1)))
            self.least[name] = least

    def give_back(self) -> None:
        """Take back what a layer was given last, as long as this costs no time."""
        kept: set[str] = set()
        for name, before in reversed(self._given):
            if name in kept:
                continue
            without = {**self.least, name: before}
            splits = self._splitter.with_at_least(without)
            if splits is None or self._total(splits) > self._total(self.splits) * (1 + FASTER):
                kept.add(name)
                continue
            self.least, self.splits = without, splits

    def _faster(self, number: int, at: NDArray[np.bool_]) -> tuple[int, Splits] | None:
        """The next larger number of cores that makes a layer faster in some steps, and the splits with it."""
        split = self.splits[number]
        now = self._time_of(split)[at].sum()
        least = len(split.grid) + 1
        while True:
            splits = self._splitter.with_at_least({**self.least, split.layer.name: least})
            if splits is None or _cores(splits) > self.room:
                return None
            if self._time_of(splits[number])[at].sum() < now * (1 - FASTER):
                return least, splits
            least = len(splits[number].grid) + 1

    def _total(self, splits: Splits) -> float:
        return float(np.maximum(self._layer_times(splits).max(axis=0), self._barrier).sum())

    def _layer_times(self, splits: Splits) -> Times:
        """(layers, period) time in ns of the slowest core of every layer."""
        return np.stack([self._time_of(split) for split in splits])

    def _time_of(self, split: LayerSplit) -> Times:
        key = (split.layer.name, split.grid.sizes)
        if key not in self._times:
            load = layer_load(self.network, split.layer, tuple(split.grid), self.activity)
            work = work_of_cores(load, self.mapping.placement.board.chip.timing)
            known = [part.max(axis=0) for part in work.values() if part is not None]
            self._times[key] = np.maximum.reduce(known)
        return self._times[key]


def _cores(splits: Splits) -> int:
    return sum(len(split.grid) for split in splits)
