"""Plot of the time and energy of a network by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from loihi_onespike.analysis.plots.style import FAINT, NEUTRAL, PALETTE
from loihi_onespike.boards.energy.estimate import BoardEstimate

MAX_LAYERS = 60
"""Largest number of layers with a bar of their own; the last bar adds up the others."""


def profile_size(estimate: BoardEstimate) -> tuple[float, float]:
    """Figure size (width, height) in inches for three axes with one bar per layer."""
    return 11.0, max(0.24 * min(len(estimate.layers), MAX_LAYERS) + 1.4, 3.0)


def draw_profile(axes: Sequence[Axes], estimate: BoardEstimate) -> None:
    """Draw operations, time of the slowest core and dynamic energy by layer.

    Args:
        axes: three axes, side by side.
        estimate: estimate for a board.
    """
    layers = estimate.layers[:MAX_LAYERS]
    rest = estimate.layers[MAX_LAYERS:]
    names = [y.name for y in layers] + ([f"{len(rest)} more"] if rest else [])
    places = np.arange(len(names))

    def bars(values: Sequence[float], more: float) -> np.ndarray:
        return np.array([*values, more] if rest else values, np.float64)

    work, time, energy = axes
    operations = bars([y.synaptic_operations for y in layers], sum(y.synaptic_operations for y in rest))
    updates = bars([y.updates for y in layers], sum(y.updates for y in rest))
    work.barh(places - 0.2, operations, 0.4, color=PALETTE[0], label="synaptic operations")
    work.barh(places + 0.2, updates, 0.4, color=PALETTE[4], label="neuron updates")
    work.legend(fontsize=7, loc="lower right")
    work.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
    work.set_title("Work per image")
    slowest = bars([y.busiest_ns / 1e3 for y in layers], max((y.busiest_ns / 1e3 for y in rest), default=0.0))
    time.barh(places, slowest, 0.7, color=PALETTE[2])
    time.set_title("Slowest core in its slowest step")
    time.set_xlabel("µs")
    account = estimate.best_account
    known = [y.dynamic_nj or 0.0 for y in layers]
    if account.dynamic.value is None:
        energy.text(0.5, 0.5, "unknown", transform=energy.transAxes, ha="center", color=NEUTRAL)
    else:
        more = sum(y.dynamic_nj or 0.0 for y in rest)
        energy.barh(places, bars(known, more), 0.7, color=FAINT if account.estimated else PALETTE[1])
    energy.set_title("Dynamic energy" + (" (Loihi 1's table)" if account.estimated else ""))
    energy.set_xlabel("nJ")
    for i, one in enumerate(axes):
        one.set_ylim(len(names) - 0.4, -0.6)
        one.set_yticks(places, names if i == 0 else [""] * len(names))
