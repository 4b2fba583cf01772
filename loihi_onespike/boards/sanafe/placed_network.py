"""A mapped network as a network of SANA-FE: every neuron on its core, every synapse a connection.

Spikes are those of a trace: SANA-FE's Loihi has no one-spike neuron, so units of its model `input` replay them. Such a
unit refuses synaptic input that is not zero, and counts, energy and time do not depend on weights: all weights are 0.
The input population, which the mapper leaves to the host, is placed on the first cores that the network leaves free.

The stream of N images is closed to a ring of N · period steps: what an image sends after the last step is sent at the
beginning. Every step is thus one of a filled pipeline, as in `boards.energy`, and counts are those of N images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping import MappedLayer, Placement
from loihi_onespike.boards.mapping import Mapping as BoardMapping
from loihi_onespike.boards.sanafe.architecture import (
    CONVOLUTION,
    INPUT,
    LISTS,
    REPLAY,
    Description,
    Units,
    architecture_text,
    load,
    read_description,
)
from loihi_onespike.boards.sanafe.availability import require
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import Network, Readout, Synapse
from loihi_onespike.core.maps.connectivity import fan_out, synapse_matrix
from loihi_onespike.core.trace import Trace
from loihi_onespike.errors import SimulatorError

MAX_CONNECTIONS = 1_000_000
"""Largest number of synapses that is built unless more are asked for: SANA-FE 2.2.9 takes about a kB for each."""
GENERATION = 1
"""SANA-FE describes Loihi 1."""

Place = tuple[int, int]
"""(tile, core of the tile) of SANA-FE's chip."""


@dataclass(frozen=True, eq=False)
class PlacedNetwork:
    """A network on SANA-FE's Loihi, with the spikes that it replays.

    Attributes:
        network: The one-spike network.
        placement: Its cores.
        description: The chip as its file describes it.
        architecture_text: The chip with the units that the network needs, as YAML.
        architecture: The same as SANA-FE's object.
        snn: SANA-FE's network, without spikes.
        connections: Number of synapses.
        images: Number of images whose spikes are replayed.
        places: Place of every core in use, in the order of `Placement.cores`; cores of the input follow.
        convolutions: Names of the populations whose synapses are shared kernels.
        trace: The spikes.
    """

    network: Network
    placement: Placement
    description: Description
    architecture_text: str
    architecture: Any
    snn: Any
    connections: int
    images: int
    places: tuple[Place, ...]
    convolutions: frozenset[str]
    trace: Trace

    def raster(self, population: str, period: int) -> NDArray[np.bool_]:
        """(period_steps, neurons) which neurons spike in each step of one period of the ring.

        A spike at phase k of image n is sent in step start + wait + k of the stream, one period later per image.

        Args:
            population: Name of a population that spikes.
            period: Number of the period, from 0.
        """
        p = self.network.by_name[population]
        assert not isinstance(p, Readout)
        codes = self.trace.layers[population].codes
        assert codes is not None
        steps = self.network.period_steps
        raster = np.zeros((steps, prod(p.shape)), bool)
        for phase in range(1, p.timesteps + 1):
            later, step = divmod(self.network.starts[population] + p.wait + phase - 1, steps)
            raster[step] |= p.code.spikes(codes[(period - later) % self.images], phase).ravel() != 0
        return raster

    @property
    def spiking(self) -> tuple[str, ...]:
        """Names of the populations that spike."""
        return tuple(p.name for p in self.network.populations if not isinstance(p, Readout))

    def write(self, folder: Path) -> None:
        """Write `architecture.yaml` and `network.yaml`, with the spikes of the whole ring, for SANA-FE's own simulator.

        Args:
            folder: An existing folder.
        """
        for name in self.spiking:
            ring = np.concatenate([self.raster(name, n) for n in range(self.images)])
            for neuron, train in zip(self.snn[name], ring.T.astype(int).tolist(), strict=True):
                neuron.set_attributes(model_attributes={"spikes": train})
        (folder / "architecture.yaml").write_text(self.architecture_text, encoding="utf-8")
        self.snn.save(str(folder / "network.yaml"))


def export(
    network: Network,
    mapping: BoardMapping,
    trace: Trace,
    *,
    updated: bool = True,
    architecture: Path | None = None,
    max_connections: int = MAX_CONNECTIONS,
) -> PlacedNetwork:
    """Place a network and its spikes on SANA-FE's Loihi.

    Args:
        network: The network.
        mapping: Its mapping onto a board with Loihi 1, on one chip.
        trace: Spikes of some images, as `OneSpikeNetwork.trace` or an executor records them.
        updated: Whether a neuron that sends no spike is charged as updated; otherwise it is charged as idle. On a chip
            neurons are updated inside their window and idle outside of it.
        architecture: A description of a chip with the units of SANA-FE's `loihi.yaml`; None for that file.
        max_connections: Largest number of synapses that is built.

    Returns:
        The network as objects of SANA-FE.

    Raises:
        SimulatorError: SANA-FE is not installed, the board is not one chip of Loihi 1, a core holds too many neurons,
            or there are too many synapses.
    """
    placement = mapping.placement
    check_board(placement.board)
    if placement.chips > 1:
        raise SimulatorError(
            f"board: network must fit 1 chip, which SANA-FE describes, got {placement.chips} chips; make it smaller"
        )
    _check_size(network, max_connections)
    require()
    description = read_description(architecture)
    places = _places(network, placement, description)
    units = {place: Units(neurons=core.block.neurons) for place, core in zip(places, placement.cores, strict=False)}
    input_cores = _input_cores(network, description)
    for place, (low, high) in zip(places[len(placement.cores) :], input_cores, strict=True):
        units[place] = Units(inputs=high - low)
    text = architecture_text(description, units, updated)
    chip = load(text)
    snn = require().Network()
    convolutions = frozenset(y.name for y in mapping.layers if _shared(y, placement))
    _add_neurons(snn, chip, network, placement, places, input_cores, convolutions)
    connections = sum(_connect(snn, network, synapse) for synapse in network.synapses)
    images = len(trace.output)
    return PlacedNetwork(
        network, placement, description, text, chip, snn, connections, images, places, convolutions, trace
    )


