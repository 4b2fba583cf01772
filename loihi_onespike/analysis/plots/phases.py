"""Plot of the phases at which the neurons of a layer fire."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from loihi_onespike.analysis.plots.style import NEUTRAL
from loihi_onespike.core.graphs.network import Population


def draw_phases(axes: Axes, population: Population, words: NDArray[np.integer], color: str) -> float:
    """Draw the share of neurons, in per cent, that fire at each phase, and write the share that sends no spike.

    Phase k stands for base^-k (or for level k of a codebook, or its levels with payload) times the scale of the
    channel, so large values are on the left.

    Args:
        axes: axes to draw into.
        population: the layer.
        words: code words (N, *shape) as in `LayerTrace.words`.
        color: colour of the bars.

    Returns:
        The largest share of a phase in per cent, so that several axes can have the same scale.
    """
    timesteps = population.timesteps
    counts = np.bincount(population.code.phase_of(words).ravel(), minlength=timesteps + 1)
    silent, *share = 100 * counts / counts.sum()
    axes.bar(np.arange(1, timesteps + 1), share, color=color, width=0.85)
    axes.text(1, 0.97, f"{silent:.0f} % send no spike", ha="right", va="top", color=NEUTRAL, transform=axes.transAxes)
    axes.set_xticks(sorted({1, *(round(timesteps * part / 4) for part in (1, 2, 3, 4))} - {0}))
    axes.set_xlim(0.2, timesteps + 0.8)
    axes.set_title(f"{population.name}, base {population.code}", color=color)
    return float(max(share))
