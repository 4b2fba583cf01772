"""SANA-FE's figures beside our own estimate, and why they differ, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from loihi_onespike.boards.energy.estimate import BoardEstimate
from loihi_onespike.boards.energy.figures import COUNTED, Figure, energy_text
from loihi_onespike.boards.mapping import Mapping as BoardMapping
from loihi_onespike.boards.sanafe.architecture import CONVOLUTION, LISTS, NEURON_MODEL, Neurons
from loihi_onespike.boards.sanafe.export_network import MAX_CONNECTIONS
from loihi_onespike.boards.sanafe.simulation import Progress, SanafeRun, Timing, simulate
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Difference, Trace, first_difference

PJ, NS, PJ_PER_NJ = 1e12, 1e9, 1e3


@dataclass(frozen=True)
class Row:
    """One quantity, per image, as two programs have it.

    Attributes:
        name: What it is.
        unit: Its unit; empty for counts.
        idle, updated: SANA-FE with neurons without a spike charged as idle, and as updated.
        computed: SANA-FE with neurons that compute their spikes; None where it only replayed them.
        ours: Our estimate, with its range.
    """

    name: str
    unit: str
    idle: float
    updated: float
    computed: float | None
    ours: Figure

    @property
    def text(self) -> tuple[str, str]:
        """SANA-FE's figure and ours, each with its range; without computed spikes SANA-FE's is a range alone."""
        low, high = _text(self.idle, self.unit), _text(self.updated, self.unit)
        theirs = low if low == high else f"{low} to {high}"
        if self.computed is not None:
            theirs = _text(self.computed, self.unit) + ("" if low == high else f" ({theirs})")
        least, value, largest = (_text(v, self.unit) for v in (self.ours.least, self.ours.value, self.ours.largest))
        ours = value if least == largest else f"{value} ({least} to {largest})"
        return theirs, ours

    def document(self) -> dict[str, object]:
        """The quantity as JSON-compatible values."""
        ours = {"value": self.ours.value, "least": self.ours.least, "largest": self.ours.largest}
        theirs = {"idle": self.idle, "updated": self.updated, "computed": self.computed}
        return {"name": self.name, "unit": self.unit, **theirs, "estimate": ours}


@dataclass(frozen=True, eq=False)
class SanafeComparison:
    """A network on SANA-FE's Loihi, beside the estimate for a board with the same placement and spikes.

    Attributes:
        idle: Run in which neurons that send no spike are charged as idle, the least that a chip does.
        updated: Run in which they are charged as updated, the most.
        computed: Run in which neurons compute their spikes, updated inside their window and idle outside; or None.
        difference: First place where these spikes and potentials differ from the trace; None where they are equal.
        estimate: Our estimate.
    """

    idle: SanafeRun
    updated: SanafeRun
    computed: SanafeRun | None
    difference: Difference | None
    estimate: BoardEstimate

    @property
    def counts(self) -> tuple[Row, ...]:
        """What both programs count, and what must be equal: spikes, synaptic operations, packets and tile hops."""
        work, hops = self.estimate.work, self.estimate.work.hops
        ours: dict[str, tuple[Callable[[SanafeRun], float], float | None]] = {
            "spikes": (lambda run: run.spikes, sum(layer.spikes for layer in self.estimate.layers)),
            "synaptic operations": (lambda run: run.synaptic_operations, work.synaptic_operations),
            "packets between cores": (lambda run: run.messages.packets, hops.packets),
            "tiles crossed east-west": (lambda run: run.messages.hops_east_west, hops.hops_east_west),
            "tiles crossed north-south": (lambda run: run.messages.hops_north_south, hops.hops_north_south),
        }
        return tuple(self._row(name, "", of, Figure(name, n, "", COUNTED, "")) for name, (of, n) in ours.items())

    @property
    def unequal(self) -> tuple[str, ...]:
        """Names of counts that differ by more than the rounding of means."""
        theirs = {r.name: [n for n in (r.idle, r.updated, r.computed) if n is not None] for r in self.counts}
        return tuple(r.name for r in self.counts if not all(_close(n, r.ours.value) for n in theirs[r.name]))

    @property
    def rows(self) -> tuple[Row, ...]:
        """Counts, time and energy side by side."""
        account = self.estimate.best_account
        return (
            *self.counts,
            self._row("time", "µs", lambda run: run.image_us, self.estimate.image_us),
            self._row("synapses", "nJ", lambda run: run.energy_nj["synapse"], account.synaptic),
            self._row("neurons", "nJ", lambda run: run.energy_nj["soma"], account.updates),
            self._row("network on chip", "nJ", lambda run: run.energy_nj["network"], account.hops),
            self._row("dynamic energy", "nJ", lambda run: run.total_nj, account.dynamic),
        )

    def _row(self, name: str, unit: str, of: Callable[[SanafeRun], float], ours: Figure) -> Row:
        computed = None if self.computed is None else of(self.computed)
        return Row(name, unit, of(self.idle), of(self.updated), computed, ours)

    @property
    def differences(self) -> tuple[str, ...]:
        """Why the figures differ, one sentence or two each, with the prices of both."""
        always = (self._time(), self._synapses(), self._neurons(), self._messages(), self._input())
        return (*self._spikes(), *self._differing_counts(), *always)

    def document(self) -> dict[str, object]:
        """The comparison as JSON-compatible values."""
        run = self.updated
        cores = [
            {"layer": core.layer, "core": core.core, "idle_nj": low, "updated_nj": high}
            for core, low, high in zip(
                run.placed.placement.cores,
                self.idle.core_energy_nj.tolist(),
                run.core_energy_nj.tolist(),
                strict=True,
            )
        ]
        return {
            "simulator": f"sanafe {version('sanafe')}",
            "architecture": run.placed.description.source.name,
            "timing": run.timing,
            "connections": run.placed.connections,
            "counts_equal": not self.unequal,
            "computed_spikes_equal": None if self.computed is None else self.difference is None,
            "per_image": [row.document() for row in self.rows],
            "energy_of_cores": cores,
            "input_messages": asdict(run.input_messages),
            "blocked_us": {"idle": self.idle.messages.blocked_us, "updated": run.messages.blocked_us},
            "differences": list(self.differences),
        }

    def _price(self, section: str, unit: str, key: str) -> float:
        """A price of SANA-FE's description in pJ, or a time in ns."""
        value = self.updated.placed.description.price(section, unit, key)
        return value * (PJ if key.startswith("energy") else NS)

    def _spikes(self) -> tuple[str, ...]:
        if self.computed is None:
            return ()
        found = "equal" if self.difference is None else f"not equal ({self.difference})"
        return (
            f"Spikes: SANA-FE computed all spikes and potentials of {self.computed.placed.images} images itself; they "
            f"are {found} to ours.",
        )

    def _differing_counts(self) -> tuple[str, ...]:
        if not self.unequal:
            return ()
        return (
            f"Counts: {', '.join(self.unequal)} differ. SANA-FE sends one message per spike and core; the mapper "
            "counts one per group of synapses, so that two groups from one population onto one core count twice.",
        )

    def _time(self) -> str:
        run = self.updated
        access = self._price("soma", NEURON_MODEL, "latency_access_neuron")
        update = self._price("soma", NEURON_MODEL, "latency_update_neuron")
        barrier = run.placed.description.barrier_s(run.tiles) * NS
        ours = "; ".join(f"{p.name} {p.value:g} {p.unit}" for p in self.estimate.time.prices)
        return (
            f"Time: in SANA-FE a core visits its neurons one after the other ({access:g} ns, {update:g} ns more when "
            f"updated) and sends the messages of each ({self._price('axon_out', 'loihi_out', 'latency_message_out'):g} "
            f"ns); a core that receives works them off one by one "
            f"({self._price('axon_in', 'loihi_in', 'latency_message_in'):g} ns and "
            f"{self._price('synapse', LISTS, 'latency_process_spike'):g} ns per target of a list, "
            f"{self._price('synapse', CONVOLUTION, 'latency_process_spike'):g} ns of a shared kernel); messages wait "
            f"for full routes, {run.messages.blocked_us:,.1f} µs per image summed over all; a barrier of "
            f"{barrier:,.0f} ns for {run.tiles} tiles ends the step. Our estimate has no cost of receiving and no "
            f"contention; it takes the slowest core of each step ({ours}), with the parts of a core side by side, and "
            f"one after the other at the high end of its range."
        )

    def _synapses(self) -> str:
        lists, kernels = (self._price("synapse", unit, "energy_process_spike") for unit in (LISTS, CONVOLUTION))
        operations = self.estimate.work.synaptic_operations
        as_lists, as_kernels = (energy_text(operations * pj / PJ_PER_NJ) for pj in (lists, kernels))
        shared = self.updated.placed.convolutions
        stored = f"kernels onto {', '.join(sorted(shared))} and lists onto the others" if shared else "lists of targets"
        return (
            f"Synapses: SANA-FE charges {lists:g} pJ per target of a list and {kernels:g} pJ of a shared kernel; the "
            f"mapping stores {stored}. All as lists take {as_lists}, all as kernels {as_kernels}. Our table: "
            f"{self.estimate.best_account.synaptic.source}."
        )

    def _neurons(self) -> str:
        keys = ("energy_access_neuron", "energy_update_neuron", "energy_spike_out")
        access, update, spike = (self._price("soma", NEURON_MODEL, key) for key in keys)
        return (
            f"Neurons: SANA-FE charges {access:g} pJ per neuron and step, {update:g} pJ more when it is updated and "
            f"{spike:g} pJ per spike; where spikes are replayed, the low end has all silent neurons idle and the high "
            f"end has all updated. Our table: {self.estimate.best_account.updates.source}."
        )

    def _messages(self) -> str:
        leaving = self._price("axon_out", "loihi_out", "energy_message_out")
        tile = self.updated.placed.description.tile
        east, north = tile["energy_east_hop"] * PJ, tile["energy_north_hop"] * PJ
        return (
            f"Network on chip: SANA-FE charges {leaving:g} pJ for every message that leaves a core, {east:g} pJ per "
            f"tile crossed east-west and {north:g} pJ north-south. Our table: {self.estimate.best_account.hops.source}."
        )

    def _input(self) -> str:
        run = self.updated
        return (
            f"Input: SANA-FE places it on cores of its own; its {run.input_messages.packets:,.0f} messages are in the "
            f"time and in the energy ({energy_text(run.input_network_nj)} of the network on chip). Our estimate leaves "
            "out how input reaches the cores."
        )


