"""Plot of a Pareto front: loss over latency and over spikes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from loihi_onespike.analysis.plots.style import FAINT, NEUTRAL, PALETTE
from loihi_onespike.analysis.tuning import Front, NetworkFigures, Point

LOSS_TICKS = (-5, -2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Possible ticks of the loss axis in percentage points."""


def draw_front(axes: Sequence[Axes], front: Front) -> None:
    """Draw the accuracy loss over latency and over spikes per neuron.

    Points of the front show the loss on held-out images with the 95 % interval of their accuracy. All trials are
    shown in pale grey, and limits as dashed lines.

    Args:
        axes: two axes, side by side.
        front: result of the search.
    """
    wanted = front.limits
    kinds = (
        ("latency_steps", "latency in steps", wanted.latency_steps),
        ("spikes", "spikes per neuron and image", wanted.spikes),
    )
    for ax, (name, label, limit) in zip(axes, kinds, strict=True):
        ax.scatter(
            [getattr(m, name) for m in front.tried.values()],
            [m.loss_pp for m in front.tried.values()],
            s=8,
            color=FAINT,
            linewidths=0,
            label="trials, search images",
        )
        for two_sided, color in ((True, PALETTE[0]), (False, PALETTE[1])):
            points = [p for p in front.points if p.setting.two_sided is two_sided]
            _errorbars(ax, points, name, color, f"front, {'two' if two_sided else 'one'}-sided spikes")
        drawn = [ax.axvline(limit)] if limit is not None else []
        drawn += [ax.axhline(wanted.loss_pp)] if wanted.loss_pp is not None else []
        for line in drawn:
            line.set(color=NEUTRAL, linestyle="--", linewidth=0.8)
        if drawn:
            drawn[0].set_label("limits")
        ax.set_xlabel(label)
        ax.set_yscale("symlog", linthresh=1.0)  # otherwise distant trials would compress the front to a line
        low, high = ax.get_ylim()
        ax.set_yticks([tick for tick in LOSS_TICKS if low <= tick <= high])
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_locator(NullLocator())
    axes[0].set_ylabel("loss in percentage points\n(linear within ±1, logarithmic beyond)")
    found = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    handles, labels = list(found.values()), list(found)
    # Below both axes, where neither points nor error bars lie.
    axes[0].figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def _errorbars(ax: Axes, points: Sequence[Point], name: str, color: str, label: str) -> None:
    if not points:
        return
    measured: list[NetworkFigures] = [p.held_out for p in points]
    x = np.array([getattr(m, name) for m in measured], np.float64)
    loss = np.array([m.loss_pp for m in measured])
    ends = np.array([[100 * (m.ann_accuracy.value - end) for end in m.accuracy.interval[::-1]] for m in measured])
    ax.errorbar(
        x, loss, np.abs(ends.T - loss), fmt="o", color=color, markersize=4, capsize=2, linewidth=0.8, label=label
    )
