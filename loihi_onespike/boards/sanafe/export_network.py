"""Puts a mapped network onto SANA-FE's Loihi: every neuron on its core, every synapse a connection.

SANA-FE's Loihi has no one-spike neuron. Either units of its model `input` replay the spikes of a trace; such a unit
refuses synaptic input that is not zero, and counts, energy and time do not depend on weights, so all weights are 0. Or
a plugin computes the neurons, with the weights and delays of the network. The input population, which the mapper leaves
to the host, is placed on the first cores that the network leaves free.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping import MappedLayer, Placement
from loihi_onespike.boards.mapping import Mapping as BoardMapping
from loihi_onespike.boards.mapping.mapped_layer import Storage
from loihi_onespike.boards.sanafe.architecture import (
    COMPUTED,
    CONVOLUTION,
    INPUT,
    LISTS,
    REPLAY,
    Description,
    Neurons,
    Units,
    architecture_text,
    load,
    read_description,
)
from loihi_onespike.boards.sanafe.availability import require
from loihi_onespike.boards.sanafe.placed_network import Place, PlacedNetwork
from loihi_onespike.boards.sanafe.plugin import check_computable, library, own_attributes, shared_attributes
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import InputPopulation, Network, Synapse
from loihi_onespike.core.maps.connectivity import connections, synapse_matrix
from loihi_onespike.core.trace import Trace
from loihi_onespike.errors import ConfigurationError, SimulatorError

MAX_CONNECTIONS = 1_000_000
"""Largest number of synapses that is built unless more are asked for: SANA-FE 2.2.9 takes about a kB for each."""
GENERATION = 1
"""SANA-FE describes Loihi 1."""


def export(
    network: Network,
    mapping: BoardMapping,
    trace: Trace,
    *,
    neurons: Neurons = "updated",
    architecture: Path | None = None,
    max_connections: int = MAX_CONNECTIONS,
) -> PlacedNetwork:
    """Place a network and its spikes on SANA-FE's Loihi.

    Args:
        network: The network.
        mapping: Its mapping onto a board with Loihi 1, on one chip.
        trace: Spikes of some images, as `OneSpikeNetwork.trace` or an executor records them.
        neurons: "idle" and "updated" replay the spikes and charge a neuron that sends none as idle or as updated. On a
            chip it is updated inside its window and idle outside of it, so the truth lies between. "computed" takes the
            spikes of the input alone and computes all others with a plugin, which needs a C++ compiler.
        architecture: A description of a chip with the units of SANA-FE's `loihi.yaml`; None for that file.
        max_connections: Largest number of synapses that is built.

    Returns:
        The network as objects of SANA-FE.

    Raises:
        SimulatorError: SANA-FE is not installed, the board is not one chip of Loihi 1, a core holds too many neurons,
            there are too many synapses, or the plugin cannot be compiled or lacks a neuron.
        ConfigurationError: there is no such way of neurons, or the trace has no image.
    """
    if neurons not in get_args(Neurons):
        raise ConfigurationError(f"neurons: must be one of {', '.join(get_args(Neurons))}, got {neurons!r}")
    if not len(trace.output):
        raise ConfigurationError("trace: must hold at least 1 image, got 0")
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
    computed = neurons == "computed"
    if computed:
        check_computable(network)
    text = architecture_text(description, units, neurons, library() if computed else None)
    chip = load(text)
    snn = require().Network()
    convolutions = frozenset(y.name for y in mapping.layers if _shared(y, placement))
    _add_groups(snn, network, convolutions, computed)
    mapped = 0
    for core, place in zip(placement.cores, places, strict=False):
        indices, onto = core.block.indices(placement.shapes[core.layer]), chip.tiles[place[0]].cores[place[1]]
        _map(snn[core.layer], indices, COMPUTED if computed else REPLAY, onto, mapped)
        mapped += len(indices)
    for (low, high), place in zip(input_cores, places[len(placement.cores) :], strict=True):
        _map(snn[network.input.name], np.arange(low, high), INPUT, chip.tiles[place[0]].cores[place[1]], mapped)
    connected = sum(_connect(snn, network, synapse, computed) for synapse in network.synapses)
    images = len(trace.output)
    return PlacedNetwork(
        network, placement, neurons, description, text, chip, snn, connected, images, places, convolutions, trace
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
    found = sum(connections(s.op, network.by_name[s.pre].shape, s.index) for s in network.synapses)
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
    kernels = placement.board.chip.accounting.kernels
    return all(layer.storage(afferent, kernels) is Storage.KERNEL for afferent in layer.afferents)


def _add_groups(snn: Any, network: Network, convolutions: frozenset[str], computed: bool) -> None:
    """A group per population."""
    for p in network.populations:
        synapses = CONVOLUTION if p.name in convolutions else LISTS
        if isinstance(p, InputPopulation) or not computed:
            snn.create_neuron_group(p.name, prod(p.shape), default_synapse_hw_name=synapses)
            continue
        group = snn.create_neuron_group(
            p.name,
            prod(p.shape),
            model_attributes=shared_attributes(network, p),
            default_synapse_hw_name=synapses,
            log_spikes=True,
            log_potential=True,
        )
        for neuron, attributes in zip(group, own_attributes(p), strict=True):
            neuron.set_attributes(model_attributes=attributes)


def _map(group: Any, indices: NDArray[np.int64], units: str, core: Any, mapped: int) -> None:
    """A neuron that replays has a unit of its own, since a unit has one train; computed ones share a unit.

    These know their number in the order of mapping, by which a synapse finds what its neuron sent.
    """
    for place, neuron in enumerate(indices.tolist()):
        if units == COMPUTED:
            group[neuron].set_attributes(soma_hw_name=units, model_attributes={"number": mapped + place})
        else:
            group[neuron].set_attributes(soma_hw_name=f"{units}[{place}]")
        group[neuron].map_to_core(core)


def _connect(snn: Any, network: Network, synapse: Synapse, computed: bool) -> int:
    """One connection per synapse, those of weight 0 included; returns their number."""
    pre_shape = network.by_name[synapse.pre].shape
    ones = synapse.op.with_weight_values(np.ones_like(synapse.op.weight_values))
    places = synapse_matrix(ones, pre_shape, synapse.index).tocoo()
    # Several synapses between the same two neurons are added up in the matrix.
    times = np.rint(places.data).astype(np.int64)
    pre, post = np.repeat(places.col, times), np.repeat(places.row, times)
    if not len(pre):
        return 0
    attributes: dict[str, list[int]] = {"weight": [0] * len(pre)}
    if computed:
        summed = np.zeros(len(pre), np.int64)  # the first of several carries the sum
        matrix = synapse_matrix(synapse.op, pre_shape, synapse.index).astype(np.int64)
        summed[np.cumsum(times) - times] = np.asarray(matrix[places.row, places.col]).ravel() << synapse.weight_exp
        attributes["weight"] = summed.tolist()
        if synapse.axon_delay:
            attributes["delay"] = [synapse.axon_delay] * len(pre)
    pairs = list(zip(pre.tolist(), post.tolist(), strict=True))
    snn[synapse.pre].connect_neurons_sparse(snn[synapse.post], attributes, pairs)
    return len(pairs)
