"""Vector (SIMD) operations on LANES numbers for numba kernels.

A loop over a few numbers that numba compiles spends more time on checks (whether the arrays overlap, how many numbers
are left) than on its work. These functions are emitted as vector instructions of LLVM, which LLVM translates into the
instructions of the processor.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, V_MIN

LANES = 16
"""Numbers per operation."""
INT32 = ir.IntType(32)
WIDE = ir.VectorType(INT32, LANES)


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Pointer to LANES numbers of a flat array from an index on."""
    data = context.make_array(array_type)(context, builder, array).data
    lanes = ir.VectorType(ir.IntType(array_type.dtype.bitwidth), LANES)
    return builder.bitcast(builder.gep(data, [index]), lanes.as_pointer())


def _load(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """LANES numbers, in the width of the array."""
    place = _place(context, builder, array_type, array, index)
    return builder.load(place, align=array_type.dtype.bitwidth // 8)


def _widened(builder: Any, values: Any) -> Any:
    return values if values.type == WIDE else builder.sext(values, WIDE)


@intrinsic
def simd_add(typingctx: Any, total: Any, at: Any, weights: Any, first: Any) -> Any:
    """total[at : at + LANES] += weights[first : first + LANES]; total int16 or int32, weights int16."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = _load(context, builder, signature.args[2], args[2], args[3])
        place = _place(context, builder, signature.args[0], args[0], args[1])
        size = signature.args[0].dtype.bitwidth // 8
        old = builder.load(place, align=size)
        row = row if row.type == old.type else builder.sext(row, old.type)
        builder.store(builder.add(old, row), place, align=size)
        return context.get_dummy_value()

    return types.void(total, types.intp, weights, types.intp), codegen


@intrinsic
def simd_add_product(typingctx: Any, total: Any, at: Any, weights: Any, first: Any, factor: Any) -> Any:
    """total[at : at + LANES] += factor · weights[first : first + LANES]; total int16 or int32, weights int16."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = _load(context, builder, signature.args[2], args[2], args[3])
        place = _place(context, builder, signature.args[0], args[0], args[1])
        size = signature.args[0].dtype.bitwidth // 8
        old = builder.load(place, align=size)
        row = row if row.type == old.type else builder.sext(row, old.type)
        one = args[4] if size == 4 else builder.trunc(args[4], old.type.element)
        many = builder.insert_element(ir.Constant(old.type, ir.Undefined), one, ir.Constant(INT32, 0))
        many = builder.shuffle_vector(many, ir.Constant(old.type, ir.Undefined), _constant(0))
        builder.store(builder.add(old, builder.mul(row, many)), place, align=size)
        return context.get_dummy_value()

    return types.void(total, types.intp, weights, types.intp, types.int32), codegen


def _constant(value: int) -> ir.Constant:
    return ir.Constant(WIDE, [value] * LANES)


def _spread(builder: Any, value: Any) -> Any:
    """A vector with one int32 in all lanes."""
    one = builder.insert_element(ir.Constant(WIDE, ir.Undefined), value, ir.Constant(INT32, 0))
    return builder.shuffle_vector(one, ir.Constant(WIDE, ir.Undefined), _constant(0))


def _pinned(builder: Any, values: Any, low: Any, high: Any) -> Any:
    raised = builder.select(builder.icmp_signed("<", values, low), low, values)
    return builder.select(builder.icmp_signed(">", raised, high), high, raised)


@intrinsic
def simd_integrate(typingctx: Any, v: Any, at: Any, total: Any, first: Any, mant: Any, shift: Any, limit: Any) -> Any:
    """v = saturate((v · mant >> 12) + (pin(total, ±limit) << shift)) for LANES neurons from v[at] and total[first] on.

    v int32, total int16 or int32; the product is taken in two halves, v = h · 2^12 + l:
    (v · mant) >> 12 = h · mant + (l · mant >> 12).
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature.args[0], args[0], args[1])
        old, gain, most = builder.load(place, align=4), _spread(builder, args[4]), _spread(builder, args[6])
        twelve = _constant(LEAK_SHIFT)
        upper = builder.mul(builder.ashr(old, twelve), gain)
        lower = builder.ashr(builder.mul(builder.and_(old, _constant(2**LEAK_SHIFT - 1)), gain), twelve)
        given = _widened(builder, _load(context, builder, signature.args[2], args[2], args[3]))
        step = _pinned(builder, given, builder.sub(_constant(0), most), most)
        new = builder.add(builder.add(upper, lower), builder.shl(step, _spread(builder, args[5])))
        builder.store(_pinned(builder, new, _constant(V_MIN), _constant(V_MAX)), place, align=4)
        return context.get_dummy_value()

    return types.void(v, types.intp, total, types.intp, types.int32, types.int32, types.int32), codegen


def _decision(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """The decision for the arrays of thresholds among the arguments: theta, theta and negative, or these and far."""
    place = _place(context, builder, signature.args[0], args[0], args[1])
    old, zero = builder.load(place, align=4), _constant(0)
    potential = _load(context, builder, signature.args[2], args[2], args[1])
    k = _spread(builder, args[-1])
    sides = range(3, len(args) - 2)
    theta, *others = (_load(context, builder, signature.args[i], args[i], args[-2]) for i in sides)
    up = builder.icmp_signed(">=", potential, theta)
    new = builder.select(up, k, zero)
    if others:
        depth = builder.sub(zero, potential)
        down = builder.icmp_signed(">=", depth, others[0])
        for far in others[1:]:
            down = builder.and_(down, builder.icmp_signed("<=", depth, far))
        new = builder.select(up, k, builder.select(down, builder.sub(zero, k), zero))
    new = builder.select(builder.icmp_signed("==", old, zero), new, old)
    builder.store(new, place, align=4)
    return context.get_dummy_value()


@intrinsic
def simd_decide(typingctx: Any, sent: Any, at: Any, v: Any, theta: Any, first: Any, word: Any) -> Any:
    """sent = word where sent is 0 and v ≥ theta, for LANES neurons from sent[at], v[at] and theta[first] on."""
    signature = types.void(sent, types.intp, v, theta, types.intp, types.int32)
    return signature, _decision


@intrinsic
def simd_decide_signed(
    typingctx: Any, sent: Any, at: Any, v: Any, theta: Any, negative: Any, first: Any, word: Any
) -> Any:
    """The same, and sent = -word where sent is 0, v < theta and -v ≥ negative[first]."""
    signature = types.void(sent, types.intp, v, theta, negative, types.intp, types.int32)
    return signature, _decision


@intrinsic
def simd_decide_dip(
    typingctx: Any, sent: Any, at: Any, v: Any, theta: Any, negative: Any, far: Any, first: Any, word: Any
) -> Any:
    """The same, and sent = -word where sent is 0, v < theta and negative[first] ≤ -v ≤ far[first]."""
    signature = types.void(sent, types.intp, v, theta, negative, far, types.intp, types.int32)
    return signature, _decision
