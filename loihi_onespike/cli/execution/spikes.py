"""Counting of spikes, for the commands that estimate time and energy."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from loihi_onespike.cli.terminal.progress import ProgressBars

if TYPE_CHECKING:
    from loihi_onespike.api import OneSpikeNetwork
    from loihi_onespike.boards.energy.activity import Activity
    from loihi_onespike.core.trace import Trace
    from loihi_onespike.data import Dataset

BATCH = 50
"""Largest number of images that are run together."""
VALUES = 2**27
"""Largest number of values, of all neurons and images, that are kept at a time."""


def activity_on(net: OneSpikeNetwork, part: Dataset, bars: ProgressBars) -> Activity:
    """Exact counts of the spikes of a network on images.

    Args:
        net: the network.
        part: the images.
        bars: shows the progress.
    """
    from loihi_onespike.boards.energy.activity import Activity

    activity = Activity(net.network)
    neurons = sum(prod(population.shape) for population in net.network.populations)
    step = max(1, min(BATCH, VALUES // neurons))
    for first in range(0, len(part), step):
        activity.add(net.count_trace(part.images[first : first + step]).layers)
        bars("count spikes", min(first + step, len(part)), len(part))
    return activity


def trace_on(net: OneSpikeNetwork, part: Dataset, bars: ProgressBars) -> Trace:
    """Spikes of a network on images, all of them kept.

    Args:
        net: the network.
        part: the images.
        bars: shows the progress.
    """
    import numpy as np

    from loihi_onespike.core.trace import LayerTrace, Trace

    parts = []
    for first in range(0, len(part), BATCH):
        parts.append(net.trace(part.images[first : first + BATCH]))
        bars("record spikes", min(first + BATCH, len(part)), len(part))
    layers = {name: LayerTrace.joined([p.layers[name].compact() for p in parts]) for name in parts[0].layers}
    return Trace(layers, np.concatenate([p.output for p in parts]))
