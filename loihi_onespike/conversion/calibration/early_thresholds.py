"""Thresholds per word under a short wait.

With a wait shorter than the input, early phases are decided on part of it. A spike that the rest of the input would
have prevented cannot be taken back (a noise spike, paper section V-C2); a threshold that is too high delays spikes, and
a later spike has a smaller value. The best threshold of a phase balances the two errors; with payload, that of each of
its words. Since the table of thresholds has an entry per word anyway, thresholds of their own for the early phases need
no further memory.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.sent_levels import sides_of
from loihi_onespike.core.graphs.stage import StagePlan
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.threads import over_rows

FACTORS = np.array([0.7, 0.8, 0.9, 1.0, 1.05, 1.1, 1.15, 1.2, 1.27, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 5.0])
"""Factors that are tried on the threshold of an early phase."""
SWEEPS = 2
"""Passes over all early phases."""
VALUES = 12_000
"""Largest number of values that the thresholds are fitted to."""
CHUNKS = 16
"""Parts of the values whose errors are added up separately, so that sums do not depend on the number of threads."""


def fit_early_thresholds(
    parts: NDArray[np.float32], wanted: NDArray[np.float32], weight: NDArray[np.float32], plan: StagePlan
) -> StagePlan:
    """The plan with thresholds of least error for the early phases, one word after the other.

    Args:
        parts: (S, M) pre-activations at steps wait + 1 … T_in, in units of the threshold, bias and offset included.
        wanted: (M,) values to send, in units of λ relative to the value of no spike.
        weight: (M,) weight of the squared error: λ² of the neuron.
        plan: plan whose thresholds are fitted.
    """
    of_phase = plan.code.words_per_phase
    early = min(len(parts) - 1, plan.code.timesteps) * of_phase
    if parts.shape[1] > VALUES:
        chosen = np.linspace(0, parts.shape[1] - 1, VALUES).astype(np.int64)
        parts, wanted, weight = np.ascontiguousarray(parts[:, chosen]), wanted[chosen], weight[chosen]
    levels = plan.code.levels().astype(np.float32)
    table = plan.table.astype(np.float32)
    negative, far = (side.astype(np.float32) for side in sides_of(plan))
    sides = [(1.0, table, plan.table)] + ([] if plan.negative is None else [(-1.0, negative, plan.negative)])
    for _ in range(SWEEPS):
        for sign, entries, start in sides:
            for k in range(early - 1, -1, -1):
                if np.isfinite(start[k]):
                    tried = np.clip((start[k] * FACTORS).astype(np.float32), *_neighbours(entries, k, of_phase))
                    errors = np.zeros((CHUNKS, len(tried)))
                    over_rows(
                        _errors_of_word, CHUNKS, parts, wanted, weight, table, negative, far, levels, of_phase, k,
                        sign, tried, errors,
                    )  # fmt: skip
                    entries[k] = tried[int(errors.sum(axis=0).argmin())]
    fitted = replace(plan, table=_kept(table, plan.table, early))
    if plan.negative is None:
        return fitted
    return replace(fitted, negative=_kept(negative, plan.negative, early))


def _neighbours(entries: NDArray[np.float32], w: int, of_phase: int) -> tuple[np.float32, np.float32]:
    """Thresholds of the words beside index w in its phase, between which its own must lie; infinite for none."""
    low = entries[w + 1] if (w + 1) % of_phase else np.float32(-np.inf)
    return low, entries[w - 1] if w % of_phase else np.float32(np.inf)


def _kept(fitted: NDArray[np.float32], start: NDArray[np.float64], early: int) -> NDArray[np.float64]:
    """The fitted entries of the early phases, followed by the unchanged entries of the others."""
    return np.concatenate([fitted[:early].astype(np.float64), start[early:]])


@njit()
def _level_from(parts, table, negative, far, levels, of_phase, first, i):  # type: ignore[no-untyped-def]
    """Level that neuron i sends as word index `first` or later, negative for a negative spike, 0 for none."""
    last = parts.shape[0] - 1
    for k in range(first, levels.shape[0]):
        z = parts[min(k // of_phase, last), i]
        if z >= table[k]:
            return levels[k]
        if far[k] >= -z >= negative[k]:
            return -levels[k]
    return np.float32(0)


@njit()
def _errors_of_word(  # type: ignore[no-untyped-def]
    first, end, parts, wanted, weight, table, negative, far, levels, of_phase, k, sign, tried, errors
):
    """Add to errors (chunks, tried) those of each chunk for every threshold that is tried for word index k."""
    size = -(-parts.shape[1] // errors.shape[0])
    last = parts.shape[0] - 1
    for chunk in range(first, end):
        for i in range(chunk * size, min((chunk + 1) * size, parts.shape[1])):
            sent = False
            for j in range(k):
                z = parts[min(j // of_phase, last), i]
                if z >= table[j] or far[j] >= -z >= negative[j]:
                    sent = True
                    break
            if sent:
                continue
            z = parts[min(k // of_phase, last), i]
            other = levels[k] if sign < 0 and z >= table[k] else np.float32(0)
            if sign > 0 and far[k] >= -z >= negative[k]:
                other = -levels[k]
            if other == 0:
                other = _level_from(parts, table, negative, far, levels, of_phase, k + 1, i)
            waits = weight[i] * (other - wanted[i]) ** 2
            fires = weight[i] * (sign * levels[k] - wanted[i]) ** 2
            for f in range(tried.shape[0]):
                inside = sign * z >= tried[f] and (sign > 0 or -z <= far[k])
                errors[chunk, f] += fires if inside else waits
