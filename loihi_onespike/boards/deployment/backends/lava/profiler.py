"""Readings of Lava's profiler after a run."""

from __future__ import annotations

from typing import Any

import numpy as np

ATTRIBUTES = (
    "power",
    "static_power",
    "dynamic_power",
    "vdd_power",
    "vddm_power",
    "vddio_power",
    "energy",
    "static_energy",
    "dynamic_energy",
    "num_alloc_chips",
    "num_available_chips",
)


def readings(profiler: Any) -> dict[str, float | None]:
    """Readings of a profiler as plain numbers.

    Args:
        profiler: Lava's profiler, after its run.

    Returns:
        Mean power in watts, energy in joules, numbers of chips, and the execution time in seconds; None for what this
        profiler does not provide.
    """
    found: dict[str, float | None] = {}
    for name in ATTRIBUTES:
        value = getattr(profiler, name, None)
        found[name] = None if value is None else float(np.mean(value))
    found["execution_time"] = float(np.sum(profiler.execution_time))
    return found
