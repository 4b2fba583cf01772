"""What the spikes of a planned population stand for: pre-activation → value of the spike, phase by phase.

A neuron decides about phase k on what has arrived by step wait + k. With parts z_1 … z_S, the pre-activation at steps
wait + 1 … T_in (S = 1 with a full wait), it sends the first phase k with

    z_min(k, S) ≥ threshold · table[k-1]        or, negatively,        -z_min(k, S) ≥ threshold · negative[k-1]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numba import njit, prange
from numpy.typing import NDArray

from loihi_onespike.ir.stage import StagePlan
from loihi_onespike.sim.quantizer import Quantizer

Float = NDArray[np.float64]


def carried(parts: Sequence[torch.Tensor], bias: Float, plan: StagePlan) -> torch.Tensor:
    """±λ · level for every neuron, 0 where it sends nothing; float32.

    Args:
        parts: S tensors (N, *shape).
        bias: added to every part, broadcastable to the shape.
    """
    threshold = torch.from_numpy(np.ascontiguousarray(plan.threshold)).float()
    scale = torch.from_numpy(np.ascontiguousarray(plan.scale)).float()
    relative = [(z + torch.from_numpy(np.ascontiguousarray(bias)).float()) / threshold for z in parts]
    if len(parts) == 1:
        quantizer = Quantizer(plan.table, plan.negative, plan.code.levels(), np.zeros(()), tuple(parts[0].shape[1:]))
        return quantizer(relative[0]).mul_(scale)
    stacked = torch.stack([r.contiguous() for r in relative]).numpy()
    levels = first_levels(stacked.reshape(len(parts), -1), plan)
    return torch.from_numpy(levels.reshape(stacked.shape[1:])).mul_(scale)


def first_levels(parts: NDArray[np.float32], plan: StagePlan) -> NDArray[np.float32]:
    """(M,) levels in units of λ of the spikes for parts (S, M) in units of the threshold."""
    never = np.full(plan.code.timesteps, np.inf)
    negative = never if plan.negative is None else plan.negative
    out = np.empty(parts.shape[1], np.float32)
    _first_levels(
        parts,
        plan.table.astype(np.float32),
        negative.astype(np.float32),
        plan.code.levels().astype(np.float32),
        out,
    )
    return out


def mean_levels(parts: Float, shift: Float, factor: Float, active_from: Float, plan: StagePlan) -> tuple[Float, Float]:
    """Mean level in units of λ, and share of samples whose last part is above -active_from, per channel: (C,) each.

    Args:
        parts: (S, C, n) pre-activations.
        shift: (C,) added to them.
        factor: (C,) threshold.
    """
    never = np.full(plan.code.timesteps, np.inf)
    negative = never if plan.negative is None else plan.negative
    return _mean_levels(parts, shift, factor, active_from, plan.table, negative, plan.code.levels())


@njit(cache=True, parallel=True)
def _mean_levels(parts, shift, factor, active_from, table, negative, levels):  # type: ignore[no-untyped-def]
    last, channels, samples = parts.shape[0] - 1, parts.shape[1], parts.shape[2]
    mean, active = np.zeros(channels), np.zeros(channels)
    for c in prange(channels):
        total, count = 0.0, 0
        for i in range(samples):
            count += parts[last, c, i] + active_from[c] > 0
            for k in range(levels.shape[0]):
                z = np.float32((parts[min(k, last), c, i] + shift[c]) / factor[c])
                if z >= table[k]:
                    total += levels[k]
                    break
                if -z >= negative[k]:
                    total -= levels[k]
                    break
        mean[c], active[c] = total / samples, count / samples
    return mean, active


@njit(cache=True, parallel=True)
def _first_levels(parts, table, negative, levels, out):  # type: ignore[no-untyped-def]
    last = parts.shape[0] - 1
    for i in prange(parts.shape[1]):
        value = np.float32(0)
        for k in range(levels.shape[0]):
            z = parts[min(k, last), i]
            if z >= table[k]:
                value = levels[k]
                break
            if -z >= negative[k]:
                value = -levels[k]
                break
        out[i] = value
