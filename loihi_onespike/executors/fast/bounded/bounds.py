"""Bounds on the final potential of a population with a full wait, around one linear map in float32.

With a full wait only v(T), T = input steps, decides. Let r be the recursion without rounding and saturation,

    r(t) = Q_t r(t-1) + A_t,   r(0) = bias,   A_t = a_in(t) << input_shift,
    r(T) = gain_T · (bias + Σ_i w_i level_i 2^input_shift)                         one linear map of the levels.

**Rounding.** Each floor lowers v by δ in [0, 1), and by nothing where Q_t is a whole number: as long as nothing
saturates, v(t) = r(t) - e(t) with 0 ≤ e(t) ≤ G_t, G_t = Q_t G_(t-1) + [Q_t not whole].

**Saturation.** Let |A_t| ≤ A, the worst case of the weights. Then |r(t-1)| ≤ (|r(t)| + A) / Q_t, counted backwards from
the end, and |r(t)| ≤ Q_t |r(t-1)| + A, counted from the start (for one-spike inputs also ≤ gain_t (|bias| + A / Q_1)).
Nothing saturates if at every step one of these two bounds, plus G_t, stays below V_MAX; that is a limit on |r(T)|.

**Arithmetic.** A float32 sum of n products with rounded factors is off by at most (n + 4) u Σ|w x|, u = 2^-24, in any
order of the terms. Where this error is too large, levels are split into level = head + rest. The head has so few bits
that all partial sums of its products with integer weights stay below 2^24 and are exact; the rest is small, and so is
its error. Integer codes of an input are exact by themselves.

So v(T) / threshold lies within y ± slack, where slack is the sum of G_T / 2, the float error, and 1 / threshold for the
floor of θ(k), all in units of the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population
from loihi_onespike.executors.float.quantizer import parameters_by_place
from loihi_onespike.executors.float.threshold_lookup import ThresholdLookup

UNIT_ROUNDOFF = 2.0**-24
EXACT_BELOW = 2.0**24
"""Integers up to this value, and so all partial sums below it, are exact in float32."""
FINEST = 2.0**-12
"""Largest float error, in units of the threshold, for which levels are not split into head and rest."""

Real: TypeAlias = NDArray[np.float64]


@dataclass
class DecisionCounts:
    """How many neurons of a layer were decided in which way so far.

    Attributes:
        neurons: neurons decided in all.
        exact: neurons among them that the bounds left undecided and the exact recursion decided.
        breaches: batches that were computed again by the exact kernel because a potential was outside its interval.
    """

    neurons: int = 0
    exact: int = 0
    breaches: int = 0
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def add(self, neurons: int, exact: int, breaches: int) -> None:
        """Add the counts of one batch, from any thread.

        Args:
            neurons, exact, breaches: counts of the batch.
        """
        with self._lock:
            self.neurons += neurons
            self.exact += exact
            self.breaches += breaches


@dataclass(frozen=True, eq=False)
class Bounds:
    """Interval of the final potential: v(T) / threshold ∈ y ± slack with y = sum · factor + offset, where |y| ≤ limit.

    All arrays are broadcastable to the shape of the population, in units of its thresholds.

    Attributes:
        factor: y per unit of Σ weight · value.
        offset: y of an input of zero: bias, less half of what the floors take.
        slack: half the width of the interval.
        limit: largest |y| for which no step can have saturated; negative where there is none.
        unit: 1 / threshold.
    """

    factor: Real
    offset: Real
    slack: Real
    limit: Real
    unit: Real

    @classmethod
    def of(cls, p: Population, step: Real, largest: Real, error: Real, single: bool) -> Bounds:
        """Bounds of a population.

        Args:
            p: the population.
            step: largest |Σ w s| of one step.
            largest: largest Σ |w · value| of the whole input.
            error: float error of Σ w · value.
            single: every input sends one spike at most.
        """
        m, threshold = p.membrane, p.threshold.astype(np.float64)
        scaled = cls.factor_of(p)
        offset = m.bias * m.gain / threshold
        floors = _floors(m)
        rounding = error * scaled + 16 * UNIT_ROUNDOFF * (largest * scaled + np.abs(offset) + 1)
        slack = (floors[-1] / 2 + 1) / threshold + rounding
        limit = _limit(m, step * 2.0**m.input_shift, floors, single) / threshold - 2 * slack
        return cls(scaled, offset - floors[-1] / 2 / threshold, slack, limit, 1 / threshold)

    @staticmethod
    def factor_of(p: Population) -> Real:
        """Units of the threshold per unit of Σ weight · value."""
        return p.membrane.gain * 2.0**p.membrane.input_shift / p.threshold.astype(np.float64)

    @property
    def decidable(self) -> float:
        """Share of the neurons for which saturation can be excluded at all."""
        return float(np.mean(self.limit > 0))

    def laid_out(self, shape: tuple[int, ...], channels_last: bool) -> tuple[NDArray[np.float32], ...]:
        """factor, offset, slack, limit and unit in the layout of the kernels, (places or 1, channels) float32.

        The slack is rounded up, so that the intervals only grow.

        Args:
            shape: shape of the population.
            channels_last: the kernel holds the first axis of the shape last.
        """
        given = [self.factor, self.offset, self.slack, np.maximum(self.limit, -1.0), self.unit]
        common = np.broadcast_shapes(*(np.shape(a) for a in given))
        rows = [parameters_by_place(np.broadcast_to(a, common), shape, channels_last) for a in given]
        rows[2] = np.nextafter(rows[2], np.float32(np.inf))
        return tuple(rows)


def lookup_of(p: Population) -> ThresholdLookup | None:
    """Look-up of the thresholds of a population in units of its threshold factor; None where there is none."""
    negative, far = (None if table is None else table.gains() for table in (p.negative, p.far))
    return ThresholdLookup.of(p.table.gains(), negative, p.code.levels(), far)


def lowest_words(p: Population, channels_last: bool) -> NDArray[np.int16]:
    """Least word of each neuron of a population with one-sided neurons: 0 for these; (places or 1, channels).

    With a full wait all words are decided on the same v, and one below 0 reaches no threshold of a positive spike. So
    the words of one-sided neurons are those of the others, but for the negative ones.

    Args:
        p: a population with one-sided neurons.
        channels_last: the kernel holds the first axis of the shape last.
    """
    assert p.one_sided is not None
    lowest = np.where(p.one_sided, 0, -len(p.code.messages))
    return parameters_by_place(lowest, p.shape, channels_last).astype(np.int16)


def values_of_codes(pre: InputPopulation | Population, m: Membrane) -> Real:
    """What each code word adds to r(T) / gain_T per unit of weight: the sum of message / gain_t over its spikes."""
    levels = 1 / m.gains[1 : pre.timesteps + 1]
    codes = pre.code.words()
    return np.stack([pre.code.spikes(codes, t) for t in range(1, pre.timesteps + 1)], axis=1) @ levels


def _floors(m: Membrane) -> Real:
    """G_t, (input steps + 1,): the most by which the floors have lowered v at step t."""
    floors = [0.0]
    for mant in m.leak:
        floors.append(floors[-1] * mant / 2**LEAK_SHIFT + (mant % 2**LEAK_SHIFT != 0))
    return np.array(floors)


def _limit(m: Membrane, step: Real, floors: Real, single: bool) -> Real:
    """Largest |r(T)| with which no step can have saturated; negative where there is none.

    Args:
        step: A, largest |a_in| << input_shift.
        single: every input sends one spike at most.
    """
    gains = np.array(m.leak) / 2**LEAK_SHIFT
    bias = np.abs(m.bias.astype(np.float64))
    limit = np.asarray(V_MAX - floors[-1] - np.zeros_like(step) - np.zeros_like(bias))
    forward = np.asarray(bias + np.zeros_like(step))
    forwards = []
    for t, gain in enumerate(gains, 1):
        once = m.gains[t] * (bias + step / gains[0])
        forward = forward * gain + step
        forwards.append(np.minimum(forward, once) if single else forward)
    share, taken = 1.0, np.zeros_like(step)
    for t in range(len(gains) - 1, 0, -1):
        gain = gains[t]
        share, taken = share / gain, (taken + step) / gain
        allowed = (V_MAX - floors[t] - taken) / share
        limit = np.where(forwards[t - 1] + floors[t] <= V_MAX, limit, np.minimum(limit, allowed))
    return limit
