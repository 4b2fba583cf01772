"""Rounding of weights to integers in which every weight compensates the errors of those rounded before it.

With w the real and q the rounded weights, the error of an output on the inputs of the calibration data is

    (w - q)ᵀ H (w - q),   H = covariance of the inputs of the row

The weights are rounded one after the other. After each, its error is distributed over the weights that are still real,
by the least-squares solution for this H (optimal brain surgeon with a fixed order of weights, arXiv 2210.17323,
section 3). The mean of the inputs is not part of H, since the bias corrects its effect.

Where synapses have a price (`pruning.py`), a weight becomes 0 if that costs less error than the synapse is worth. With
R the factor of H⁻¹, w_j² / R_jj² is the error that removing w_j adds when the weights behind it compensate for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.pruning import Removed, SynapseLimits, over_taps
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
        limits: below which errors a synapse is removed, by number of the link; links without an entry keep all.
    """

    def __init__(
        self,
        rows: Mapping[int, RowInputs],
        scales: Mapping[int, Float],
        limits: Mapping[int, SynapseLimits] | None = None,
    ) -> None:
        self._rows, self._scales, self._limits = rows, scales, limits or {}
        self.removed: list[Removed] = []

    def __call__(self, link: int, weights: Float, unit: Float) -> Float:
        """Whole numbers for weights (O, I / groups, …) or (O, I) of a link, given in units of the integer grid.

        Args:
            link: number of the link among those of the stage.
            weights: real weights.
            unit: what 1 is worth in the sum of the neuron, broadcastable to the weights.
        """
        if link not in self._rows:
            return nearest(link, weights, unit)
        rows = self._rows[link]
        size = rows.inputs.shape[2]
        scale = over_taps(self._scales[link], rows.groups, size)
        in_levels = rows.covariance / (scale[:, :, None] * scale[:, None, :])
        grouped = weights.reshape(rows.groups, -1, size)
        limits = self._limits.get(link)
        if limits is None:
            return rounded_rows(grouped, in_levels, len(rows.inputs)).reshape(weights.shape)
        most = limits.errors(grouped.shape, unit)
        chance = unseen_error(size, len(rows.inputs))
        whole, gone, added = pruned_rows(grouped, in_levels, len(rows.inputs), most / chance)
        if gone.any():  # otherwise chance may be infinite
            added = chance * added
        self.removed.append(limits.removed(gone, added, unit))
        return whole.reshape(weights.shape)


def unseen_error(weights: int, samples: int) -> float:
    """Error on new data of d weights that compensate for another one, over that on the n samples they are fitted to.

        (n / (n - d))²

    as of a linear regression, whose error is (1 - d / n) of the noise on its samples and n / (n - d) of it on others;
    infinite where there are no more samples than weights.

    Args:
        weights: d.
        samples: n.
    """
    return (samples / (samples - weights)) ** 2 if samples > weights else np.inf


def rounded_rows(weights: Float, covariances: Float, samples: int) -> Float:
    """Whole numbers (groups, rows, d) for weights, with covariances (groups, d, d) of their inputs.

    Args:
        weights: weights (groups, rows, d) in units of the integer grid.
        covariances: covariances (groups, d, d) of their inputs.
        samples: number of samples behind the covariances.
    """
    return pruned_rows(weights, covariances, samples, np.zeros_like(weights))[0]


def pruned_rows(
    weights: Float, covariances: Float, samples: int, limits: Float
) -> tuple[Float, NDArray[np.bool_], Float]:
    """Whole numbers as of `rounded_rows`, some of them 0 where that adds little, and the error that these add.

    Args:
        weights: weights (groups, rows, d) in units of the integer grid.
        covariances: covariances (groups, d, d) of their inputs.
        samples: number of samples behind the covariances.
        limits: (groups, rows, d) squared errors below which a weight becomes 0, in these units.

    Returns:
        Whole numbers (groups, rows, d), which of them were removed, and the squared errors (groups, rows) that this
        adds to the sums.
    """
    size = weights.shape[-1]
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    damping = (DAMPING + CHANCE * size / samples) * variances.mean(axis=1)
    damping = np.where(damping > 0, damping, 1.0)  # without any input all weights are rounded alone
    order = np.argsort(-variances, axis=1, kind="stable")  # large variances first, while many weights are left
    damped = np.take_along_axis(np.take_along_axis(covariances, order[:, :, None], 1), order[:, None, :], 2)
    damped += damping[:, None, None] * np.eye(size)
    moved = np.take_along_axis(weights, order[:, None, :], 2)
    most = np.take_along_axis(limits, order[:, None, :], 2)
    removed, added = np.zeros(moved.shape, np.bool_), np.zeros(moved.shape[:2])
    over_rows(_compensate, added.size, moved, inverse_factor(damped), most, removed, added)
    whole, gone = np.empty_like(moved), np.empty_like(removed)
    np.put_along_axis(whole, order[:, None, :], moved, 2)
    np.put_along_axis(gone, order[:, None, :], removed, 2)
    return whole, gone, added


def inverse_factor(matrices: Float) -> Float:
    """Upper triangular R with RᵀR = H⁻¹ for positive definite H (groups, d, d).

    If J H J = L Lᵀ, where J reverses the order of rows or columns, then R = J L⁻¹ J.
    """
    lower = np.linalg.cholesky(matrices[:, ::-1, ::-1])
    inverses = np.stack([scipy.linalg.lapack.dtrtri(matrix, lower=1)[0] for matrix in lower])
    return np.ascontiguousarray(inverses[:, ::-1, ::-1])


@njit()
def _compensate(first, end, weights, factors, limits, removed, added):  # type: ignore[no-untyped-def]
    """Round rows first..end of (groups, rows, d), counted over all groups, in place and from left to right.

    Which weights are removed goes into `removed`, and the errors that this adds to the rows into `added`.
    """
    _, rows, size = weights.shape
    for i in range(first, end):
        row, factor, limit = weights[i // rows, i % rows], factors[i // rows], limits[i // rows, i % rows]
        for j in range(size):
            whole = np.rint(row[j])
            more = (row[j] ** 2 - (row[j] - whole) ** 2) / factor[j, j] ** 2
            if whole != 0 and more < limit[j]:
                whole = 0.0
                removed[i // rows, i % rows, j] = True
                added[i // rows, i % rows] += more
            off = (row[j] - whole) / factor[j, j]
            row[j] = whole
            for k in range(j + 1, size):
                row[k] -= off * factor[j, k]
