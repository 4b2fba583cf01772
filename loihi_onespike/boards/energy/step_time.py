"""Time of a step on a board, and with it the time of an image.

    work = max( synaptic operations, neuron updates, routing ),  each on its slowest core
    step = work + barrier         where the chip's table says so (Loihi 1)
    step = max( work, barrier )   a lower bound, the form of arXiv 2601.10035 (Loihi 2)

for the steps of one period. In the pipeline an image takes the sum over a period; from end to end it takes as many
steps as its latency. Loads are means over images, so the time is that of a mean image. What is not public is left out
and listed: the time is then a lower bound.

The range goes from the least prices, with the parts of the work side by side, to the largest ones, with the parts of a
core one after the other and the barrier behind them. A barrier over several chips is at least one over one chip, and at
most that of the smallest machine with as many chips for which it is known; the time is that of the high end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.energy.core_load import CoreLoad
from loihi_onespike.boards.energy.figures import Figure, loosest
from loihi_onespike.boards.mapping import Placement
from loihi_onespike.boards.specification.spec import Quantity, TimingTable

NS = 1e-9
BARRIER = "barrier"
PARTS = ("synaptic operations", "neuron updates", "routing", BARRIER)
Times = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StepTime:
    """Time of the steps of one period.

    Attributes:
        parts_ns: (period,) time in ns of each part of `PARTS` on its slowest core; None where the price is not public.
        rule: "sum" or "max", how the barrier joins the work (`TimingTable.step`).
        low_ns: (period,) low end of the time of every step in ns.
        high_ns: (period,) high end.
        prices: Prices that the parts were computed with.
        left_out: Parts that are not public and not included; unless this is empty, the time is a lower bound.
    """

    parts_ns: dict[str, Times | None]
    rule: str
    low_ns: Times
    high_ns: Times
    prices: tuple[Figure, ...]
    left_out: tuple[str, ...]

    @cached_property
    def steps_ns(self) -> Times:
        """(period,) time of every step in ns."""
        work = [p for name, p in self.parts_ns.items() if p is not None and name != BARRIER]
        return _joined(np.maximum.reduce(work), self.parts_ns[BARRIER], self.rule)

    @property
    def bound_by(self) -> str:
        """Name of the part that determines most of the time."""
        known = {name: p for name, p in self.parts_ns.items() if p is not None}
        longest = np.maximum.reduce(list(known.values()))
        share = {name: float(longest[p >= longest].sum()) for name, p in known.items()}
        return max(share, key=lambda name: share[name])

    @property
    def image_s(self) -> float:
        """Time between two images in the pipeline, in s."""
        return float(self.steps_ns.sum()) * NS

    @property
    def status(self) -> str:
        """Status of the loosest price in use."""
        return loosest(self.prices)

    def figure(self, name: str, unit: str, value: Callable[[Times], float]) -> Figure:
        """A figure of the time, with its range.

        Args:
            name: What the figure is.
            unit: Its unit.
            value: Computes it from the time of the steps of a period in ns.
        """
        source = "; ".join(f"{p.name} {p.source}" for p in self.prices)
        ends = sorted((value(self.low_ns), value(self.high_ns)))
        return Figure(name, value(self.steps_ns), unit, self.status, source, *ends)


def step_time(load: CoreLoad, placement: Placement) -> StepTime:
    """Compute the time of every step of the period from the chip's timing table.

    Args:
        load: Load of every core and step.
        placement: The cores, with their board.
    """
    timing = placement.board.chip.timing
    barrier = barrier_of(placement.chips, timing)
    ends = {end: work_of_cores(load, timing, end) for end in ("value", "least", "largest")}
    of_barrier = {end: None if (b := getattr(barrier, end)) is None else np.full(load.period, b) for end in ends}
    side_by_side = {
        end: {name: None if p is None else p.max(axis=0) for name, p in parts.items()} for end, parts in ends.items()
    }
    low = [p for p in side_by_side["least"].values() if p is not None]
    high = [p for p in ends["largest"].values() if p is not None]
    quantities = {
        "spike at a synapse": timing.synaptic_operation_ns,
        **_update_prices(timing),
        "spike sent by a core": timing.spike_within_tile_ns,
    }
    parts = {**side_by_side["value"], BARRIER: of_barrier["value"]}
    prices = (*(_price(name, q) for name, q in quantities.items()), barrier)
    return StepTime(
        parts,
        timing.step,
        _joined(np.maximum.reduce(low), of_barrier["least"], timing.step),
        _joined(np.sum(high, axis=0).max(axis=0), of_barrier["largest"], "sum"),
        tuple(p for p in prices if p.value is not None),
        tuple(name for name in PARTS if parts[name] is None),
    )


def _joined(work: Times, barrier: Times | None, rule: str) -> Times:
    if barrier is None:
        return work
    return work + barrier if rule == "sum" else np.maximum(work, barrier)


def work_of_cores(load: CoreLoad, timing: TimingTable, end: str = "value") -> dict[str, Times | None]:
    """(cores, period) times in ns of the parts of the work.

    Programmable neurons take a microcode pass in every step, fixed ones less when their window is over. The packets of
    a core leave it one after the other [I]; hops overlap.

    Args:
        load: Load of every core and step.
        timing: Timing table of the chip.
        end: Which prices of their range: "value", "least" or "largest".

    Returns:
        The times of each part of `PARTS` but the barrier; None where the price is not public.
    """
    prices = {name: getattr(quantity, end) for name, quantity in _update_prices(timing).items()}
    updates: Times | None
    if len(prices) == 1:
        (each,) = prices.values()
        updates = (load.active_updates + load.inactive_updates) * each
    elif None in prices.values():
        updates = None
    else:
        active, inactive = prices.values()
        updates = load.active_updates * active + load.inactive_updates * inactive
    operation, sent = getattr(timing.synaptic_operation_ns, end), getattr(timing.spike_within_tile_ns, end)
    return {
        "synaptic operations": None if operation is None else load.synaptic_operations * operation,
        "neuron updates": updates,
        "routing": None if sent is None else load.packets_sent * sent,
    }


def _update_prices(timing: TimingTable) -> dict[str, Quantity[float]]:
    if timing.microcode_pass_ns.known:
        return {"neuron and microcode pass": timing.microcode_pass_ns}
    return {
        "active neuron update": timing.neuron_update_active_ns,
        "inactive neuron update": timing.neuron_update_inactive_ns,
    }


def barrier_of(used: int, timing: TimingTable) -> Figure:
    """The longest barrier of so many chips in ns, and its range.

    Args:
        used: Number of chips in use.
        timing: Times of the chip.
    """
    one = _price(BARRIER, timing.barrier_max_ns)
    least = timing.barrier_min_ns.value
    if used == 1:
        return replace(one, low=one.value if least is None else least)
    chips, times = timing.barrier_chips.value, timing.barrier_of_chips_ns.value
    if not chips or not times:
        return Figure(BARRIER, None, "ns", "NF", f"not public for {used} chips")
    enough = [n for n, of in enumerate(chips) if of >= used]
    chosen = enough[0] if enough else len(chips) - 1
    known = f"{times[chosen]:,.0f} ns known for {chips[chosen]:,} chips, used for {used:,}"
    low = times[chosen] if chips[chosen] <= used else one.value
    source = f"{known}: {timing.barrier_of_chips_ns.source}"
    return Figure(BARRIER, times[chosen], "ns", timing.barrier_of_chips_ns.status, source, low, times[chosen])


def _price(name: str, quantity: Quantity[float]) -> Figure:
    ranged = f"; {quantity.least} to {quantity.largest}: {quantity.range_source}" if quantity.range_source else ""
    source = f"{quantity} ns: {quantity.source}{ranged}" if quantity.known else quantity.source
    return Figure(name, quantity.value, "ns", quantity.status, source, quantity.low, quantity.high)
