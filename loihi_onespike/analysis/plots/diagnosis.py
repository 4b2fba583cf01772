"""Plot of a diagnosis: one stacked bar per layer."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from loihi_onespike.analysis.diagnosis.causes import NAMES, Cause
from loihi_onespike.analysis.diagnosis.report.diagnosis_report import Diagnosis
from loihi_onespike.analysis.plots.style import PALETTE

MAX_LAYERS = 60
"""Largest number of bars; of more layers those with the largest losses are drawn."""
MARGIN = 1.05
"""Width of the axis over the longest bar, so that its end can be seen."""
COLORS = dict(zip(Cause, PALETTE, strict=True))


def diagnosis_size(found: Diagnosis) -> tuple[float, float]:
    """Figure size (width, height) in inches for the number of layers."""
    return 9.5, max(0.24 * min(len(found.layers), MAX_LAYERS) + 1.4, 3.0)


def draw_diagnosis(axes: Axes, found: Diagnosis) -> None:
    """Draw the error that every cause makes alone, in per cent of the network's error, stacked by layer.

    A mark shows the error that all causes of the layer make together; it differs from the end of the bar where causes
    interact.
    """
    kept = {y.name for y in found.ranked[:MAX_LAYERS]}
    layers = [y for y in found.layers if y.name in kept]
    places, left = np.arange(len(layers)), np.zeros(len(layers))
    for cause in Cause:
        values = np.array([100 * found.share(y.losses[cause].alone) if cause in y.losses else 0.0 for y in layers])
        if values.any():
            axes.barh(places, values, 0.7, left=left, color=COLORS[cause], label=NAMES[cause])
        left += values
    together = [100 * found.share(y.total.alone) for y in layers]
    axes.plot(together, places, ls="", marker="|", ms=9, mew=1.6, color="black", label="all of the layer together")
    axes.set_yticks(places, [y.name for y in layers])
    axes.set_ylim(len(layers) - 0.4, -0.6)
    axes.set_xlim(0, MARGIN * max([*left, *together, 1e-9]))
    axes.set_xlabel(
        "% of the network's error, each cause alone\n"
        "(causes act on each other: a stack may end before or behind the mark, and all stacks may exceed 100 %)"
    )
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    hidden = f", {len(found.layers) - len(layers)} small ones left out" if len(layers) < len(found.layers) else ""
    axes.set_title(f"{found.network}: loss by layer and cause, {found.images} images{hidden}")
