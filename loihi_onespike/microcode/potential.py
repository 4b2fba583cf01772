"""The potential of a neuron in its 24 bits: saturation, and the product of two sums."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.codes import V_BITS, V_MAX, V_MIN, signed_bits
from loihi_onespike.core.graphs.network import Product
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.microcode.isa import Field, Op, Place, Register
from loihi_onespike.microcode.microcode_spec import fits
from loihi_onespike.microcode.places import CLOCK, operand_of
from loihi_onespike.microcode.program import ProgramBuilder

PRODUCT = Register("v")


def saturate(builder: ProgramBuilder, wide: Register, v: Place) -> None:
    """Emit v = `core.codes.saturate_v` of a register.

    Args:
        builder: The program under construction.
        wide: The register.
        v: Where the result goes.
    """
    low = builder.constant("v_min", V_MIN)
    builder.emit(Op.MIN, wide, builder.constant("v_max", V_MAX), out=wide, note="saturate")
    builder.emit(Op.LT, wide, low)
    builder.emit(Op.SEL, low, wide, out=v)


def multiply(builder: ProgramBuilder, product: Product) -> None:
    """Emit v = saturate((first · second >> shift) + bias), in the register PRODUCT.

    The product of two numbers of 24 bits takes 48 bits with its sign; MUL_SHR keeps it until the shift. Where the
    shifted product might not fit into a register, a larger shift first tells whether it lies beyond ±2^24, where v
    saturates whatever the bias.

    Args:
        builder: The program under construction.
        product: Shift and bias.

    Raises:
        MicrocodeError: products are narrower than 48 bits.
    """
    spec = builder.spec
    if not fits(0, V_MIN * V_MIN, spec.product_bits):
        needed = signed_bits(V_MIN * V_MIN)
        raise MicrocodeError(
            f"{builder.name}: product_bits must be at least {needed} for the product of two factors of {V_BITS} bits, "
            f"got {spec.product_bits}; a core with less cannot run products of two activations"
        )
    first, second, shift = Field("first"), Field("second"), product.shift
    largest = V_MIN * V_MIN >> shift
    direct = fits(-largest + V_MIN, largest + V_MAX, spec.register_bits)
    if not direct:
        # The shift that leaves one bit free in a register, and a bound that is a constant.
        coarse = max(V_BITS * 2 - 2 - (spec.register_bits - 2), shift + V_BITS + 2 - spec.constant_bits)
        beyond = 1 << V_BITS + shift - coarse
        builder.emit(Op.MUL_SHR, first, second, builder.number("coarse", coarse), out=PRODUCT)
        builder.emit(Op.GE, PRODUCT, builder.number("beyond", beyond))
        builder.jump("above", "v saturates")
        builder.emit(Op.LT, PRODUCT, builder.number("below", -beyond))
        builder.jump("below", "v saturates")
    note = "product of both factors"
    builder.emit(Op.MUL_SHR, first, second, builder.number("product_shift", shift), out=PRODUCT, note=note)
    if np.any(product.bias):
        builder.emit(Op.ADD, PRODUCT, operand_of(builder, "bias", product.bias), out=PRODUCT)
    if np.any(product.bias) or largest > V_MAX:
        saturate(builder, PRODUCT, PRODUCT)
    if not direct:
        builder.emit(Op.EQ, CLOCK, CLOCK, note="always")
        builder.jump("multiplied")
        builder.label("above")
        builder.emit(Op.MOV, builder.constant("v_max", V_MAX), out=PRODUCT)
        builder.jump("multiplied")
        builder.label("below")
        builder.emit(Op.MOV, builder.constant("v_min", V_MIN), out=PRODUCT)
        builder.label("multiplied")
