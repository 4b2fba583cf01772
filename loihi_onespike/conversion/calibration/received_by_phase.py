"""What has reached a layer by a given step, as values: the spikes that came so far."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, StagePlan

ALMOST = 1 - 1e-4
"""Values are levels up to the rounding of float32."""


def levels_received_by_phase(levels: torch.Tensor, plan: StagePlan, t: int) -> torch.Tensor:
    """Levels (N, *shape) in units of λ that a population has sent by phase t; 0 where the spike is still to come."""
    return F.hardshrink(levels, plan.code.levels()[min(t, plan.code.timesteps) - 1] * ALMOST)


def input_received_by_phase(values: Any, plan: InputPlan, t: int) -> Any:
    """The same of the input, in its own units: its first t bits, or the spikes so far.

    Args:
        values: a tensor or one sparse sample.
    """
    if isinstance(values, SparseSample):
        data = torch.from_numpy(values.matrix.data)
        return values.with_data(_of_input(data, values.at_entries(plan.scale), plan, t).numpy())
    return _of_input(values, np.asarray(plan.scale), plan, t)


def _of_input(values: torch.Tensor, scale: NDArray[np.floating], plan: InputPlan, t: int) -> torch.Tensor:
    one = torch.from_numpy(np.ascontiguousarray(scale)).to(values.dtype)
    if isinstance(plan.code, BinaryCode):
        return torch.floor(values / one * 2**t + (1 - ALMOST)) / 2**t * one
    return torch.where(values >= one * float(plan.code.levels()[t - 1]) * ALMOST, values, 0.0)
