"""Time and energy of a network on a board, as far as public tables allow.

estimate = estimate_board(network, mapping, activity)
estimate.images_per_s, estimate.latency_us        # Figures: value, unit, status, source
estimate.accounts                                 # energy per image, table by table
estimate.sentences                                # when the SNN loses, in both accountings
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihi_onespike.boards.energy.account import EnergyAccount, Work, accounts
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.boards.energy.break_even import BoardBalance, PaperBalance, board_balances
from loihi_onespike.boards.energy.core_load import CoreLoad, core_load
from loihi_onespike.boards.energy.figures import Figure, counted
from loihi_onespike.boards.energy.operation_prices import TABLE_CHIP
from loihi_onespike.boards.energy.step_time import NS, StepTime, step_time
from loihi_onespike.boards.mapping import Mapping, Placement, spike_hops
from loihi_onespike.boards.specification import load_chip
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout
from loihi_onespike.evaluation.alpha import additions_per_spike
from loihi_onespike.evaluation.spike_counter import operations_made
from loihi_onespike.microcode import instruction_counts

US = 1e-3
"""µs per ns."""


@dataclass(frozen=True)
class LayerEstimate:
    """One population on the board, with means per image.

    Attributes:
        name: Name of the population.
        neurons: Number of neurons.
        cores: Number of cores that it occupies.
        spikes: Spikes that it sends.
        synaptic_operations: Synaptic operations that arrive at it.
        updates: Neurons times steps of the period.
        busiest_ns: Time in ns of its slowest core in its slowest step (synaptic operations or updates).
        dynamic_nj: Energy of synapses and updates in nJ with the table of the last account; None where it has no
            prices.
        instructions: Largest number of microcode instructions per neuron and step; None without a program.
    """

    name: str
    neurons: int
    cores: int
    spikes: float
    synaptic_operations: float
    updates: float
    busiest_ns: float
    dynamic_nj: float | None
    instructions: int | None


@dataclass(frozen=True)
class BoardEstimate:
    """Estimate for one network on one board.

    Attributes:
        network: Name of the network.
        board: Name of the board.
        chip: Name of its chip.
        images: Number of images over which spikes were counted.
        fits: Whether the placement keeps all limits.
        cores: Number of cores in use.
        chips: Number of chips in use.
        period_steps: Steps between two images.
        latency_steps: Steps from the first input phase to the readout's last.
        work: Operations per image.
        time: Time of the steps.
        accounts: Energy per image; the first uses the chip's own table, which may be unknown.
        paper: α and its counts; None where the facts of the network do not state the MACs of its ANN.
        balances: The full accounting against the arithmetic of the ANN.
        layers: Estimates of the populations in the order of the network, without the input.
        notes: What the estimate does not include.
    """

    network: str
    board: str
    chip: str
    images: int
    fits: bool
    cores: int
    chips: int
    period_steps: int
    latency_steps: int
    work: Work
    time: StepTime
    accounts: tuple[EnergyAccount, ...]
    paper: PaperBalance | None
    balances: tuple[BoardBalance, ...]
    layers: tuple[LayerEstimate, ...]
    notes: tuple[str, ...]

    @property
    def best_account(self) -> EnergyAccount:
        """The account that has numbers: the chip's own, otherwise the borrowed one."""
        return self.accounts[-1]

    @property
    def step_us(self) -> Figure:
        """Mean time of a step in µs."""
        return self.time.figure("mean step", "µs", lambda steps: float(steps.mean()) * US)

    @property
    def images_per_s(self) -> Figure:
        """Throughput of the pipeline in images per second."""
        return self.time.figure("images per second", "1/s", lambda steps: 1.0 / (float(steps.sum()) * NS))

    @property
    def latency_us(self) -> Figure:
        """Time in µs from the first input phase to the decision."""
        return self.time.figure("latency", "µs", lambda steps: float(np.resize(steps, self.latency_steps).sum()) * US)

    @property
    def image_us(self) -> Figure:
        """Time in µs between two images in the pipeline."""
        return image_time(self.time)

    @property
    def counts(self) -> tuple[Figure, ...]:
        """The exact counts per image."""
        how = f"counted over {self.images} images"
        return (
            counted("synaptic operations", self.work.synaptic_operations, "per image", how),
            counted("neuron updates", self.work.updates, "per image", "neurons × steps of the period"),
            counted("packets between cores", self.work.hops.packets, "per image", f"{how}, by the placement"),
            counted("packets between chips", self.work.hops.between_chips, "per image", f"{how}, by the placement"),
            counted("input spikes", self.work.input_spikes, "per image", how),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Sentences that say when the SNN loses, one per accounting."""
        paper = () if self.paper is None else (self.paper.sentence(),)
        return (*paper, *(b.sentence() for b in self.balances))


def image_time(time: StepTime) -> Figure:
    """Time in µs between two images in the pipeline."""
    return time.figure("time between images", "µs", lambda steps: float(steps.sum()) * US)


def estimate_board(network: Network, mapping: Mapping, activity: Activity) -> BoardEstimate:
    """Estimate time and energy of one image in a stream, on the board that the network was mapped onto.

    Args:
        network: The network.
        mapping: Its mapping onto the board.
        activity: Measured spikes.

    Returns:
        The estimate, every figure with unit, status and source.

    Raises:
        ConfigurationError: the activity holds no images.
    """
    placement = mapping.placement
    chip, table_chip = placement.board.chip, load_chip(TABLE_CHIP)
    load = core_load(network, mapping.layers, placement, activity)
    time = step_time(load, placement)
    per_neuron = activity.per_neuron()
    work = Work(
        float(load.synaptic_operations.sum()),
        float(load.active_updates.sum()),
        float(load.inactive_updates.sum()),
        spike_hops(mapping.layers, placement, per_neuron, mesh=table_chip.mesh),
        float(per_neuron[network.input.name].sum()),
    )
    made = accounts(work, chip, table_chip, placement.chips, image_time(time))
    rates = {name: float(values.mean()) for name, values in per_neuron.items()}
    paper = PaperBalance.of(network, rates, operations_made(network, per_neuron))
    return BoardEstimate(
        network.name,
        placement.board.name,
        chip.name,
        activity.images,
        mapping.fits,
        len(placement.cores),
        placement.chips,
        network.period_steps,
        network.latency_steps,
        work,
        time,
        made,
        paper,
        () if paper is None else board_balances(paper.macs, made[-1], work),
        _layers(network, placement, load, per_neuron, made[-1], work),
        _notes(network, mapping, time, made),
    )


def _layers(
    network: Network,
    placement: Placement,
    load: CoreLoad,
    per_neuron: dict[str, np.ndarray],
    account: EnergyAccount,
    work: Work,
) -> tuple[LayerEstimate, ...]:
    timing = placement.board.chip.timing
    programmable = bool(placement.board.chip.neuron.programmable.value)
    operation_ns = timing.synaptic_operation_ns.value or 0.0
    update_ns = timing.microcode_pass_ns.value or timing.neuron_update_active_ns.value or 0.0
    layers = []
    for population in network.populations:
        if isinstance(population, InputPopulation):
            continue
        cores = list(placement.by_layer[population.name])
        operations, active = load.synaptic_operations[cores], load.active_updates[cores]
        updates = active + load.inactive_updates[cores]
        busiest = max(float(operations.max()) * operation_ns, float(updates.max()) * update_ns)
        layers.append(
            LayerEstimate(
                population.name,
                int(np.prod(population.shape)),
                len(cores),
                float(per_neuron[population.name].sum()) if isinstance(population, Population) else 0.0,
                float(operations.sum()),
                float(updates.sum()),
                busiest,
                _share(account, work, float(operations.sum()), float(updates.sum())),
                _instructions(population, network.period_steps) if programmable else None,
            )
        )
    return tuple(layers)


def _share(account: EnergyAccount, work: Work, operations: float, updates: float) -> float | None:
    """The layer's part of the synaptic and update energy, by its counts."""
    synaptic, updating = account.synaptic.value, account.updates.value
    if synaptic is None or updating is None:
        return None
    of_synapses = synaptic * operations / work.synaptic_operations if work.synaptic_operations else 0.0
    return of_synapses + updating * updates / work.updates


def _instructions(population: Population | Readout, period: int) -> int:
    return instruction_counts(population, period).worst


def _notes(network: Network, mapping: Mapping, time: StepTime, made: tuple[EnergyAccount, ...]) -> tuple[str, ...]:
    chip = mapping.placement.board.chip
    notes = []
    if chip.timing.step == "max":
        notes.append("a step is the longest of its parts, the lower bound of arXiv 2601.10035 (Timcheck et al. 2026)")
    if time.left_out:
        notes.append(f"not public for {chip.name} and left out of the time: {', '.join(time.left_out)}; a lower bound")
    if chip.timing.microcode_pass_ns.known:
        notes.append("a neuron takes one microcode pass a step whatever its instructions; their own time is not public")
    notes.append(f"left out of the energy: {', '.join(made[-1].left_out)}")
    if additions_per_spike(network) > 1:
        notes.append(
            "a spike with payload is one synaptic operation per target, at the price and in the time of one without: "
            "what the message costs is not public"
        )
    if not mapping.fits:
        notes.append(
            "the network does not fit this board: time and energy are those of the placement beyond its limits"
        )
    notes.append("the host, its link to the board and idle chips are not in any figure")
    return (*notes, *mapping.notes)
