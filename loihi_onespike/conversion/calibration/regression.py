"""Correction of weights by ridge regression: the SNN's pre-activations are fitted to the ANN's.

Let x be the inputs of a row of weights in the SNN, and r the pre-activation of the ANN less that of the SNN, both
relative to their means. The ridge regression

    ΔW = C_rx (C_xx + μ I)⁻¹

corrects the part of the error that depends linearly on x, which the codes of the preceding layers cause. μ is the value
with the least error in a cross-validation between the two halves of the data. If even this does not reduce the error
enough, the weights stay as they are. The bias corrects the means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.row_inputs import RowInputs
from loihi_onespike.core.graphs.stage import OutputStage, Stage
from loihi_onespike.core.maps import LinearMap
from loihi_onespike.executors.threads import over_shares

Float = NDArray[np.float64]
AnyStage = TypeVar("AnyStage", Stage, OutputStage, Stage | OutputStage)

STRENGTHS = (0.01, 0.1, 1.0)
"""Values that are tried for μ, relative to the mean variance of the inputs."""
LEAST_GAIN = 0.03
"""Share of the error in the cross-validation by which a correction must reduce it."""
MOST_WEIGHTS = 2400
"""Largest number of weights per row; beyond it the regression takes too long."""


def corrected(stage: AnyStage, rows: Mapping[int, RowInputs], missing: torch.Tensor) -> AnyStage:
    """The stage with corrected weights of one link: the first link whose correction reduces the error enough.

    Args:
        stage: stage whose weights are corrected.
        rows: inputs of the weights by number of the link, from `row_inputs_of`.
        missing: (N, *shape) pre-activation of the ANN less that of the SNN.
    """
    for i, seen in rows.items():
        link, size = stage.links[i], seen.inputs.shape[2]
        scale = _row_scale(seen.op, link.scale, len(stage.shape))
        if size > MOST_WEIGHTS or scale is None:
            continue
        change = fitted(seen, seen.outputs(missing))
        if change is not None:
            per_row = np.where(scale == 0, np.inf, scale).reshape(-1, *(1,) * (seen.op.weight.ndim - 1))
            weight = seen.op.weight + change.reshape(seen.op.weight.shape) / per_row
            links = list(stage.links)
            links[i] = replace(link, op=seen.op.with_weight(weight))
            return replace(stage, links=tuple(links))
    return stage


def fitted(rows: RowInputs, missing: torch.Tensor) -> Float | None:
    """Change of the weights, (groups, rows, d); None if it does not reduce the error by LEAST_GAIN.

    Args:
        rows: inputs of the weights.
        missing: (S, groups, rows) missing part of the outputs at the sampled places.
    """
    xx, xr = rows.moments, rows.products(missing)
    power = sum(float((missing[half] - missing[half].mean(dim=0)).double().square().sum()) for half in rows.halves)
    trials = [(strength, half) for strength in STRENGTHS for half in (0, 1)]

    def gain(trial: tuple[float, int]) -> float:
        strength, half = trial
        return _gain(solved(xx[half], xr[half], strength), xx[1 - half], xr[1 - half])

    gains = over_shares(gain, trials)
    errors = [power + gains[i] + gains[i + 1] for i in range(0, len(gains), 2)]
    best = int(np.argmin(errors))
    if not errors[best] < (1 - LEAST_GAIN) * power:
        return None
    return solved(xx[0] + xx[1], xr[0] + xr[1], STRENGTHS[best])


def solved(xx: Float, xr: Float, strength: float) -> Float:
    """ΔW of the ridge regression, (groups, rows, d).

    Args:
        xx: (groups, d, d) second moments of the inputs.
        xr: (groups, d, rows) second moments of inputs and missing outputs.
        strength: μ relative to the mean variance of the inputs.
    """
    size = xx.shape[1]
    damping = strength * np.trace(xx, axis1=1, axis2=2) / size
    damped = xx + np.where(damping > 0, damping, 1.0)[:, None, None] * np.eye(size)
    each = [scipy.linalg.solve(a, b, assume_a="pos", check_finite=False) for a, b in zip(damped, xr, strict=True)]
    return np.stack(each).transpose(0, 2, 1)


def _gain(change: Float, xx: Float, xr: Float) -> float:
    """Change of the squared error by this change of the weights; negative for an improvement."""
    return float(((change @ xx) * change).sum()) - 2 * float((change * xr.transpose(0, 2, 1)).sum())


def _row_scale(op: LinearMap, scale: Float, rank: int) -> Float | None:
    """Factor behind the map per row of weights, (O,); None if it differs between the places that share a row."""
    full = np.asarray(scale, np.float64)
    full = full.reshape((1,) * (rank - full.ndim) + full.shape)
    if any(full.shape[axis] > 1 for axis in op.output_shared_axes(rank)):
        return None
    return np.broadcast_to(full.ravel(), (len(op.weight),))
