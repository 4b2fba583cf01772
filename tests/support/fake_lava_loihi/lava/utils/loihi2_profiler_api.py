"""The profiler that `lava.utils.profiler` finds."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.runtime.runtime import Runtime

STEP_S = 5e-6
CHIPS_THERE, CHIPS_USED = 8, 1
STATIC_W = 1.28
"""Of the whole board: 0.16 W a chip."""
DYNAMIC_W, SHORT_DYNAMIC_W = 0.025, -0.004
SHORT_STEPS = 2000


class Loihi2HWProfiler:
    def __init__(self, run_cfg: Any) -> None:
        self.run_cfg, self.steps, self.energy_steps, self.runs = run_cfg, 0, 0, 0
        start = Runtime.start

        def counted(runtime: Runtime, condition: Any) -> None:
            self.runs += 1
            if self.runs > 1:
                raise RuntimeError("a profiler serves one run")
            start(runtime, condition)

        Runtime.start = counted

    def execution_time_probe(self, num_steps: int, **options: Any) -> None:
        assert not self.runs, "probes come before the run"
        self.steps = num_steps

    def energy_probe(self, num_steps: int) -> None:
        assert not self.runs, "probes come before the run"
        self.energy_steps = num_steps

    @property
    def execution_time(self) -> np.ndarray:
        assert self.runs == 1 and self.steps
        return np.full(self.steps, STEP_S)

    @property
    def power(self) -> float:
        assert self.runs == 1 and self.energy_steps
        return STATIC_W + (DYNAMIC_W if self.energy_steps >= SHORT_STEPS else SHORT_DYNAMIC_W)

    @property
    def static_power(self) -> float:
        return STATIC_W

    @property
    def energy(self) -> float:
        return self.power * STEP_S * self.steps

    num_alloc_chips = CHIPS_USED
    num_available_chips = CHIPS_THERE
