"""Counting spikes for the commands that put a price on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loihi_onespike.cli.terminal.progress import ProgressBars

if TYPE_CHECKING:
    from loihi_onespike.api import OneSpikeNetwork
    from loihi_onespike.boards.energy.activity import Activity
    from loihi_onespike.data import Dataset

BATCH = 50
"""Images that are run together."""


def activity_on(net: OneSpikeNetwork, part: Dataset, bars: ProgressBars) -> Activity:
    """Spikes of a network on images, exactly counted."""
    from loihi_onespike.boards.energy.activity import Activity

    activity = Activity(net.network)
    for first in range(0, len(part), BATCH):
        activity.add(net.trace(part.images[first : first + BATCH]).layers)
        bars("count spikes", min(first + BATCH, len(part)), len(part))
    return activity
