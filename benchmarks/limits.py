"""What the work itself would cost on this machine: operations and bytes counted, over the speed of plain kernels.

Lower bounds, not models: a matrix product in cache for multiplications, a copy of large arrays for bytes, an addition
of 16-bit arrays in cache, on every thread, for spikes. What an executor takes beyond its bound is what there is left
to win at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from loihi_onespike.api import OneSpikeNetwork

SIZE, LANES, COPIED = 1024, 2**16, 2**25
FLOAT_BYTES, PHASE_BYTES = 4, 2


def machine(clock: Callable[[], float]) -> dict[str, float]:
    """Multiply-accumulates, bytes moved and 16-bit additions per second; threads as they are set."""
    a, b = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)
    big, small, one = torch.zeros(COPIED // 4), np.zeros(LANES, np.int16), np.ones(LANES, np.int16)
    target = torch.empty_like(big)
    return {
        "mac": SIZE**3 / _best(lambda: a @ b, clock),
        "bytes": 2 * COPIED / _best(lambda: target.copy_(big), clock),
        "add16": torch.get_num_threads() * LANES / _best(lambda: np.add(small, one, out=small), clock, 2000),
    }


def _best(run: Callable[[], Any], clock: Callable[[], float], times: int = 8) -> float:
    """Seconds of one run, the least of five measurements of some."""
    seconds = []
    for _ in range(5):
        start = clock()
        for _ in range(times):
            run()
        seconds.append((clock() - start) / times)
    return min(seconds)


def bounds(net: OneSpikeNetwork, x: np.ndarray, speed: Mapping[str, float]) -> dict[str, float]:
    """Least seconds per image of the ANN, of `float`, and of `fast` with a full and with a short wait.

    ANN and `float`: every multiplication, every activation written once and read once. `fast`, full wait: the same,
    and phases written and read. Short wait: the input layer as a map, one addition per synaptic operation behind it.
    """
    macs: Mapping[str, int] = net.network.facts["ann_macs"]  # type: ignore[assignment]
    neurons = sum(int(np.prod(p.shape)) for p in net.network.hidden)
    real = sum(macs.values()) / speed["mac"] + 2 * FLOAT_BYTES * neurons / speed["bytes"]
    phases = 2 * PHASE_BYTES * neurons / speed["bytes"]
    counted = net.evaluate(x, np.zeros(len(x), np.int64))
    first = sum(macs[s.name] for s in net.network.synapses if s.pre == net.network.input.name)
    of_input = counted.spikes_per_neuron[net.network.input.name] * first
    additions = (counted.synaptic_operations - of_input) / speed["add16"]
    return {"ANN": real, "float": real, "fast, full wait": real + phases, "fast, spikes": additions + phases}
