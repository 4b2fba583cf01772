"""Random networks on every executor that needs no board and no Lava: all must say what the oracle says, to the bit.

Network number n is always the same one. Lava runs random networks in tests/executors/lava.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

KIND = "networks"
"""Name beside those of the kinds of files."""
SHARES: tuple[dict[str, Any], ...] = ({}, {"payload": 60, "dips": 50}, {"products": 40})
"""Changes of the options of random networks, in turn."""


def examine(number: int) -> dict[str, Any]:
    """Run one network and say what differed, as the line that a child process prints.

    Args:
        number: number of the network.
    """
    start = time.perf_counter()
    try:
        wrong = _difference(number)
    except Exception as error:
        wrong = f"{type(error).__name__}: {str(error)[:500]}"
    seconds = time.perf_counter() - start
    return {"number": number, "accepted": not wrong, "seconds": seconds, "megabytes": 0.0, "wrong": wrong}


def _difference(number: int) -> str:
    from loihi_onespike.core.trace import first_difference
    from loihi_onespike.executors import reference
    from loihi_onespike.executors.fast.fast_executor import FastExecutor
    from loihi_onespike.executors.microcode import microcode_executor
    from netx_export.decode import decode
    from netx_export.encode import encode
    from netx_export.storage import image
    from tests.strategies import random_case

    network, codes = random_case(number, **SHARES[number % len(SHARES)])
    expected = reference.run(network, codes)
    fields = encode(network)
    again = decode(fields)
    if image(encode(again)) != image(fields):
        return "a file that is read and written again has other bytes"
    runs = {
        "fast by events": FastExecutor(network, events=True).run(codes),
        "fast without events": FastExecutor(network, events=False).run(codes),
        "microcode": microcode_executor.run(network, codes),
        "the oracle on the network of a file": reference.run(again, codes),
    }
    for name, found in runs.items():
        difference = first_difference(expected, found)
        if difference is not None or not np.array_equal(expected.output, found.output):
            return f"{name}: {difference or 'another output'}"
    one_by_one = [FastExecutor(network).run(codes[i : i + 1]).output for i in range(len(codes))]
    return "" if np.array_equal(np.concatenate(one_by_one), expected.output) else "one sample at a time differs"