def check_board(board: Board) -> None:
    """Refuse a board whose chip SANA-FE does not describe.

    Args:
        board: The board.

    Raises:
        SimulatorError: its chips are not Loihi 1.
    """
    if board.chip.generation != GENERATION:
        raise SimulatorError(
            f"board: must have chips of Loihi 1, which SANA-FE describes, got {board.name} with {board.chip.name}; "
            f"take a board such as nahuku_32"
        )


def _check_size(network: Network, limit: int) -> None:
    """Synapses are counted before any is built."""
    found = sum(int(fan_out(s.op, network.by_name[s.pre].shape, s.index).sum()) for s in network.synapses)
    if found > limit:
        raise SimulatorError(
            f"network: must have at most {limit:,} synapses for SANA-FE, which takes about a kilobyte for each, got "
            f"{found:,}; raise max_connections, or take a smaller network"
        )


def _places(network: Network, placement: Placement, description: Description) -> tuple[Place, ...]:
    """SANA-FE numbers tiles column by column, the mapper row by row."""

    def place(core: int) -> Place:
        tile, offset = divmod(core, description.cores_per_tile)
        row, column = divmod(tile, description.columns)
        if row >= description.rows:
            cores = description.columns * description.rows * description.cores_per_tile
            raise SimulatorError(f"network: must fit {cores} cores with its input, got core {core}; make it smaller")
        return column * description.rows + row, offset

    for core in placement.cores:
        if core.block.neurons > description.neurons_per_core:
            raise SimulatorError(
                f"{core.layer}: must have at most {description.neurons_per_core} neurons on a core, got "
                f"{core.block.neurons}; map it onto a board with Loihi 1"
            )
    used = [core.core for core in placement.cores]
    free = [n for n in range(max(used) + 1 + len(_input_cores(network, description))) if n not in used]
    return tuple(place(n) for n in [*used, *free[: len(_input_cores(network, description))]])


def _input_cores(network: Network, description: Description) -> list[tuple[int, int]]:
    """[first, last) neuron of the input on each core that holds some."""
    size, room = prod(network.input.shape), description.neurons_per_core
    return [(low, min(low + room, size)) for low in range(0, size, room)]


def _shared(layer: MappedLayer, placement: Placement) -> bool:
    """Whether all groups onto a layer are shared kernels: SANA-FE has one unit of synapses per neuron."""
    sharing = bool(placement.board.chip.accounting.shared_convolution.value)
    return all(layer.shares(afferent, sharing) for afferent in layer.afferents)


def _add_neurons(
    snn: Any,
    chip: Any,
    network: Network,
    placement: Placement,
    places: tuple[Place, ...],
    input_cores: list[tuple[int, int]],
    convolutions: frozenset[str],
) -> None:
    """Create a group per population and map its neurons."""
    for p in network.populations:
        synapses = CONVOLUTION if p.name in convolutions else LISTS
        snn.create_neuron_group(p.name, prod(p.shape), default_synapse_hw_name=synapses)
    for core, place in zip(placement.cores, places, strict=False):
        indices = core.block.indices(placement.shapes[core.layer])
        _map(snn[core.layer], indices, REPLAY, chip.tiles[place[0]].cores[place[1]])
    for (low, high), place in zip(input_cores, places[len(placement.cores) :], strict=True):
        _map(snn[network.input.name], np.arange(low, high), INPUT, chip.tiles[place[0]].cores[place[1]])


def _map(group: Any, indices: NDArray[np.int64], units: str, core: Any) -> None:
    """Each neuron has a unit of its own, since a unit replays one train."""
    for unit, neuron in enumerate(indices.tolist()):
        group[neuron].set_attributes(soma_hw_name=f"{units}[{unit}]")
        group[neuron].map_to_core(core)


def _connect(snn: Any, network: Network, synapse: Synapse) -> int:
    """One connection per synapse, those of weight 0 included; returns their number."""
    ones = synapse.op.with_weight_values(np.ones_like(synapse.op.weight_values))
    matrix = synapse_matrix(ones, network.by_name[synapse.pre].shape, synapse.index).tocoo()
    # Several synapses between the same two neurons are added up in the matrix.
    times = np.rint(matrix.data).astype(np.int64)
    pre, post = np.repeat(matrix.col, times), np.repeat(matrix.row, times)
    pairs = list(zip(pre.tolist(), post.tolist(), strict=True))
    snn[synapse.pre].connect_neurons_sparse(snn[synapse.post], {"weight": [0] * len(pairs)}, pairs)
    return len(pairs)


def trains(raster: NDArray[np.bool_]) -> Iterator[tuple[int, list[int]]]:
    """(neuron, its spikes 0 and 1 step by step) of the neurons that spike in a raster.

    Args:
        raster: (steps, neurons).
    """
    for neuron in np.flatnonzero(raster.any(axis=0)).tolist():
        yield neuron, raster[:, neuron].astype(int).tolist()
