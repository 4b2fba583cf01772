"""The arithmetic of the instructions under one `Semantics`: results, comparisons and products."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import V_BITS
from loihi_onespike.microcode.isa import Op
from loihi_onespike.microcode.microcode_spec import MicrocodeSpec
from loihi_onespike.microcode.semantics import Semantics

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]


def low_bits(values: IntArray, bits: int) -> IntArray:
    """The low bits of values, read with their sign."""
    return values << (64 - bits) >> (64 - bits)


def _saturated(values: IntArray, bits: int) -> IntArray:
    return np.clip(values, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


class Operations:
    """What the instructions compute.

    Args:
        semantics: how a core reads them.
        spec: widths that are not public.
    """

    def __init__(self, semantics: Semantics, spec: MicrocodeSpec) -> None:
        self.semantics, self.spec = semantics, spec
        cut = semantics.shl_bits
        shl: Callable[..., IntArray] = np.left_shift
        if cut is not None:
            shl = lambda a, n: low_bits(np.left_shift(a, n), cut)  # noqa: E731
        self.compute: dict[Op, Callable[..., IntArray]] = {
            Op.MOV: lambda a: a,
            Op.AND: np.bitwise_and,
            Op.OR: np.bitwise_or,
            Op.SHL: shl,
            Op.ADD: self._add,
            Op.NEG: np.invert if semantics.complement else np.negative,
            Op.MIN: lambda a, b: np.where(self._compared(Op.MIN, np.less, a, b), a, b),
        }
        less = np.less_equal if semantics.lt_or_equal else np.less
        greater = np.greater if semantics.ge_greater else np.greater_equal
        self.compare: dict[Op, Callable[..., Mask]] = {
            Op.LT: lambda a, b: self._compared(Op.LT, less, a, b),
            Op.GE: lambda a, b: self._compared(Op.GE, greater, a, b),
            Op.EQ: np.not_equal if semantics.eq_differs else np.equal,
        }

    def product(self, a: IntArray, b: IntArray) -> IntArray:
        """The product of MUL_SHR as it goes into the shift."""
        if self.semantics.factors == "unsigned":
            a, b = a & (2**V_BITS - 1), b & (2**V_BITS - 1)
        whole = np.multiply(a, b)
        if self.semantics.product == "kept":
            return whole
        keep = low_bits if self.semantics.product == "wraps" else _saturated
        return keep(whole, self.spec.register_bits)

    def shifted(self, product: IntArray, n: IntArray) -> IntArray:
        """product / 2^n, rounded as MUL_SHR does."""
        if self.semantics.rounding == "zero":
            return np.sign(product) * (np.abs(product) >> n)
        if self.semantics.rounding == "nearest":
            return (product + (np.left_shift(1, n) >> 1)) >> n
        return product >> n

    def select(self, c: Mask, a: IntArray, b: IntArray) -> IntArray:
        """The operand that SEL takes.

        Args:
            c: the flag of every neuron.
            a, b: operands.
        """
        return np.where(c != self.semantics.sel_exchanged, a, b)

    def _add(self, a: IntArray, b: IntArray) -> IntArray:
        whole = np.add(a, b)
        if self.semantics.add == "kept":
            return whole
        return (low_bits if self.semantics.add == "wraps" else _saturated)(whole, V_BITS)

    def _compared(self, op: Op, how: Callable[[IntArray, IntArray], Mask], a: IntArray, b: IntArray) -> Mask:
        if op in self.semantics.unsigned:
            mask = 2**self.spec.register_bits - 1
            return how(a & mask, b & mask)
        return how(a, b)
