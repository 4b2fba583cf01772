"""Bounds on the final potential of a population with a full wait, around one linear map in float32.

With a full wait only v(T), T = input steps, decides. Let r be the recursion without rounding and saturation,

    r(t) = Q_t r(t-1) + A_t,   r(0) = bias,   A_t = a_in(t) << input_shift,
    r(T) = gain_T · (bias + Σ_i w_i level_i 2^input_shift)                         one linear map of the levels.

**Rounding.** Each floor takes δ in [0, 1), and none where Q_t is a whole number: as long as nothing saturates,
v(t) = r(t) - e(t) with 0 ≤ e(t) ≤ G_t, G_t = Q_t G_(t-1) + [Q_t not whole].

**Saturation.** With |A_t| ≤ A, the worst case of the weights, |r(t-1)| ≤ (|r(t)| + A) / Q_t backwards, and forwards
|r(t)| ≤ Q_t |r(t-1)| + A (for one-spike inputs ≤ gain_t (|bias| + A / Q_1)). Nothing saturates where one of both
bounds, plus G_t, stays below V_MAX at every step; that is a limit on |r(T)|.

**Arithmetic.** A float32 sum of n products with rounded factors is off by at most (n + 4) u Σ|w x|, u = 2^-24, in
whatever order it is added. Where that is coarse, levels are split into level = head + rest with few bits in the head:
all partial sums of its products with integer weights are below 2^24 and exact, and the rest is small. Integer codes
of an input are exact by themselves.

So v(T) / threshold lies within y ± slack, where slack holds G/2, the float error and 1 / threshold for the floor of
θ(k).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population
from loihi_onespike.executors.float.quantizer import parameters_by_place

UNIT_ROUNDOFF = 2.0**-24
EXACT_BELOW = 2.0**24
"""Integers up to here, and so all partial sums that stay below, are exact in float32."""
FINEST = 2.0**-12
"""A float error beyond this share of the threshold is worth more arithmetic."""

Real: TypeAlias = NDArray[np.float64]


@dataclass
class Settled:
    """How the neurons of a layer were decided so far.

    Attributes:
        neurons: decided in all.
        exact: of these, by the exact recursion of a single neuron.
        breaches: batches that went to the exact kernel because arithmetic broke a bound.
    """

    neurons: int = 0
    exact: int = 0
    breaches: int = 0


@dataclass(frozen=True, eq=False)
class Bounds:
    """y = sum · factor + offset, v(T) / threshold ∈ y ± slack where |y| ≤ limit; broadcastable to the shape.

    Attributes:
        unit: 1 / threshold.
        limit: negative where no y excludes saturation on the way.
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
        """factor, offset, slack, limit and unit, (places or 1, channels) float32; bounds rounded to the safe side."""
        given = [self.factor, self.offset, self.slack, np.maximum(self.limit, -1.0), self.unit]
        common = np.broadcast_shapes(*(np.shape(a) for a in given))
        rows = [parameters_by_place(np.broadcast_to(a, common), shape, channels_last) for a in given]
        rows[2] = np.nextafter(rows[2], np.float32(np.inf))
        return tuple(rows)


def values_of_codes(pre: InputPopulation | Population, m: Membrane) -> Real:
    """What each code or phase adds to r(T) / gain_T per unit of weight: Σ over its spikes of 1 / gain_t."""
    levels = 1 / m.gains[1 : pre.timesteps + 1]
    codes = pre.code.words()
    return np.stack([pre.code.spikes(codes, t) for t in range(1, pre.timesteps + 1)], axis=1) @ levels


def _floors(m: Membrane) -> Real:
    """(input steps + 1,) G_t: the most that the floors take from v until step t."""
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
