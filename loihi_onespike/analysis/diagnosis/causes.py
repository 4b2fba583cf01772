"""The errors that a one-spike network makes; each can be switched off alone."""

from __future__ import annotations

from enum import Enum


class Cause(str, Enum):
    """Reason why the value that a population sends differs from the value of the ANN.

    z is the pre-activation, g = f(z) the exact value, and q(z) the value that the code sends for it.

    UNDERFLOW   g ≠ 0 lies below the last threshold, so no spike is sent and q = 0. Switched off: further levels
                follow below the last one, each smaller by the ratio of the last two.
    CLIPPING    |g| lies above the first level, and q is that level. Switched off: further levels follow above the
                first one, in the ratio of the first two. For an input in digits: values outside its range.
    ROUNDING    g lies between the first level and the last threshold and is sent as the nearest level. Switched off:
                such values are sent exactly.
    NOISE       spikes that are decided before the whole input has arrived, because the wait is shorter than the
                input: early, late, false and missing ones. Switched off: decisions on the whole input.
    WEIGHTS     weights are rounded to integers of `weight_bits`. Switched off: the weights of the ANN.
    HEADROOM    v is limited to 24 bits, and weights are coarser than `weight_bits` so that v fits. Switched off:
                neither of the two.
    """

    UNDERFLOW = "underflow"
    CLIPPING = "clipping"
    ROUNDING = "rounding"
    NOISE = "noise"
    WEIGHTS = "weights"
    HEADROOM = "headroom"


NAMES = {
    Cause.UNDERFLOW: "underflow",
    Cause.CLIPPING: "clipping",
    Cause.ROUNDING: "rounding",
    Cause.NOISE: "noise spikes",
    Cause.WEIGHTS: "integer weights",
    Cause.HEADROOM: "head-room of v",
}
"""Names of the causes in reports."""

ALL = frozenset(Cause)
OF_CODE = frozenset({Cause.UNDERFLOW, Cause.CLIPPING, Cause.ROUNDING})
"""Errors of the code; they change single values, so that no sum has to be computed again."""
OF_SUM = frozenset({Cause.WEIGHTS, Cause.HEADROOM})
"""Errors of the pre-activations, which are sums of weighted inputs."""
