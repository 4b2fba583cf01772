"""Levels that a planned population sends for given pre-activations, under a full or a short wait.

A neuron decides on phase k after step wait + k. With parts z_1 … z_S, its pre-activation after steps
wait + 1 … T_in (S = 1 with a full wait), it sends the first word w, of phase k(w), with

    z_min(k, S) ≥ threshold · table[w-1]        or, negatively,        -z_min(k, S) ≥ threshold · negative[w-1]

where, in a population with a dip, also -z_min(k, S) ≤ threshold · far[w-1].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import StagePlan
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.float.quantizer import Quantizer, by_place, parameters_by_place
from loihi_onespike.executors.threads import over_rows

Float = NDArray[np.float64]


def sent_levels(parts: Sequence[torch.Tensor], bias: Float, plan: StagePlan) -> torch.Tensor:
    """Level that every neuron sends in units of λ, negative for a negative spike, 0 for none; (N, *shape) float32.

    Args:
        parts: S tensors (N, *shape) of pre-activations.
        bias: added to every part, broadcastable to the shape.
        plan: plan of the population.
    """
    shape, early = tuple(parts[0].shape[1:]), min(len(parts) - 1, plan.code.timesteps)
    table, negative = plan.table, plan.negative
    levels, offset, of_phase = plan.code.levels(), np.asarray(bias / plan.threshold), plan.code.words_per_phase
    threshold = torch.from_numpy(np.ascontiguousarray(plan.threshold)).float()
    later = [entries if entries is None else _from_word(entries, early * of_phase) for entries in (table, negative)]
    last = Quantizer(later[0], later[1], levels, offset, shape, plan.far, plan.one_sided)(  # type: ignore[arg-type]
        parts[-1] / threshold
    )
    if not early:
        return last
    below, ends = sides_of(plan)
    out, channels_last = by_place(last)
    factor, added, lowest = (
        parameters_by_place(np.asarray(a), shape, channels_last) for a in (1 / plan.threshold, offset, lowest_sum(plan))
    )
    for k in range(early - 1, -1, -1):  # backwards, so that the first spike stays
        seen, _ = by_place(_laid_out_as(parts[k], last))
        for w in range((k + 1) * of_phase - 1, k * of_phase - 1, -1):
            up, down, far, level = (np.float32(of_word[w]) for of_word in (table, below, ends, levels))
            over_rows(_decide, len(seen), seen.numpy(), factor, added, lowest, up, down, far, level, out.numpy())
    return last


def sides_of(plan: StagePlan) -> tuple[Float, Float]:
    """Near and far thresholds of negative spikes, (L,) each; infinite where there are none."""
    never = np.full(len(plan.table), np.inf)
    return never if plan.negative is None else plan.negative, never if plan.far is None else plan.far


def lowest_sum(plan: StagePlan) -> Float:
    """Pre-activation that decides in place of lower ones: 0 for one-sided neurons, which send nothing there."""
    return np.full((), -np.inf) if plan.one_sided is None else np.where(plan.one_sided, 0.0, -np.inf)


def _laid_out_as(part: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The tensor in the memory order of another one; for layers of one channel, sums come in either order."""
    return part if part.stride() == other.stride() else torch.empty_like(other).copy_(part)


def _from_word(entries: Float, first: int) -> Float:
    """The table with infinite first entries, since these words are decided on earlier parts."""
    return np.where(np.arange(len(entries)) < first, np.inf, entries)


@njit()
def _decide(first, end, z, factor, bias, lowest, up, down, far, level, out):  # type: ignore[no-untyped-def]
    """out = ±level where z · factor + bias, at least `lowest`, reaches a threshold.

    z and out have the shape (N, places, channels), parameters (places or 1, channels).
    """
    for n in range(first, end):
        for p in range(z.shape[1]):
            scale, offset = factor[p if factor.shape[0] > 1 else 0], bias[p if bias.shape[0] > 1 else 0]
            least = lowest[p if lowest.shape[0] > 1 else 0]
            for c in range(z.shape[2]):
                y = max(z[n, p, c] * scale[c] + offset[c], least[c])
                if y >= up:
                    out[n, p, c] = level
                elif far >= -y >= down:
                    out[n, p, c] = -level


def mean_sent_levels(
    parts: Float, shift: Float, factor: Float, lowest: Float, active_from: Float, plan: StagePlan
) -> tuple[Float, Float]:
    """Mean level in units of λ, and share of samples that are active, per channel: (C,) each.

    Args:
        parts: (S, C, n) pre-activations.
        shift: (C,) added to them before the comparison with the thresholds.
        factor: (C,) threshold of the channel.
        lowest: (C,) `lowest_sum` of the channel.
        active_from: (C,) a sample is active if its last part plus this is above 0.
        plan: plan of the population.
    """
    negative, far = sides_of(plan)
    mean, active = np.empty(parts.shape[1]), np.empty(parts.shape[1])
    over_rows(
        _mean_sent_levels, len(mean), parts, shift, factor, lowest, active_from, plan.table, negative, far,
        plan.code.levels(), plan.code.words_per_phase, mean, active,
    )  # fmt: skip
    return mean, active


@njit()
def _mean_sent_levels(  # type: ignore[no-untyped-def]
    first, end, parts, shift, factor, lowest, active_from, table, negative, far, levels, of_phase, mean, active
):
    """Nothing is sent of a part that is below all thresholds of its words, as of most parts; the others are few."""
    count, samples = parts.shape[0], parts.shape[2]
    begins = np.minimum(np.arange(count + 1) * of_phase, len(levels))
    begins[count] = len(levels)  # all later phases are decided on the last part
    least, least_down = np.full(count, np.inf), np.full(count, np.inf)
    for part in range(count):
        for k in range(begins[part], begins[part + 1]):
            least[part], least_down[part] = min(least[part], table[k]), min(least_down[part], negative[k])
    for c in range(first, end):
        total, alive = 0.0, 0
        for i in range(samples):
            alive += parts[count - 1, c, i] + active_from[c] > 0
            for part in range(count):
                z = np.float32(max((parts[part, c, i] + shift[c]) / factor[c], lowest[c]))
                level = 0.0
                if z >= least[part] or -z >= least_down[part]:
                    for k in range(begins[part], begins[part + 1]):
                        if z >= table[k]:
                            level = levels[k]
                            break
                        if far[k] >= -z >= negative[k]:
                            level = -levels[k]
                            break
                if level != 0:
                    total += level
                    break
        mean[c], active[c] = total / samples, alive / samples
