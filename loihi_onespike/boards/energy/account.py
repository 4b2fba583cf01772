"""Energy of one image, from exact counts and a chip's table.

    E = synops · E_synop + updates · E_update + spikes · E_spike + hops · E_hop + P_static · chips · time

Every neuron is updated in every step, whether it spikes or not.

The energy of an operation on Loihi 2 is not public. For Loihi 2 the dynamic energy is therefore unknown, and a second
account that uses the table of Loihi 1, and says so in its name, is given beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from loihi_onespike.boards.energy.figures import Figure, priced, total
from loihi_onespike.boards.mapping import Hops
from loihi_onespike.boards.specification.spec import Chip, EnergyTable, PowerTable, Quantity

NJ_PER_PJ = 1e-3
NJ = "nJ"
OWN = "energies of {chip}"
BORROWED = "estimated with Loihi 1's energies [P Davies 2018], not a {chip} figure"


@dataclass(frozen=True)
class Work:
    """Operations that one image causes on a board, as means over images.

    Attributes:
        synaptic_operations: Spikes times targets.
        active_updates: Neurons times steps of the period inside their windows.
        inactive_updates: Neurons times steps of the period outside their windows.
        hops: Hops of the spikes, given by the placement.
        input_spikes: Spikes that come from outside; how they reach the cores is not counted.
    """

    synaptic_operations: float
    active_updates: float
    inactive_updates: float
    hops: Hops
    input_spikes: float

    @property
    def updates(self) -> float:
        """Neuron updates per image, active and inactive."""
        return self.active_updates + self.inactive_updates


@dataclass(frozen=True)
class EnergyAccount:
    """Energy per image, computed with one table.

    Attributes:
        table: Name of the table that was used.
        estimated: The table belongs to another chip.
        synaptic: Energy of the synaptic operations in nJ.
        updates: Energy of the neuron updates in nJ.
        hops: Energy of spikes and hops in nJ.
        static_low: Least static energy of the chips in use in nJ.
        static_high: Largest static energy in nJ; equal to `static_low` where a single number is known.
        left_out: What has no public price and is not included.
    """

    table: str
    estimated: bool
    synaptic: Figure
    updates: Figure
    hops: Figure
    static_low: Figure
    static_high: Figure
    left_out: tuple[str, ...]

    @property
    def dynamic(self) -> Figure:
        """Energy of synapses, updates and hops in nJ; unknown unless synapses and updates are known."""
        if self.synaptic.value is None or self.updates.value is None:
            return Figure("dynamic", None, NJ, "NF", self.synaptic.source)
        return total("dynamic", NJ, (self.synaptic, self.updates, self.hops), self.table)

    @property
    def low(self) -> Figure:
        """Total energy with the least static power, in nJ."""
        return self._with(self.static_low)

    @property
    def high(self) -> Figure:
        """Total energy with the largest static power, in nJ."""
        return self._with(self.static_high)

    def _with(self, static: Figure) -> Figure:
        if self.dynamic.value is None or static.value is None:
            return Figure("total", None, NJ, "NF", self.table)
        return total("total", NJ, (self.dynamic, static), self.table)

    @property
    def static_share(self) -> tuple[float, float] | None:
        """(least, largest) static share of the total energy; None when the total is unknown."""
        low, high = self.low.value, self.high.value
        if low is None or high is None or not low or not high:
            return None
        return (self.static_low.value or 0.0) / low, (self.static_high.value or 0.0) / high


def accounts(work: Work, chip: Chip, table_of: Chip, chips: int, image_us: Figure) -> tuple[EnergyAccount, ...]:
    """The account with the chip's own table and, where that has no prices, a second one with another chip's table.

    Args:
        work: Operations per image.
        chip: The chip that the network runs on.
        table_of: The chip whose energies are borrowed (Loihi 1).
        chips: Number of chips in use.
        image_us: Time per image in µs.

    Returns:
        One account, or two where the first is unknown.
    """
    static = _static(chip.power, chips, image_us)
    own = _account(work, chip.energy, OWN.format(chip=chip.name), False, static)
    if own.dynamic.value is not None:
        return (own,)
    return own, _account(work, table_of.energy, BORROWED.format(chip=chip.name), True, static)


def _account(
    work: Work, table: EnergyTable, name: str, estimated: bool, static: tuple[Figure, Figure]
) -> EnergyAccount:
    synaptic = priced("synaptic operations", work.synaptic_operations, NJ, table.synaptic_operation_pj, "pJ", NJ_PER_PJ)
    parts = [
        priced("active", work.active_updates, NJ, table.neuron_update_active_pj, "pJ", NJ_PER_PJ),
        priced("inactive", work.inactive_updates, NJ, table.neuron_update_inactive_pj, "pJ", NJ_PER_PJ),
    ]
    updates = total("neuron updates", NJ, parts, "; ".join(dict.fromkeys(p.source for p in parts)))
    hops, left_out = _hops(work.hops, table)
    if estimated:
        # Two chips apart: a published price of one is an inferred one for the other.
        synaptic, updates, hops = (
            replace(f, status="I") if f.value is not None else f for f in (synaptic, updates, hops)
        )
    return EnergyAccount(name, estimated, synaptic, updates, hops, *static, left_out)


def _hops(hops: Hops, table: EnergyTable) -> tuple[Figure, tuple[str, ...]]:
    """Every packet on a chip is sent within a tile once, and crosses tiles after that [I].

    The value takes all prices from one table, Davies et al. The high end takes the price of SANA-FE for a message that
    leaves a core, which includes the look-up of its targets and was fitted together with other prices of neurons.
    """
    left_out = ["spikes of the input on their way to the cores"]
    on_chip = hops.packets - hops.between_chips
    sent = priced("spikes", on_chip, NJ, table.spike_within_tile_pj, "pJ", NJ_PER_PJ)
    leaving = priced("messages", on_chip, NJ, table.message_from_core_pj, "pJ", NJ_PER_PJ)
    if sent.value is not None and leaving.value is not None:
        source = f"{sent.source}; high end {leaving.source}"
        sent = replace(sent, source=source, high=max(sent.value, leaving.value))
    parts = [sent]
    if hops.hops_east_west is None or hops.hops_north_south is None:
        left_out.append("hops between tiles (the mesh is not public)")
    else:
        parts.append(priced("east-west", hops.hops_east_west, NJ, table.hop_east_west_pj, "pJ", NJ_PER_PJ))
        parts.append(priced("north-south", hops.hops_north_south, NJ, table.hop_north_south_pj, "pJ", NJ_PER_PJ))
    between = table.hop_between_chips_pj
    if between.known:
        parts.append(priced("between chips", hops.between_chips, NJ, between, "pJ", NJ_PER_PJ))
    elif hops.between_chips:
        left_out.append(f"{hops.between_chips:,.0f} packets between chips")
    source = "; ".join(dict.fromkeys(p.source for p in parts))
    if hops.mesh_assumed:
        source += "; tiles as on Loihi 1, an assumption"
    return total("spikes and hops", NJ, parts, source), tuple(left_out)


def _static(power: PowerTable, chips: int, image_us: Figure) -> tuple[Figure, Figure]:
    """mW · µs = nJ; the range is that of the time."""
    times = [t or 0.0 for t in (image_us.value, image_us.least, image_us.largest)]
    per = f"mW a chip × {chips} × {times[0]:.4g} µs"

    def energy(name: str, price: Quantity[float]) -> Figure:
        value, low, high = (priced(name, chips * t, NJ, price, per) for t in times)
        return replace(value, low=low.value, high=high.value)

    if power.static_mw.known:
        figure = energy("static", power.static_mw)
        return figure, figure
    return energy("static, least", power.idle_min_mw), energy("static, most", power.idle_max_mw)
