"""Rules of products, quotients, powers and roots.

A product of two activations is a population whose neurons multiply (docs/arithmetic.md, A product of two activations).
A quotient is a product with a reciprocal, which is an activation of positive values; so are roots. That the values are
positive must follow from the operations before (`frontend.tracing.value_bounds`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from loihi_onespike.core.activations import Exp, FallingActivation, Reciprocal, Rsqrt, Sigmoid, Sqrt
from loihi_onespike.core.activations.falling import SMALLEST
from loihi_onespike.core.graphs.ann import Activate, Multiply
from loihi_onespike.frontend.rules.activation_rules import activate
from loihi_onespike.frontend.rules.elementwise_rules import affine, of_one_shape
from loihi_onespike.frontend.rules.self_gates import self_gated
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site

LARGEST_POWER = 8
"""Largest whole exponent that becomes products."""


def multiply(site: Site, a: Value, b: Value, part: str = "") -> Value:
    """y = a · b.

    Args:
        site: operation that is lowered.
        a, b: factors; one is repeated where the other has more places.
        part: name of the node within the operation, empty where it is the only one.
    """
    a, b = of_one_shape(site, a, b)
    return site.emit(Multiply(), [a, b], a.shape, part)


def falling(site: Site, x: Value, function: type[FallingActivation], least: float | None = None) -> Value:
    """1 / max(x, least) or 1 / √max(x, least), as a rising function of -x.

    Args:
        site: operation that is lowered.
        x: input value.
        function: Reciprocal or Rsqrt.
        least: the limit; None where x has to be positive by itself, which is then proved.
    """
    if least is None:
        bounds = site.builder.bounds(x)
        if not bounds.positive:
            site.refuse("not_positive", f"{site.display} of values that may be zero or negative")
        least = max(bounds.low, SMALLEST)
    return activate(site, affine(site, x, -1, 0, f"{function.name}.negated"), function(least), function.name)


moves(["mul", "div", "reciprocal", "rsqrt", "sqrt", "exp", "square", "pow"], Moves(broadcasts=True))


@rule("mul")
def mul(site: Site, input: Any, other: Any) -> Value:
    """y = a · b of activations or constants; x · g(x) is one activation where that is known."""
    if isinstance(input, Value) and isinstance(other, Value):
        found = self_gated(site, input, other)
        if found is None:
            return multiply(site, input, other)
        x, gain, function = found
        result = site.emit(Activate(function), [x], x.shape, function.name if gain != 1 else "")
        times = "" if gain == 1 else f"{gain:g} · "
        return site.note(affine(site, result, gain, 0), f"{times}{function.name}(x)")
    x, factor = (input, other) if isinstance(input, Value) else (other, input)
    return affine(site, x, site.constant(factor, x.shape), 0)


@rule("div")
def div(site: Site, input: Any, other: Any, *, rounding_mode: str | None = None) -> Value:
    """y = a / b of activations or constants; a divisor that is an activation must be positive by its construction."""
    if rounding_mode is not None:
        site.refuse("rounding", f"{site.display} with rounding_mode={rounding_mode}")
    if isinstance(other, Value):
        inverse = falling(site, other, Reciprocal)
        if isinstance(input, Value):
            return site.note(multiply(site, input, inverse), "a · (1 / b)")
        return affine(site, inverse, site.constant(input, inverse.shape), 0)
    with np.errstate(divide="ignore"):  # a zero is refused by `affine`
        return affine(site, input, 1 / site.constant(other, input.shape), 0)


@rule("reciprocal")
def reciprocal(site: Site, input: Any) -> Value:
    """y = 1 / x of values that are positive by their construction."""
    return falling(site, site.activation(input), Reciprocal)


@rule("rsqrt")
def rsqrt(site: Site, input: Any) -> Value:
    """y = 1 / √x of values that are positive by their construction."""
    return falling(site, site.activation(input), Rsqrt)


@rule("sqrt")
def sqrt(site: Site, input: Any) -> Value:
    """y = √x of values that are not negative by their construction."""
    x = site.activation(input)
    if site.builder.bounds(x).low < 0:
        site.refuse("not_positive", f"{site.display} of values that may be negative")
    return activate(site, x, Sqrt())


@rule("exp")
def exp(site: Site, input: Any) -> Value:
    """y = e^x."""
    return activate(site, site.activation(input), Exp())


@rule("square")
def square(site: Site, input: Any) -> Value:
    """y = x²."""
    x = site.activation(input)
    return multiply(site, x, x)


@rule("pow")
def power(site: Site, input: Any, exponent: Any) -> Value:
    """y = x^n for n of 1, 2, … 8, x^½ and x^-½, x^-1 and x^-2 of positive values, and c^x for a constant c > 0."""
    if isinstance(exponent, Value):
        base = np.nan if isinstance(input, Value) else np.asarray(site.constant(input, exponent.shape))
        if not np.all(np.isfinite(base) & (np.asarray(base) > 0)):
            site.refuse("pow", f"{site.display} with an exponent that depends on the input")
        return exp(site, affine(site, exponent, np.log(base), 0, "scaled"))
    constant = site.constant(exponent, site.activation(input).shape)
    n = float(constant.flat[0])
    if not (constant == n).all():
        site.refuse("pow", f"{site.display} with several exponents")
    if n in (0.5, -0.5, -1.0):
        return {0.5: sqrt, -0.5: rsqrt, -1.0: reciprocal}[n](site, input)
    if n == -2:
        return square(site, reciprocal(site, input))
    if n not in range(1, LARGEST_POWER + 1):
        site.refuse("pow", f"{site.display} with the exponent {n:g}")
    result = input
    for digit in f"{int(n):b}"[1:]:  # square and multiply
        result = multiply(site, result, result, "squared")
        result = multiply(site, result, input, "times") if digit == "1" else result
    return result


@rule("glu")
def glu(site: Site, input: Any, dim: int = -1) -> Value:
    """y = a · sigmoid(b) with a and b the two halves of x."""
    x = site.activation(input)
    halves = gather(site, x, lambda t: t.chunk(2, dim), "half")
    return multiply(site, halves[0], activate(site, halves[1], Sigmoid(), "gate"))
