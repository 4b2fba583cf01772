"""Runs of SANA-FE, period by period, and what it counts and charges."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.mapping import Mapping as BoardMapping
from loihi_onespike.boards.sanafe.architecture import Neurons, energy_of_core
from loihi_onespike.boards.sanafe.availability import require
from loihi_onespike.boards.sanafe.export_network import MAX_CONNECTIONS, export
from loihi_onespike.boards.sanafe.placed_network import PlacedNetwork, trains
from loihi_onespike.boards.sanafe.plugin import Recorder
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Trace
from loihi_onespike.errors import ConfigurationError

NJ = 1e9
"""nJ in a J."""
COMPONENTS = ("synapse", "dendrite", "soma", "network")
"""Parts of the energy that SANA-FE tells apart; `network` is that of the messages between cores."""

Timing = Literal["simple", "detailed", "cycle"]
"""SANA-FE's models of time: without contention of messages, with an estimate of it, and cycle by cycle (slow)."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Messages:
    """Messages that a part of the network sends, per image.

    Attributes:
        packets: Messages, one per spike and core with targets.
        synaptic_operations: Synapses that they reach.
        hops_east_west: Tiles that they cross along rows.
        hops_north_south: Tiles that they cross along columns.
        blocked_us: Time in µs that messages wait because their route is full, summed over messages.
    """

    packets: float
    synaptic_operations: float
    hops_east_west: float
    hops_north_south: float
    blocked_us: float


@dataclass(frozen=True, eq=False)
class SanafeRun:
    """What SANA-FE says of a network on its Loihi; means per image in a filled pipeline.

    Attributes:
        placed: The network as it was simulated.
        timing: SANA-FE's model of time.
        spikes: Spikes of the populations on cores.
        messages: Messages of the populations on cores.
        input_messages: Messages of the input, which SANA-FE places on cores too.
        energy_nj: Energy in nJ by component, see `COMPONENTS`; messages of the input are included.
        core_energy_nj: (cores,) energy in nJ of every core of the placement, hops of messages not included.
        steps_us: (images · period,) time of every step in µs.
        trace: Spikes and potentials that SANA-FE computed; None where it replayed spikes.
    """

    placed: PlacedNetwork
    timing: Timing
    spikes: float
    messages: Messages
    input_messages: Messages
    energy_nj: Mapping[str, float]
    core_energy_nj: NDArray[np.float64]
    steps_us: NDArray[np.float64]
    trace: Trace | None

    @property
    def image_us(self) -> float:
        """Time between two images in µs."""
        return float(self.steps_us.sum()) / self.placed.images

    @property
    def synaptic_operations(self) -> float:
        """Synapses that spikes reach, those of the input included."""
        return self.messages.synaptic_operations + self.input_messages.synaptic_operations

    @property
    def total_nj(self) -> float:
        """Dynamic energy in nJ; SANA-FE does not know static power."""
        return sum(self.energy_nj.values())

    @property
    def input_network_nj(self) -> float:
        """Part of the energy of the network on chip in nJ that the messages of the input take."""
        return messages_nj(self.placed, self.input_messages)

    @property
    def tiles(self) -> int:
        """Tiles in use, those of the input included."""
        return len({tile for tile, _ in self.placed.places})


