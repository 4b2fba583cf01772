"""Mapping of a network onto a board: split every layer, place the cores, list every limit that is not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loihi_onespike.boards.mapping.accounting import RESOURCES
from loihi_onespike.boards.mapping.chip_assignment import MAX_REFINED_CORES, assign_chips, crossing, in_order
from loihi_onespike.boards.mapping.layer_split import LayerSplit
from loihi_onespike.boards.mapping.mapped_layer import MappedLayer, layers_of
from loihi_onespike.boards.mapping.messages import check_messages, message_notes
from loihi_onespike.boards.mapping.network_split import NetworkSplitter
from loihi_onespike.boards.mapping.placement import LazyCores, PlacedCore, Placement
from loihi_onespike.boards.mapping.traffic import Spikes, core_traffic, packets_between_chips
from loihi_onespike.boards.specification import boards, load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.maps import Conv

WIDE_MAP = 224
"""Width of a feature map from which on spikes may be dropped on the chip [C] (docs/mapping.md)."""


@dataclass(frozen=True)
class Violation:
    """A limit that is not kept.

    Attributes:
        layer: Name of the population; the network's name for limits of the board.
        resource: What is exceeded, with its unit.
        found: What is required, in that unit.
        limit: What is available, in that unit.
        remedy: What would resolve it.
    """

    layer: str
    resource: str
    found: int
    limit: int
    remedy: str

    def __str__(self) -> str:
        return f"{self.layer}: requires {self.found} {self.resource}, limit {self.limit}; {self.remedy}"


@dataclass(frozen=True)
class Mapping:
    """A network mapped onto a board.

    Attributes:
        layers: The layers that were mapped.
        splits: How each layer was split, in the same order.
        placement: The core of every neuron. Where limits are not kept, some cores hold too much, or chips are numbered
            beyond those of the board.
        violations: All limits that are not kept.
        smallest_board: Name of the smallest board with the same chip that holds the network; None if there is none.
        crossing_packets: Packets per image that leave their chip.
        notes: What else a user should know.
    """

    layers: tuple[MappedLayer, ...]
    splits: tuple[LayerSplit, ...]
    placement: Placement
    violations: tuple[Violation, ...]
    smallest_board: str | None
    crossing_packets: float
    notes: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """True when every limit is kept."""
        return not self.violations

    def utilisation(self) -> dict[str, tuple[int, int | None]]:
        """(used, limit) of every resource on its fullest core; the limit is None where it is not public."""
        used = {r: max(int(s.amounts[r].max()) for s in self.splits) for r in RESOURCES}
        return {r: (used[r], getattr(self.placement.board.chip.core, r).value) for r in RESOURCES}


def map_network(network: Network, board: Board | str, spikes: Spikes | None = None) -> Mapping:
    """Split the populations of a one-spike network over the cores of a board and place them.

    Args:
        network: The network.
        board: A board, its name, or the path of its file.
        spikes: Measured spikes per image of each population, used for placing; one per neuron where not given.

    Returns:
        The mapping. A network that does not fit is not an error: see `Mapping.violations`.

    Raises:
        BoardError: the board does not exist, or its file has problems.
        DeploymentError: the network has payload, and the board's chip does not carry its messages.
    """
    onto = board if isinstance(board, Board) else load_board(board)
    check_messages(network, onto)
    mapping = map_layers(layers_of(network), onto, spikes, network.name)
    return replace(mapping, notes=(*mapping.notes, *message_notes(network, onto)))


def map_to_smallest(network: Network, board: Board) -> Mapping:
    """Map a network onto the smallest board with the same chip that holds it, as `map_network` does.

    Args:
        network: The network.
        board: The board that is tried first; the mapping is onto this one where no board holds the network.

    Raises:
        DeploymentError: the network has payload, and the chip does not carry its messages.
    """
    first = map_network(network, board)
    if first.smallest_board in (None, board.id):
        return first
    assert first.smallest_board is not None
    smallest = load_board(first.smallest_board).with_convolution(board.chip.accounting.convolution)
    return map_network(network, smallest)


def map_layers(
    layers: Sequence[MappedLayer], board: Board | str, spikes: Spikes | None = None, name: str = "network"
) -> Mapping:
    """Map layers that need not come from a one-spike network.

    Args:
        layers: The layers in topological order.
        board: A board, its name, or the path of its file.
        spikes: Measured spikes per image of each population, used for placing; one per neuron where not given.
        name: Name of the network, for messages.

    Returns:
        The mapping, as `map_network` returns it.

    Raises:
        BoardError: the board does not exist, or its file has problems.
    """
    onto = board if isinstance(board, Board) else load_board(board)
    return place_splits(layers, NetworkSplitter(layers, onto.chip).fewest(), onto, spikes, name)


def place_splits(
    layers: Sequence[MappedLayer], splits: tuple[LayerSplit, ...], onto: Board, spikes: Spikes | None, name: str
) -> Mapping:
    """Place layers that are split already, and list every limit that is not kept.

    Args:
        layers: The layers in topological order.
        splits: How each is split, in the same order.
        onto: The board.
        spikes: Measured spikes per image of each population, used for placing; one per neuron where not given.
        name: Name of the network, for messages.

    Returns:
        The mapping, as `map_network` returns it.
    """
    chips, between = _chips(layers, splits, onto, spikes)
    placement = _placement(splits, chips, onto)
    violations = [
        Violation(s.layer.name, resource, found, limit, remedy(s.layer, resource, onto))
        for s in splits
        for resource, found, limit in s.exceeded
    ]
    violations += _delays(layers, onto)
    smallest = None if violations else _smallest(len(chips), onto)
    if len(chips) > onto.cores:
        message = f"take {smallest}" if smallest else "no board with this chip has as many; make layers smaller"
        violations.append(Violation(name, "cores", len(chips), onto.cores, message))
    return Mapping(tuple(layers), splits, placement, tuple(violations), smallest, between, _notes(splits, onto))


def _chips(
    layers: Sequence[MappedLayer], splits: Sequence[LayerSplit], board: Board, spikes: Spikes | None
) -> tuple[np.ndarray, float]:
    """Chip of every core, and packets between chips.

    Where a network is too large for its board, nothing is gained by an exchange of cores.
    """
    room, count = board.usable_cores_per_chip.value, sum(len(s.grid) for s in splits)
    assert room is not None
    if count > min(board.cores, MAX_REFINED_CORES):
        chips = in_order(count, room)
        return chips, packets_between_chips(layers, {s.layer.name: s.grid for s in splits}, chips, spikes)
    traffic = core_traffic(layers, {s.layer.name: list(s.grid) for s in splits}, spikes)
    chips = assign_chips(traffic, room)
    return chips, crossing(traffic, chips)


def _placement(splits: Sequence[LayerSplit], chips: np.ndarray, board: Board) -> Placement:
    """Cores of a chip are numbered in the order of the pipeline."""
    by_chip = np.argsort(chips, kind="stable")
    first = np.searchsorted(chips[by_chip], chips[by_chip])
    numbers = np.empty_like(chips)
    numbers[by_chip] = np.arange(len(chips)) - first

    def cores() -> Iterator[PlacedCore]:
        places = zip(chips.tolist(), numbers.tolist(), strict=True)
        for split in splits:
            for block, use in zip(split.grid, split.uses, strict=True):
                yield PlacedCore(split.layer.name, block, use, *next(places))

    return Placement(board, {s.layer.name: s.layer.shape for s in splits}, LazyCores(len(chips), cores))


def _smallest(cores: int, board: Board) -> str | None:
    """The board with the fewest cores that are enough, of the boards with the same chip."""
    known = [b for b in map(load_board, boards()) if b.chip.name == board.chip.name and b.cores >= cores]
    same = [b for b in known if b.with_convolution(board.chip.accounting.convolution).chip == board.chip]
    if board.cores >= cores and board.id not in [b.id for b in same]:
        same.append(board)
    return min(same, key=lambda b: (b.cores, b.id)).id if same else None


def _delays(layers: Sequence[MappedLayer], board: Board) -> list[Violation]:
    limit = board.chip.neuron.delay_steps.value
    found = ((y.name, a.axon_delay) for y in layers for a in y.afferents)
    message = "a relay population splits the delay"
    return [Violation(n, "delay_steps", d, limit, message) for n, d in found if limit is not None and d > limit]


def _notes(splits: Sequence[LayerSplit], board: Board) -> tuple[str, ...]:
    layers = [s.layer for s in splits]
    notes = []
    full = [s.layer.name for s in splits if s.exceeded]
    if full:
        notes.append(
            f"the cores of these layers, which fit on none, are the fewest that other limits allow: {', '.join(full)}"
        )
    # A limit that is not there for a reason has the reason as its source.
    limits = {r: getattr(board.chip.core, r) for r in RESOURCES}
    unknown = [r for r, limit in limits.items() if not limit.known and not limit.source]
    if unknown:
        notes.append(f"not checked, because the limits of {board.chip.name} are not public: {', '.join(unknown)}")
    if not board.chip.neuron.programmable.value:
        notes.append(
            f"the neuron of {board.chip.name} is fixed: it cannot run one-spike neurons, cores are only counted"
        )
    wide = [y.name for y in layers if y.convolutional and y.shape[-1] >= WIDE_MAP]
    if wide and board.chip.accounting.kernels:
        notes.append(f"feature maps {WIDE_MAP} or more wide may drop spikes on the chip: {', '.join(wide)}")
    return tuple(notes)


WIDTH = "a single neuron with all its inputs does not fit on a core: read fewer inputs"


def remedy(layer: MappedLayer, resource: str, board: Board) -> str:
    """One sentence on what to change in a layer that exceeds a limit however it is split.

    Args:
        layer: The layer.
        resource: The resource that is exceeded, one of `accounting.RESOURCES`.
        board: The board.
    """
    if resource in ("axon_in_words", "synapse_words", "total_words", "input_lists"):
        widest = max(layer.afferents, key=lambda a: a.op.weight_values.size)
        if isinstance(widest.op, Conv):
            return f"{WIDTH} ({widest.name}): fewer input channels, a smaller kernel, or grouped convolution"
        return f"{WIDTH} ({widest.name}): pool before it, or make the layer in front of it narrower"
    if resource == "state_words":
        return f"{layer.state_rows} rows of state per neuron are more than a core of {board.chip.name} holds"
    if resource in ("axon_map_words", "axon_mem_words", "fan_out_edges"):
        return "too many groups of synapses read this layer: put a relay population between"
    return "make the layer smaller"
