"""The threshold's two factors in registers: an entry of a table, and the limit that keeps the product in a register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.microcode.isa import Constant, Immediate, Op, Operand, Register
from loihi_onespike.microcode.program import ProgramBuilder
from loihi_onespike.microcode.spec import fits

LIMITED = Register("limited")
BEYOND_V = 2**24
"""A |θ| from here on decides by its sign alone: v has 24 bits."""


@dataclass(frozen=True)
class Factor:
    """mant and shift of one phase.

    Attributes:
        prefix: "" or "negative_".
        phase: k, in the names of the constants.
        only: the table has the same entry at every phase, the names go without k.
    """

    prefix: str
    phase: int
    only: bool
    mant: int
    shift: int

    @property
    def is_one(self) -> bool:
        """The factor leaves every threshold as it is."""
        return self.mant == 1 << self.shift

    def constants(self, builder: ProgramBuilder) -> tuple[Constant, Constant]:
        suffix = "" if self.only else f"_{self.phase}"
        return (
            builder.constant(f"{self.prefix}mant{suffix}", self.mant),
            builder.constant(f"{self.prefix}shift{suffix}", self.shift),
        )


def limit_threshold(
    builder: ProgramBuilder, threshold: Operand, values: NDArray[np.integer], factor: Factor
) -> Operand:
    """The threshold, or what may stand for it where θ = (threshold · mant) >> shift would not fit a register.

    Entries of phases that are never sent (mant 32767, shift 0) make such products. θ grows with |threshold|, so a
    threshold pinned to ±limit, with limit the first whose |θ| reaches 2^24, decides like the real one.

    Args:
        values: the thresholds of the population.
    """
    spec = builder.spec
    low, high = int(values.min()), int(values.max())
    products = sorted((low * factor.mant, high * factor.mant))
    # One bit less than a register, so that θ can be negated.
    if fits(products[0] >> factor.shift, products[1] >> factor.shift, spec.register_bits - 1):
        return threshold
    limit = -(-(BEYOND_V << factor.shift) // abs(factor.mant))
    if isinstance(threshold, (Constant, Immediate)):
        return builder.constant(f"{factor.prefix}threshold_{factor.phase}", int(np.clip(high, -limit, limit)))
    suffix = f"{factor.prefix}{factor.phase}"
    if high > limit:
        most = builder.constant(f"limit_{suffix}", limit)
        builder.emit(Op.MIN, threshold, most, out=LIMITED, note="a higher one decides alike")
        threshold = LIMITED
    if low < -limit:
        # Not LT and SEL: blocks of a dispatch leave c as it is.
        builder.emit(Op.NEG, threshold, out=LIMITED)
        builder.emit(Op.MIN, LIMITED, builder.constant(f"limit_{suffix}", limit), out=LIMITED)
        builder.emit(Op.NEG, LIMITED, out=LIMITED, note="a lower one decides alike")
        threshold = LIMITED
    return threshold
