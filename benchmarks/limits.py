"""Lower bounds of the run time on this machine: counted operations and bytes divided by the speed of plain kernels.

The kernels are a matrix product in cache for multiplications, a copy of large arrays for bytes, and an addition of
16-bit arrays in cache on every thread for spikes. The time of an executor above its bound is the most that can still
be gained. `python -m benchmarks.speed` prints the bounds beside the measured times.
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
    """Multiply-accumulates, bytes moved and 16-bit additions per second with the present number of threads."""
    a, b = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)
    big, small, one = torch.zeros(COPIED // 4), np.zeros(LANES, np.int16), np.ones(LANES, np.int16)
    target = torch.empty_like(big)
    return {
        "mac": SIZE**3 / _best(lambda: a @ b, clock),
        "bytes": 2 * COPIED / _best(lambda: target.copy_(big), clock),
        "add16": torch.get_num_threads() * LANES / _best(lambda: np.add(small, one, out=small), clock, 2000),
    }


def _best(run: Callable[[], Any], clock: Callable[[], float], times: int = 8) -> float:
    """Smallest mean time of a run in seconds, over five measurements of several runs."""
    seconds = []
    for _ in range(5):
        start = clock()
        for _ in range(times):
            run()
        seconds.append((clock() - start) / times)
    return min(seconds)


def bounds(net: OneSpikeNetwork, x: np.ndarray, speed: Mapping[str, float]) -> dict[str, float]:
    """Lower bounds in seconds per image for the ANN, `float`, and `fast` with a full and with a short wait.

    ANN and `float` make every multiplication, and write and read every activation once. `fast` with a full wait also
    writes and reads the phases. With a short wait, the first layer makes its multiplications, and the others one
    addition per synaptic operation.

    Args:
        net: the network.
        x: inputs (N, …) whose spikes are counted.
        speed: from `machine`.
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
