"""Independent check of a placement: everything is counted again from the network, in the plainest way.

It takes the placement from the mapper and none of its code: neurons are counted in arrays, synapses tap by tap and
place by place (`recount.py`).
"""

from __future__ import annotations

from math import prod

import numpy as np

from loihi_onespike.boards.mapping.placement import Placement
from loihi_onespike.boards.mapping.recount import Recount
from loihi_onespike.core.graphs.network import InputPopulation, Network


def check_placement(network: Network, placement: Placement) -> list[str]:
    """Find everything that is wrong with a placement.

    Every neuron must lie on exactly one core; a core holds one layer; chips and cores exist on the board; the words of
    state, synapses and axons, counted again, equal those that the placement states; no limit is exceeded.

    Args:
        network: The network.
        placement: The placement to check.

    Returns:
        One sentence per objection; empty when nothing is wrong.
    """
    return [*_neurons(network, placement), *_addresses(placement), *_limits(network, placement)]


def _neurons(network: Network, placement: Placement) -> list[str]:
    wrong = []
    expected = {p.name: p.shape for p in network.populations if not isinstance(p, InputPopulation)}
    for core in placement.cores:
        if core.layer not in expected:
            wrong.append(f"{core.layer}: is on a core but is not a population of the network that needs one")
    for name, shape in expected.items():
        times = np.zeros(shape, np.int64)
        for core in placement.cores:
            if core.layer != name:
                continue
            low, high = core.block.low, core.block.high
            if len(low) != len(shape) or any(not 0 <= a < b <= n for a, b, n in zip(low, high, shape, strict=True)):
                wrong.append(f"{name}: block {low} to {high} is not within the shape {shape}")
                continue
            times[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] += 1
        if np.any(times == 0):
            wrong.append(f"{name}: {int(np.sum(times == 0))} neurons lie on no core")
        if np.any(times > 1):
            wrong.append(f"{name}: {int(np.sum(times > 1))} neurons lie on several cores")
    return wrong


def _addresses(placement: Placement) -> list[str]:
    wrong = []
    chips, usable = placement.board.chips.value, placement.board.usable_cores_per_chip.value
    assert chips is not None and usable is not None
    holds: dict[tuple[int, int], str] = {}
    for core in placement.cores:
        place = (core.chip, core.core)
        if not 0 <= core.chip < chips:
            wrong.append(f"{core.layer}: chip {core.chip}, {placement.board.name} has chips 0 to {chips - 1}")
        if not 0 <= core.core < usable:
            wrong.append(f"{core.layer}: core {core.core} of chip {core.chip}, usable are 0 to {usable - 1}")
        if place in holds:
            wrong.append(f"{core.layer}: core {core.core} of chip {core.chip} holds a block of {holds[place]} already")
        holds[place] = core.layer
    return wrong


def _limits(network: Network, placement: Placement) -> list[str]:
    wrong = []
    counter = Recount(network, placement)
    limits = placement.board.chip.core
    for core in placement.cores:
        if core.layer not in network.by_name or isinstance(network.by_name[core.layer], InputPopulation):
            continue
        axons, synapses = counter.incoming(core)
        counted = {
            "neurons": prod(b - a for a, b in zip(core.block.low, core.block.high, strict=True)),
            "state_words": counter.state(core),
            "synapse_words": synapses,
            "axon_in_words": axons,
        }
        counted["axon_map_words"], counted["axon_mem_words"] = counter.outgoing(core)
        axon_limits = (limits.input_lists.value, limits.fan_out_edges.value)
        if any(limit is not None for limit in axon_limits):
            counted["input_lists"], counted["fan_out_edges"] = counter.lists_and_edges(core)
        where = f"{core.layer}: core {core.core} of chip {core.chip}"
        for resource, found in counted.items():
            stated = getattr(core.use, resource)
            if stated != found:
                wrong.append(f"{where}: {found} {resource} counted, {stated} stated")
        words = ("axon_in_words", "state_words", "synapse_words", "axon_map_words", "axon_mem_words")
        counted["total_words"] = sum(counted[k] for k in words)
        for resource, found in counted.items():
            limit = getattr(limits, resource).value
            if limit is not None and found > limit:
                wrong.append(f"{where}: requires {found} {resource}, limit {limit}")
    return wrong
