"""What has reached a layer by a given step, as values: the spikes that came so far."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, StagePlan
from loihi_onespike.executors.float.tensor_codes import ALMOST, tensor_code


def levels_received_by_phase(levels: torch.Tensor, plan: StagePlan, t: int) -> torch.Tensor:
    """Levels (N, *shape) in units of λ that a population has sent by phase t; 0 where the spike is still to come.

    Args:
        levels: levels that are sent in the window.
        plan: plan of the population.
        t: phase.
    """
    return F.hardshrink(levels, plan.code.levels()[min(t, plan.code.timesteps) - 1] * ALMOST)


def input_received_by_phase(values: Any, plan: InputPlan, t: int) -> Any:
    """The same of the input, in its own units: its first t bits, or the spikes so far.

    Args:
        plan: plan of the input.
        t: phase.
        values: a tensor or one sparse sample.
    """
    if isinstance(values, SparseSample):
        data = torch.from_numpy(values.matrix.data)
        return values.with_data(_of_input(data, values.at_entries(plan.scale), plan, t).numpy())
    return _of_input(values, np.asarray(plan.scale), plan, t)


def _of_input(values: torch.Tensor, scale: NDArray[np.floating], plan: InputPlan, t: int) -> torch.Tensor:
    one = torch.from_numpy(np.ascontiguousarray(scale)).to(values.dtype)
    return tensor_code(plan.code).arrived(values, one, t)