def compare(
    network: Network,
    mapping: BoardMapping,
    trace: Trace,
    estimate: BoardEstimate,
    *,
    computed: bool = False,
    timing: Timing = "detailed",
    architecture: Path | None = None,
    max_connections: int = MAX_CONNECTIONS,
    progress: Progress | None = None,
) -> SanafeComparison:
    """Simulate a network with SANA-FE, with idle and with updated neurons, beside an estimate of the same spikes.

    Args:
        network: The network.
        mapping: Its mapping onto a board with Loihi 1, on one chip.
        trace: Spikes of the images over which the estimate was made.
        estimate: Our estimate for this mapping.
        computed: Whether SANA-FE also computes the spikes by itself, which needs a C++ compiler.
        timing, architecture, max_connections: As for `simulate`.
        progress: Called with the number of simulated images, and of all in all runs.

    Raises:
        SimulatorError: as `export` raises it.
    """
    modes: tuple[Neurons, ...] = ("idle", "updated", "computed") if computed else ("idle", "updated")
    runs: dict[str, SanafeRun] = {}
    done_before = 0

    def report(done: int, of: int) -> None:
        if progress is not None:
            progress(done_before + done, done_before + of * (len(modes) - len(runs)))

    for neurons in modes:
        runs[neurons] = simulate(
            network,
            mapping,
            trace,
            neurons=neurons,
            timing=timing,
            architecture=architecture,
            max_connections=max_connections,
            progress=report,
        )
        done_before += len(trace.output)
    third = runs.get("computed")
    difference = None if third is None or third.trace is None else first_difference(third.trace, trace)
    return SanafeComparison(runs["idle"], runs["updated"], third, difference, estimate)


def _close(theirs: float, ours: float | None) -> bool:
    return ours is not None and abs(theirs - ours) <= 1e-6 * (1 + ours)


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    if unit == "nJ":
        return energy_text(value)
    digits = 0 if not value or abs(value) >= 1e4 else 2
    return f"{value:,.{digits}f} {unit}".strip()
