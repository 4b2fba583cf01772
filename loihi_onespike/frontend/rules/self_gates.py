"""Products of an activation with a function of itself, which are activations: x · sigmoid(x) is SiLU.

Models write SiLU, GELU, Hardswish and Mish as such products, and exporters of ONNX replace the modules by them. Both
factors are elementwise functions of one value, so their product is one too. It is compared with the known activations
at many values; nothing depends on the order or the constants with which it was written.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import DippedActivation, Gelu, Hardswish, Mish, Sigmoid, Silu
from loihi_onespike.core.graphs.ann import Activate, Add, Affine, AnnOp, Multiply
from loihi_onespike.frontend.tracing.builder import GraphBuilder, Value
from loihi_onespike.frontend.tracing.site import Site

Float = NDArray[np.float64]

PROBES = np.linspace(-9.0, 9.0, 361)
"""Values at which functions are compared."""
ALIKE = 1e-6
"""Largest difference of functions that count as equal, relative to the largest value at the probes."""
DIGITS = 12
"""Decimals of a factor; those behind them are rounding errors of the comparison."""
MOST_OPERATIONS, REACH = 24, 12
"""Number of operations that are looked at in front of a product, and how many of them in a row."""
DIPPED: tuple[DippedActivation, ...] = (Gelu(), Gelu("tanh"), Hardswish(), Mish())
"""Functions that are looked for besides SiLU, whose beta is that of the sigmoid in the product."""


def self_gated(site: Site, a: Value, b: Value) -> tuple[Value, float, DippedActivation] | None:
    """x, c and f with a · b = c · f(x), or None where the product is not of this form.

    Args:
        site: operation that is lowered.
        a, b: the factors.
    """
    if a.shape != b.shape:
        return None
    for root in _origins(site.builder, a):
        parts: dict[str, Float | None] = {root.node: PROBES}
        with np.errstate(all="ignore"):  # a function that overflows at the probes is none of those below
            left, right = (_composed(site.builder, value, parts) for value in (a, b))
        if left is None or right is None:
            continue
        product = left * right
        if not np.isfinite(product).all():
            continue
        for function in (*_silus(site.builder, (a, b)), *DIPPED):
            wanted = function.value(PROBES)
            factor = float(product[-1] / wanted[-1])
            if factor and np.abs(product - factor * wanted).max() <= ALIKE * np.abs(product).max():
                return root, round(factor, DIGITS), function
    return None


def _elementwise(op: AnnOp | None) -> bool:
    """Whether an operation applies one function to the numbers at every place."""
    if isinstance(op, Affine):
        return all(bool((part == part.flat[0]).all()) for part in (op.scale, op.shift))
    return isinstance(op, Activate | Add | Multiply)


def _origins(builder: GraphBuilder, value: Value) -> list[Value]:
    """The value and those that it is computed from by elementwise operations, the nearest first."""
    found = [value]
    for one in found:
        op, inputs = builder.read(one)
        if _elementwise(op) and len(found) < MOST_OPERATIONS:
            found += [before for before in inputs if before not in found]
    return found


def _composed(builder: GraphBuilder, value: Value, parts: dict[str, Float | None], reach: int = REACH) -> Float | None:
    """A value for the probes in place of its origin; None where it depends on anything else.

    Args:
        builder: graph under construction.
        value: the value.
        parts: what is known of other nodes, to which this one is added; that of the origin are the probes.
        reach: number of operations that are looked back.
    """
    if value.node in parts:
        return parts[value.node]
    op, inputs = builder.read(value)
    given = [_composed(builder, one, parts, reach - 1) for one in inputs] if _elementwise(op) and reach else []
    known = [z for z in given if z is not None]
    parts[value.node] = _applied(op, known) if known and len(known) == len(given) else None
    return parts[value.node]


def _applied(op: AnnOp | None, given: list[Float]) -> Float:
    match op:
        case Activate(function=function):
            return function.value(given[0])
        case Affine(scale=scale, shift=shift):
            return scale.flat[0] * given[0] + shift.flat[0]
        case Add():
            return np.sum(given, axis=0)
    return given[0] * given[1]


def _silus(builder: GraphBuilder, factors: tuple[Value, Value]) -> list[Silu]:
    """SiLU with the numbers that stand in front of the sigmoids of a product."""
    found = []
    for value in dict.fromkeys(one for factor in factors for one in _origins(builder, factor)):
        op, inputs = builder.read(value)
        if isinstance(op, Activate) and isinstance(op.function, Sigmoid):
            behind, _ = builder.read(inputs[0])
            beta = float(behind.scale.flat[0]) if isinstance(behind, Affine) else 1.0
            found += [Silu(beta)] if beta > 0 else []
    return found
