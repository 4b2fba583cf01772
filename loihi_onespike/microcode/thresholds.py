"""The two factors of a threshold in registers: the table entry of a phase, and the limit of the product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import ThresholdTable
from loihi_onespike.microcode.isa import Constant, Immediate, Op, Operand, Register
from loihi_onespike.microcode.microcode_spec import fits
from loihi_onespike.microcode.program import ProgramBuilder

LIMITED = Register("limited")
BEYOND_V = 2**24
"""From this |θ| on, a decision depends only on the sign of θ, because v has 24 bits."""


@dataclass(frozen=True)
class Factor:
    """Mantissa and shift of one phase of the threshold table.

    Attributes:
        prefix: Prefix of the names of constants, "" or "negative_".
        phase: Phase k, part of the names of constants.
        only: The table has the same entry at every phase, and the names have no k.
        mant: Mantissa.
        shift: Right shift.
    """

    prefix: str
    phase: int
    only: bool
    mant: int
    shift: int

    @property
    def is_one(self) -> bool:
        """True when the factor leaves every threshold unchanged."""
        return self.mant == 1 << self.shift

    def constants(self, builder: ProgramBuilder) -> tuple[Constant, Constant]:
        """Mantissa and shift as shared constants of the program."""
        suffix = "" if self.only else f"_{self.phase}"
        return (
            builder.constant(f"{self.prefix}mant{suffix}", self.mant),
            builder.constant(f"{self.prefix}shift{suffix}", self.shift),
        )


def entries(table: ThresholdTable) -> list[tuple[int, int]]:
    """Mantissa and shift of every word of a table."""
    return list(zip(table.mant, table.shift, strict=True))


def limit_threshold(
    builder: ProgramBuilder, threshold: Operand, values: NDArray[np.integer], factor: Factor
) -> Operand:
    """The threshold, or a substitute where θ = (threshold · mant) >> shift would not fit into a register.

    Entries of phases that are never sent (mant 32767, shift 0) make such products. |θ| grows with |threshold|, so a
    threshold limited to ±limit, where limit is the first with |θ| ≥ 2^24, leads to the same decisions.

    Args:
        builder: The program under construction.
        threshold: The operand that holds the threshold.
        values: Thresholds of the population.
        factor: Factor of the phase.

    Returns:
        The operand to multiply with.
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
