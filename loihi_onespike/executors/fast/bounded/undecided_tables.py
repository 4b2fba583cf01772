"""Tables of the synapse groups for `undecided_kernel.decide_exactly`, which computes single neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.executors.fast.code_bits import code_bits
from loihi_onespike.executors.fast.event.event_kernel import PLACES, SOURCE
from loihi_onespike.executors.fast.event.event_tables import EventTables, Inputs, gather_of
from loihi_onespike.executors.fast.event.windowed_map import WindowedMap


def exact_tables(inputs: Inputs, taps: list[WindowedMap], events: EventTables) -> tuple[NDArray[Any], ...]:
    """gather, table, places, rows and weights of all groups, one behind the other.

    gather (group, place, channel) is the input, places and rows (group, output place, tap) are input place and row of
    weights, table has the columns that `undecided_kernel` names, and weights are int16 (row, output channel, input
    channel), so that those of one neuron lie side by side.

    Args:
        inputs: groups of synapses and the populations that they read.
        taps: windowed map of every group.
        events: tables of the same groups for the event-driven kernel.
    """
    table, weights, offset = [], [], 0
    for s, ((synapse, pre), tap) in enumerate(zip(inputs, taps, strict=True)):
        rows = (tap.weights << synapse.weight_exp).swapaxes(1, 2)
        _, per_group, channels = rows.shape
        bits = code_bits(pre.code)
        places, source = int(events.groups[s, PLACES]), int(events.groups[s, SOURCE])
        out_places, count = tap.places.shape
        table.append(
            [
                places,
                channels,
                count,
                per_group,
                channels // tap.groups,
                offset,
                bits,
                source,
                out_places,
            ]
        )
        weights.append(rows.astype(np.int16).ravel())
        offset += rows.size
    return (
        np.concatenate([gather_of(s, pre, t).ravel() for (s, pre), t in zip(inputs, taps, strict=True)]),
        np.array(table, np.int64),
        np.concatenate([t.places.ravel() for t in taps]),
        np.concatenate([np.ascontiguousarray(t.rows).ravel() for t in taps]),
        np.concatenate(weights),
    )
