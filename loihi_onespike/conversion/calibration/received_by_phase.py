"""Values of the spikes that have reached a layer by a given phase."""

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
    """Levels that a population has sent by phase t, in units of λ; 0 where the spike comes later.

    Args:
        levels: (N, *shape) levels that are sent in the whole window.
        plan: plan of the population.
        t: last phase that has passed.
    """
    return F.hardshrink(levels, plan.code.levels()[min(t, plan.code.timesteps) - 1] * ALMOST)


def input_received_by_phase(values: Any, plan: InputPlan, t: int) -> Any:
    """Part of the input that has been sent by phase t, in its own units: its first t bits, or the spikes so far.

    Args:
        values: values of the whole window, a tensor or one sparse sample.
        plan: plan of the input.
        t: last phase that has passed.
    """
    if isinstance(values, SparseSample):
        data = torch.from_numpy(values.matrix.data)
        return values.with_data(_of_input(data, values.at_entries(plan.scale), plan, t).numpy())
    return _of_input(values, np.asarray(plan.scale), plan, t)


def _of_input(values: torch.Tensor, scale: NDArray[np.floating], plan: InputPlan, t: int) -> torch.Tensor:
    one = torch.from_numpy(np.ascontiguousarray(scale)).to(values.dtype)
    return tensor_code(plan.code).arrived(values, one, t)
