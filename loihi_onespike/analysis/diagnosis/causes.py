"""The errors that a one-spike network makes, as switches that are turned off one at a time."""

from __future__ import annotations

from enum import Enum


class Cause(str, Enum):
    """Why a value that a population sends is not the value that the ANN has there.

    With z the pre-activation, g = f(z) the exact value, q(z) the value that the code sends for it:

    UNDERFLOW   no spike for g ≠ 0, which lies below the last threshold: q = 0. Off: levels below the last one, each
                smaller by the ratio of the last two.
    CLIPPING    |g| above the first level: q = that level. Off: levels above the first one, in the ratio of the first
                two. Of an input in binary code: values outside its range.
    ROUNDING    g between the first level and the last threshold, sent as the nearest level. Off: such values pass.
    NOISE       spikes decided on a part of the input, with a wait shorter than the input: early, late, false and
                missing ones. Off: the decision on the whole input.
    WEIGHTS     weights rounded to the integers of `weight_bits`. Off: the weights of the ANN.
    HEADROOM    v pinned at 24 bits, and weights coarser than `weight_bits` so that v fits. Off: neither.
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
"""Names for people."""

ALL = frozenset(Cause)
OF_CODE = frozenset({Cause.UNDERFLOW, Cause.CLIPPING, Cause.ROUNDING})
"""What the levels of the code cause: decided value by value, without summing again."""
OF_SUM = frozenset({Cause.WEIGHTS, Cause.HEADROOM})
