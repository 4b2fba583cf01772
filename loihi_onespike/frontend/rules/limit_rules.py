"""Rules of limits: all forms of clamp, threshold, maximum and minimum.

One population clips at limits on both sides of zero. Values with other limits are shifted and shifted back,
clamp(x, 1, 3) = 1 + clip(x - 1, 0, 2), and max(a, b) = a + relu(b - a).
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.activations import RELU, Clip
from loihi_onespike.frontend.rules.activation_rules import activate, uniform
from loihi_onespike.frontend.rules.elementwise_rules import affine, sum_of
from loihi_onespike.frontend.rules.pooling_rules import over_axes
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site


@rule("hardtanh")
def hardtanh(site: Site, input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Value:
    """y = min(max(x, min_val), max_val)."""
    return clamp(site, input, min_val, max_val)


@rule("clamp")
def clamp(site: Site, input: Any, min: Any = None, max: Any = None) -> Value:
    """y = min(max(x, low), high); with limits that do not enclose zero, x is shifted and shifted back."""
    x = site.activation(input)
    if isinstance(min, Value) or isinstance(max, Value):
        site.refuse("clamp", f"{site.display} with limits that depend on the input")
    low = np.array(-inf) if min is None else site.constant(min, x.shape)
    high = np.array(inf) if max is None else site.constant(max, x.shape)
    if uniform(low) and uniform(high):
        return _between(site, x, float(low.flat[0]), float(high.flat[0]))
    if any(0 < np.isfinite(limit).sum() < limit.size for limit in (low, high)):
        site.refuse("clamp", f"{site.display} with limits that are infinite in some places only")
    if np.isfinite(low).all():  # torch applies the lower limit first
        x = _above(site, x, low, "low" if np.isfinite(high).all() else "")
    if np.isfinite(high).all():
        x = affine(site, _above(site, affine(site, x, -1, 0, "negated"), -high, "high"), -1, 0)
    return site.note(x, "low + relu(x - low) and high - relu(high - x), limits per place")


def _above(site: Site, x: Value, low: NDArray[np.float64], part: str) -> Value:
    """max(x, low) = low + relu(x - low)."""
    above = activate(site, affine(site, x, 1, -low, f"{part}.moved".strip(".")), RELU, f"{part}.relu".strip("."))
    return affine(site, above, 1, low, part)


def _between(site: Site, x: Value, low: float, high: float) -> Value:
    """min(max(x, low), high) for any pair of numbers."""
    if (low, high) == (-inf, inf):
        return x
    if low >= high:
        return site.note(affine(site, x, 0, high), f"the constant {high:g}")
    if low <= 0 < high:
        return activate(site, x, RELU if (low, high) == (0, inf) else Clip(low, high))
    span = RELU if inf in (high, -low) else Clip(0.0, high - low)
    name = "relu(" if span is RELU else "clip("
    limits = "" if span is RELU else f", 0, {high - low:g}"
    if low > 0:
        inner = activate(site, affine(site, x, 1, -low, "moved"), span, "clipped")
        return site.note(affine(site, inner, 1, low), f"{low:g} + {name}x - {low:g}{limits})")
    inner = activate(site, affine(site, x, -1, high, "moved"), span, "clipped")
    return site.note(affine(site, inner, -1, high), f"{high:g} - {name}{high:g} - x{limits})")


@rule("clamp_min")
def clamp_min(site: Site, input: Any, min: Any) -> Value:
    """y = max(x, min)."""
    return clamp(site, input, min)


@rule("clamp_max")
def clamp_max(site: Site, input: Any, max: Any) -> Value:
    """y = min(x, max)."""
    return clamp(site, input, None, max)


@rule("threshold")
def threshold(site: Site, input: Any, threshold: float, value: float, inplace: bool = False) -> Value:
    """y = x above the threshold, value elsewhere; max(x, value) where both are the same."""
    if threshold != value:
        site.refuse("threshold", f"{site.display} with threshold={threshold}, value={value}")
    return clamp(site, input, value)


class Extremes(NamedTuple):
    """What torch.max(x, dim) returns.

    Attributes:
        values: the maxima.
        indices: a placeholder, since no spike says where a maximum was; a model whose output depends on it is refused.
    """

    values: Value
    indices: Value


@rule("onnx2torch.node_converters.reduce._get_element")
def first_of_results(site: Site, x: Any, index: int = 0) -> Any:
    """The maximum over an axis without its indices, as the reader of ONNX files takes it."""
    return x[index] if isinstance(x, tuple) else x


@rule("max", "min")
def extreme(site: Site, input: Any, other: Any = None, *rest: Any, **options: Any) -> Any:
    """max(a, b) = a + relu(b - a), min(a, b) = a - relu(a - b); a limit where one of them is constant.

    max(x, dim) is a maximum over an axis, whose indices do not exist; min(x, dim) is refused.
    """
    largest = site.operation == "max"
    if isinstance(other, int) or "dim" in options:
        if not largest:
            site.refuse("min", f"{site.display} over an axis")
        dim = options.get("dim", other)
        keepdim = bool(rest[0]) if rest else bool(options.get("keepdim", False))
        values = over_axes(site, input, dim, keepdim, "max")
        return Extremes(values, site.unavailable(values.shape, "max", "indices"))
    x, constant = (input, other) if isinstance(input, Value) else (other, input)
    if rest or options or not isinstance(constant, Value | torch.Tensor):
        site.refuse(site.operation, f"{site.display} over an axis")
    if isinstance(constant, torch.Tensor):
        return clamp(site, x, constant, None) if largest else clamp(site, x, None, constant)
    sign = -1 if largest else 1  # relu(± (a - b))
    a, b = affine(site, x, sign, 0, "a"), affine(site, constant, -sign, 0, "b")
    above = activate(site, sum_of(site, a, b, "difference"), RELU, "relu")
    result = sum_of(site, x, affine(site, above, -sign, 0, "relu.scaled"))
    return site.note(result, "a + relu(b - a)" if largest else "a - relu(a - b)")
