"""When the neurons of a layer fire, over many images."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from loihi_onespike.analysis.plots.style import NEUTRAL
from loihi_onespike.core.graphs.network import Population


def draw_phases(axes: Axes, population: Population, phases: NDArray[np.integer], color: str) -> float:
    """Share of the neurons, in per cent, that fire at each phase; the share that sends nothing is written beside it.

    Phase k carries the level base^-k (or level k of a codebook) of its channel's
    scale, so large values stand on the left.

    Args:
        phases: (N, *shape) as in `LayerTrace.phases`.

    Returns:
        the largest share of a phase, to give several axes one scale.
    """
    timesteps = population.timesteps
    counts = np.bincount(np.abs(np.asarray(phases)).ravel(), minlength=timesteps + 1)
    silent, *share = 100 * counts / counts.sum()
    axes.bar(np.arange(1, timesteps + 1), share, color=color, width=0.85)
    axes.text(1, 0.97, f"{silent:.0f} % send no spike", ha="right", va="top", color=NEUTRAL, transform=axes.transAxes)
    axes.set_xticks(sorted({1, *(round(timesteps * part / 4) for part in (1, 2, 3, 4))} - {0}))
    axes.set_xlim(0.2, timesteps + 0.8)
    axes.set_title(f"{population.name}, base {population.code}", color=color)
    return float(max(share))
