"""Weights fitted to the ANN's pre-activations on the inputs that the SNN really gives them, in closed form.

With x the inputs of a row of weights in the SNN and r what its pre-activation lacks to the ANN's, both about their
means, the ridge regression

    ΔW = C_rx (C_xx + μ I)⁻¹

takes back what the codes of the layers before did to directions of x that they always do it to. μ is the one that
does best on samples that it was not fitted to; where none gains enough there, the weights stay as they are. The means
are left to the bias.
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

Float = NDArray[np.float64]
AnyStage = TypeVar("AnyStage", Stage, OutputStage, Stage | OutputStage)

STRENGTHS = (0.01, 0.1, 1.0)
"""μ over the mean variance of the inputs."""
LEAST_GAIN = 0.03
"""Share of the error on other samples that a correction has to take away."""
MOST_WEIGHTS = 2400
"""Weights per row beyond which the regression takes too long for a laptop."""


def corrected(stage: AnyStage, rows: Mapping[int, RowInputs], missing: torch.Tensor) -> AnyStage:
    """The stage with corrected weights of one link, the first for which it pays.

    Args:
        stage: stage whose weights are corrected.
        rows: of its links, from `row_inputs_of`.
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
    """(groups, rows, d) change of the weights, None where it does not pay.

    Args:
        missing: (S, groups, rows) of the outputs at the places of the rows.
    """
    xx, xr = rows.moments, rows.products(missing)
    power = sum(float((missing[half] - missing[half].mean(dim=0)).double().square().sum()) for half in rows.halves)
    errors = []
    for strength in STRENGTHS:
        changes = [solved(xx[half], xr[half], strength) for half in (0, 1)]
        errors.append(power + sum(_gain(changes[half], xx[1 - half], xr[1 - half]) for half in (0, 1)))
    best = int(np.argmin(errors))
    if not errors[best] < (1 - LEAST_GAIN) * power:
        return None
    return solved(xx[0] + xx[1], xr[0] + xr[1], STRENGTHS[best])


def solved(xx: Float, xr: Float, strength: float) -> Float:
    """ΔW (groups, rows, d) for moments (groups, d, d) of the inputs and (groups, d, rows) with the outputs.

    Args:
        xx: moments of the inputs.
        xr: moments of inputs and outputs.
        strength: strength of the ridge penalty, relative to the mean variance of the inputs.
    """
    size = xx.shape[1]
    damping = strength * np.trace(xx, axis1=1, axis2=2) / size
    damped = xx + np.where(damping > 0, damping, 1.0)[:, None, None] * np.eye(size)
    each = [scipy.linalg.solve(a, b, assume_a="pos", check_finite=False) for a, b in zip(damped, xr, strict=True)]
    return np.stack(each).transpose(0, 2, 1)


def _gain(change: Float, xx: Float, xr: Float) -> float:
    """What this change of the weights adds to the squared error, negative where it helps."""
    return float(((change @ xx) * change).sum()) - 2 * float((change * xr.transpose(0, 2, 1)).sum())


def _row_scale(op: LinearMap, scale: Float, rank: int) -> Float | None:
    """(O,) factor behind the map onto a shape of that rank, None where it differs between places of a row."""
    full = np.asarray(scale, np.float64)
    full = full.reshape((1,) * (rank - full.ndim) + full.shape)
    if any(full.shape[axis] > 1 for axis in op.output_shared_axes(rank)):
        return None
    return np.broadcast_to(full.ravel(), (len(op.weight),))
