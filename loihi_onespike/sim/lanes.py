"""Vector operations of LANES numbers for numba kernels.

Loops over a few lanes in compiled Python cost more in checks (do the arrays overlap, how many are left) than in work.
These are emitted as vector instructions of LLVM, which every target lowers to what it has.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from loihi_onespike.coding import LEAK_SHIFT, V_MAX, V_MIN

LANES = 16
"""Numbers per operation."""


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, lane: ir.Type) -> Any:
    """Pointer to LANES numbers of type `lane` from a flat index on."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(lane, LANES).as_pointer())


def _adder(subtract: bool) -> Any:
    def typed(typingctx: Any, total: Any, at: Any, weights: Any, first: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            wide = ir.VectorType(ir.IntType(32), LANES)
            target = _pointer(context, builder, signature.args[0], args[0], args[1], ir.IntType(32))
            source = _pointer(context, builder, signature.args[2], args[2], args[3], ir.IntType(16))
            row = builder.sext(builder.load(source, align=2), wide)
            old = builder.load(target, align=4)
            builder.store(builder.sub(old, row) if subtract else builder.add(old, row), target, align=4)
            return context.get_dummy_value()

        return types.void(total, types.intp, weights, types.intp), codegen

    return typed


add_lanes = intrinsic(_adder(subtract=False))
"""total[at : at + LANES] += weights[first : first + LANES]; flat int32 and int16 arrays."""
subtract_lanes = intrinsic(_adder(subtract=True))
"""total[at : at + LANES] -= weights[first : first + LANES]."""


def _constant(value: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(ir.IntType(32), LANES), [value] * LANES)


def _spread(builder: Any, value: Any) -> Any:
    """One int32 in all lanes."""
    vector = ir.VectorType(ir.IntType(32), LANES)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), _constant(0))


def _pinned(builder: Any, values: Any, low: Any, high: Any) -> Any:
    raised = builder.select(builder.icmp_signed("<", values, low), low, values)
    return builder.select(builder.icmp_signed(">", raised, high), high, raised)


@intrinsic
def integrate_lanes(typingctx: Any, v: Any, at: Any, total: Any, first: Any, mant: Any, shift: Any, limit: Any) -> Any:
    """v = saturate((v · mant >> 12) + (pin(total, ±limit) << shift)) for LANES neurons from v[at] and total[first] on.

    All int32; the product is taken in two halves, v = h · 2^12 + l: (v · mant) >> 12 = h · mant + (l · mant >> 12).
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], args[0], args[1], ir.IntType(32))
        source = _pointer(context, builder, signature.args[2], args[2], args[3], ir.IntType(32))
        old, gain, most = builder.load(place, align=4), _spread(builder, args[4]), _spread(builder, args[6])
        twelve = _constant(LEAK_SHIFT)
        upper = builder.mul(builder.ashr(old, twelve), gain)
        lower = builder.ashr(builder.mul(builder.and_(old, _constant(2**LEAK_SHIFT - 1)), gain), twelve)
        step = _pinned(builder, builder.load(source, align=4), builder.sub(_constant(0), most), most)
        new = builder.add(builder.add(upper, lower), builder.shl(step, _spread(builder, args[5])))
        builder.store(_pinned(builder, new, _constant(V_MIN), _constant(V_MAX)), place, align=4)
        return context.get_dummy_value()

    return types.void(v, types.intp, total, types.intp, types.int32, types.int32, types.int32), codegen


@intrinsic
def decide_lanes(typingctx: Any, sent: Any, at: Any, v: Any, theta: Any, first: Any, sign: Any, phase: Any) -> Any:
    """sent = phase where sent is 0 and sign · v ≥ theta, for LANES neurons from sent[at], v[at] and theta[first] on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lane = ir.IntType(32)
        place = _pointer(context, builder, signature.args[0], args[0], args[1], lane)
        potential = _pointer(context, builder, signature.args[2], args[2], args[1], lane)
        threshold = _pointer(context, builder, signature.args[3], args[3], args[4], lane)
        old = builder.load(place, align=4)
        value = builder.mul(builder.load(potential, align=4), _spread(builder, args[5]))
        reached = builder.icmp_signed(">=", value, builder.load(threshold, align=4))
        silent = builder.icmp_signed("==", old, _constant(0))
        new = builder.select(builder.and_(reached, silent), _spread(builder, args[6]), old)
        builder.store(new, place, align=4)
        return context.get_dummy_value()

    return types.void(sent, types.intp, v, theta, types.intp, types.int32, types.int32), codegen
