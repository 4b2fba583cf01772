"""Rounding of weights to integers in which every weight compensates the errors of those rounded before it.

With w the real and q the rounded weights, the error of an output on the inputs of the calibration data is

    (w - q)ᵀ H (w - q),   H = covariance of the inputs of the row

The weights are rounded one after the other. After each, its error is distributed over the weights that are still real,
by the least-squares solution for this H (optimal brain surgeon with a fixed order of weights, arXiv 2210.17323,
section 3). The mean of the inputs is not part of H, since the bias corrects its effect.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.row_inputs import RowInputs
from loihi_onespike.conversion.quantization.integer_weights import nearest
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.threads import over_rows

Float = NDArray[np.float64]

DAMPING = 0.01
"""Share of the mean variance that is added to every variance."""
CHANCE = 0.1
"""Further share that is added, times the number of weights over that of samples: few samples give poor covariances."""


class Compensation:
    """Rounding with compensation for the weights of one stage; a `Rounding`.

    Args:
        rows: inputs of the weights by number of the link; weights of all other links are rounded to nearest.
        scales: λ of the inputs of each of these links, as `gathered_scale` gives it.
    """

    def __init__(self, rows: Mapping[int, RowInputs], scales: Mapping[int, Float]) -> None:
        self._rows, self._scales = rows, scales

    def __call__(self, link: int, weights: Float) -> Float:
        """Whole numbers for weights (O, I / groups, …) or (O, I) of a link, given in units of the integer grid.

        Args:
            link: number of the link among those of the stage.
            weights: real weights.
        """
        if link not in self._rows:
            return nearest(link, weights)
        rows = self._rows[link]
        scale = self._scales[link].reshape(rows.groups, -1)
        scale = np.repeat(scale, rows.inputs.shape[2] // scale.shape[1], axis=1)  # all taps of a channel have its λ
        in_levels = rows.covariance / (scale[:, :, None] * scale[:, None, :])
        grouped = weights.reshape(rows.groups, -1, scale.shape[1])
        return rounded_rows(grouped, in_levels, len(rows.inputs)).reshape(weights.shape)


def rounded_rows(weights: Float, covariances: Float, samples: int) -> Float:
    """Whole numbers (groups, rows, d) for weights, with covariances (groups, d, d) of their inputs.

    Args:
        weights: weights (groups, rows, d) in units of the integer grid.
        covariances: covariances (groups, d, d) of their inputs.
        samples: number of samples behind the covariances.
    """
    size = weights.shape[-1]
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    damping = (DAMPING + CHANCE * size / samples) * variances.mean(axis=1)
    damping = np.where(damping > 0, damping, 1.0)  # without any input all weights are rounded alone
    order = np.argsort(-variances, axis=1, kind="stable")  # large variances first, while many weights are left
    damped = np.take_along_axis(np.take_along_axis(covariances, order[:, :, None], 1), order[:, None, :], 2)
    damped += damping[:, None, None] * np.eye(size)
    moved = np.take_along_axis(weights, order[:, None, :], 2)
    over_rows(_compensate, moved.shape[0] * moved.shape[1], moved, inverse_factor(damped))
    whole = np.empty_like(moved)
    np.put_along_axis(whole, order[:, None, :], moved, 2)
    return whole


def inverse_factor(matrices: Float) -> Float:
    """Upper triangular R with RᵀR = H⁻¹ for positive definite H (groups, d, d).

    If J H J = L Lᵀ, where J reverses the order of rows or columns, then R = J L⁻¹ J.
    """
    lower = np.linalg.cholesky(matrices[:, ::-1, ::-1])
    inverses = np.stack([scipy.linalg.lapack.dtrtri(matrix, lower=1)[0] for matrix in lower])
    return np.ascontiguousarray(inverses[:, ::-1, ::-1])


@njit()
def _compensate(first, end, weights, factors):  # type: ignore[no-untyped-def]
    """Round rows first..end of (groups, rows, d), counted over all groups, in place and from left to right."""
    _, rows, size = weights.shape
    for i in range(first, end):
        row, factor = weights[i // rows, i % rows], factors[i // rows]
        for j in range(size):
            whole = np.rint(row[j])
            off = (row[j] - whole) / factor[j, j]
            row[j] = whole
            for k in range(j + 1, size):
                row[k] -= off * factor[j, k]