def simulate(
    network: Network,
    mapping: BoardMapping,
    trace: Trace,
    *,
    neurons: Neurons = "updated",
    timing: Timing = "detailed",
    architecture: Path | None = None,
    max_connections: int = MAX_CONNECTIONS,
    progress: Progress | None = None,
) -> SanafeRun:
    """Run some images on SANA-FE's Loihi, as a filled pipeline.

    Args:
        network: The network.
        mapping: Its mapping onto a board with Loihi 1, on one chip.
        trace: Spikes of the images, as `OneSpikeNetwork.trace` or an executor records them.
        neurons, architecture, max_connections: As for `export`.
        timing: SANA-FE's model of time.
        progress: Called with the number of simulated images, and of all.

    Returns:
        Counts, energy by component and by core, and time, per image.

    Raises:
        SimulatorError: as `export` raises it.
        ConfigurationError: as `export` raises it, or there is no such model of time.
    """
    if timing not in get_args(Timing):
        raise ConfigurationError(f"timing: must be one of {', '.join(get_args(Timing))}, got {timing!r}")
    placed = export(
        network, mapping, trace, neurons=neurons, architecture=architecture, max_connections=max_connections
    )
    chip = require().SpikingChip(placed.architecture)
    chip.load(placed.snn)
    mapped = chip.mapped_neuron_groups
    computed = neurons == "computed"
    recorder = Recorder(network) if computed else None
    # Computed neurons need the pipeline to be filled first.
    filling = -(-network.latency_steps // network.period_steps) if computed else 0
    tally = _Tally(placed)
    for period in range(filling + placed.images):
        for name in placed.replaying:
            for neuron, train in trains(placed.raster(name, period)):
                mapped[name][neuron].set_attributes(model_attributes={"spikes": train})
        with redirect_stdout(io.StringIO()):
            result = chip.sim(
                network.period_steps,
                timing_model=timing,
                processing_threads=1,
                perf_trace=True,
                message_trace=True,
                spike_trace=computed,
                potential_trace=computed,
            )
        if recorder is not None:
            recorder.add(result)
        if period >= filling:
            tally.add(result)
        if progress is not None:
            progress(period + 1, filling + placed.images)
    codes = trace.layers[network.input.name].codes
    assert codes is not None
    return tally.run(timing, None if recorder is None else recorder.trace(codes))


def messages_nj(placed: PlacedNetwork, messages: Messages) -> float:
    """Energy in nJ of messages: leaving a core, arriving at one, and hops between tiles.

    Args:
        placed: The network with its chip.
        messages: The messages; SANA-FE charges both directions of an axis alike in its description of Loihi.
    """
    chip = placed.description
    ends = chip.price("axon_out", "loihi_out", "energy_message_out") + chip.price(
        "axon_in", "loihi_in", "energy_message_in"
    )
    hops = messages.hops_east_west * chip.tile["energy_east_hop"]
    hops += messages.hops_north_south * chip.tile["energy_north_hop"]
    return float(messages.packets * ends + hops) * NJ


class _Tally:
    """Adds up what SANA-FE returns for the periods that count."""

    def __init__(self, placed: PlacedNetwork) -> None:
        self.placed = placed
        self.core_names = [energy_of_core(*place) for place in placed.places[: len(placed.placement.cores)]]
        self.energy = dict.fromkeys(COMPONENTS, 0.0)
        self.core_energy = np.zeros(len(self.core_names))
        self.steps: list[float] = []
        # Sums over messages, of the populations on cores and of the input, in the order of `Messages`.
        self.sent = {False: np.zeros(len(fields(Messages))), True: np.zeros(len(fields(Messages)))}
        self.fired = 0

    def add(self, result: Mapping[str, Any]) -> None:
        for part in COMPONENTS:
            self.energy[part] += result["energy"][part]
        self.fired += result["neurons_fired"]
        self.steps += result["perf_trace"]["sim_time"]
        self.core_energy += [sum(result["perf_trace"][name]) for name in self.core_names]
        source = self.placed.network.input.name
        for step in result["message_trace"]:
            for m in step:
                if not m["placeholder"]:
                    across, along = abs(m["src_x"] - m["dest_x"]), abs(m["src_y"] - m["dest_y"])
                    one = (1, m["spikes"], across, along, m["blocking_delay"] * 1e6)
                    self.sent[m["src_neuron_group_id"] == source] += one

    def run(self, timing: Timing, trace: Trace | None) -> SanafeRun:
        images, source = self.placed.images, self.placed.network.input.name
        of_input = sum(int(self.placed.raster(source, n).sum()) for n in range(images))
        return SanafeRun(
            self.placed,
            timing,
            (self.fired - of_input) / images,
            Messages(*(self.sent[False] / images).tolist()),
            Messages(*(self.sent[True] / images).tolist()),
            {part: joules * NJ / images for part, joules in self.energy.items()},
            self.core_energy * NJ / images,
            np.array(self.steps) * 1e6,
            trace,
        )
