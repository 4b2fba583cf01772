"""Time of a step on a board, and with it the time of an image.

    step = max( synaptic operations, neuron updates, routing, barrier ),  each on its slowest core

for the steps of one period. In the pipeline an image takes the sum over a period; from end to end it takes as many
steps as its latency. Loads are means over images, so the time is that of a mean image. What is not public is left out
and listed: the time is then a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.energy.core_load import CoreLoad
from loihi_onespike.boards.energy.figures import Figure, loosest
from loihi_onespike.boards.mapping import Placement
from loihi_onespike.boards.specification.spec import Quantity, TimingTable

NS = 1e-9
PARTS = ("synaptic operations", "neuron updates", "routing", "barrier")


@dataclass(frozen=True, eq=False)
class StepTime:
    """Time of the steps of one period.

    Attributes:
        parts_ns: (period,) time in ns of each part of `PARTS` on its slowest core; None where the price is not public.
        prices: Prices that the parts were computed with.
        left_out: Parts that are not public and not included; unless this is empty, the time is a lower bound.
    """

    parts_ns: dict[str, NDArray[np.float64] | None]
    prices: tuple[Figure, ...]
    left_out: tuple[str, ...]

    @property
    def steps_ns(self) -> NDArray[np.float64]:
        """(period,) time of every step in ns: the longest of its parts."""
        known = [p for p in self.parts_ns.values() if p is not None]
        return np.maximum.reduce(known)

    @property
    def bound_by(self) -> str:
        """Name of the part that determines most of the time."""
        known = {name: p for name, p in self.parts_ns.items() if p is not None}
        times = self.steps_ns
        share = {name: float(times[p >= times].sum()) for name, p in known.items()}
        return max(share, key=lambda name: share[name])

    @property
    def image_s(self) -> float:
        """Time between two images in the pipeline, in s."""
        return float(self.steps_ns.sum()) * NS

    @property
    def status(self) -> str:
        """Status of the loosest price in use."""
        return loosest(self.prices)

    def latency_s(self, steps: int) -> float:
        """Time in s of so many steps of a filled pipeline, from the first input phase to the decision."""
        return float(np.resize(self.steps_ns, steps).sum()) * NS


def step_time(load: CoreLoad, placement: Placement) -> StepTime:
    """Compute the time of every step of the period from the chip's timing table.

    Args:
        load: Load of every core and step.
        placement: The cores, with their board.
    """
    timing = placement.board.chip.timing
    updates, update_prices = _updates(load, timing)
    routing, routing_price = _routing(load, timing)
    barrier, barrier_price = _barrier(load, placement, timing)
    operation = _price("synaptic operation", timing.synaptic_operation_ns)
    parts = {
        "synaptic operations": _times(load.synaptic_operations.max(axis=0), timing.synaptic_operation_ns),
        "neuron updates": updates,
        "routing": routing,
        "barrier": barrier,
    }
    prices = (operation, *update_prices, routing_price, barrier_price)
    left_out = tuple(name for name, value in parts.items() if value is None)
    return StepTime(parts, tuple(p for p in prices if p.value is not None), left_out)


def _updates(load: CoreLoad, timing: TimingTable) -> tuple[NDArray[np.float64] | None, tuple[Figure, ...]]:
    """Programmable neurons take a microcode pass in every step, fixed ones less when their window is over."""
    if timing.microcode_pass_ns.value is not None:
        neurons = load.active_updates + load.inactive_updates
        price = _price("neuron and microcode pass", timing.microcode_pass_ns)
        return _times(neurons.max(axis=0), timing.microcode_pass_ns), (price,)
    active, inactive = timing.neuron_update_active_ns, timing.neuron_update_inactive_ns
    prices = (_price("active neuron update", active), _price("inactive neuron update", inactive))
    if active.value is None or inactive.value is None:
        return None, prices
    per_core = load.active_updates * active.value + load.inactive_updates * inactive.value
    return per_core.max(axis=0), prices


def _routing(load: CoreLoad, timing: TimingTable) -> tuple[NDArray[np.float64] | None, Figure]:
    """The packets of the busiest core leave it one after the other [I]; hops overlap."""
    price = timing.spike_within_tile_ns
    return _times(load.packets_sent.max(axis=0), price), _price("spike sent by a core", price)


def _barrier(load: CoreLoad, placement: Placement, timing: TimingTable) -> tuple[NDArray[np.float64] | None, Figure]:
    """The longest one that is known: that between chips where several are used."""
    chosen = timing.barrier_max_ns
    if placement.chips > 1 and timing.barrier_between_chips_ns.known:
        chosen = timing.barrier_between_chips_ns
    return _times(np.ones(load.period), chosen), _price("barrier", chosen)


def _times(counts: NDArray[np.float64], price: Quantity[float]) -> NDArray[np.float64] | None:
    return None if price.value is None else counts * price.value


def _price(name: str, quantity: Quantity[float]) -> Figure:
    return Figure(name, quantity.value, "ns", quantity.status, quantity.source)
