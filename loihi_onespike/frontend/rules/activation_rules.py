"""Rules of activations: those that one population computes, and exact rewrites of others as sums of these.

A population computes every function of `core.activations` by its thresholds. Others are often sums of these functions:
|x| = relu(x) + relu(-x), logsigmoid(x) = -softplus(-x). Clamp and similar functions are in `limit_rules`.
"""

from __future__ import annotations

from math import log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.activations import (
    RELU,
    Activation,
    Clip,
    Elu,
    Erf,
    Gelu,
    Hardswish,
    LeakyRelu,
    Mish,
    Sigmoid,
    Silu,
    Softplus,
    Tanh,
)
from loihi_onespike.core.graphs.ann import Activate
from loihi_onespike.frontend.rules.elementwise_rules import affine, sum_of
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
ELEMENTWISE = (
    *("relu", "relu6", "leaky_relu", "rrelu", "abs", "softshrink", "elu", "aten.elu", "selu", "celu", "sigmoid"),
    *("tanh", "erf", "silu", "gelu", "hardswish", "mish", "hardsigmoid", "softplus", "logsigmoid", "log_sigmoid"),
)
moves(ELEMENTWISE, Moves())
SOFTPLUS_JUMP = 1e-6
"""Relative step where torch's softplus turns linear that still counts as none; 1e-10 at its default threshold."""


def activate(site: Site, x: Value, function: Activation, part: str = "") -> Value:
    """y = f(x).

    Args:
        site: operation that is lowered.
        x: input value.
        function: the activation f.
        part: name of the node within the operation, empty where it is the only one.
    """
    return site.emit(Activate(function), [x], x.shape, part)


@rule("relu")
def relu(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = max(x, 0)."""
    return activate(site, site.activation(input), RELU)


@rule("relu6")
def relu6(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = min(max(x, 0), 6)."""
    return activate(site, site.activation(input), Clip(0.0, 6.0))


@rule("leaky_relu")
def leaky_relu(site: Site, input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    """y = x above zero, slope · x below."""
    return _two_slopes(site, site.activation(input), np.array(negative_slope, np.float64))


@rule("rrelu")
def rrelu(
    site: Site,
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Value:
    """In eval mode a leaky ReLU with the mean of both slopes."""
    if training:
        site.refuse("dropout", f"{site.display} with random slopes in eval mode")
    return leaky_relu(site, input, (lower + upper) / 2)


@rule("prelu")
def prelu(site: Site, input: Any, weight: Any) -> Value:
    """y[c] = x[c] above zero, slope[c] · x[c] below; c is the first axis of the sample."""
    x = site.activation(input)
    return _two_slopes(site, x, site.vector(weight, len(x.shape) - 1))


@rule("aten._prelu_kernel")
def prelu_kernel(site: Site, input: Any, weight: Any) -> Value:
    """y = x above zero, slope · x below, with slopes in the shape of x."""
    x = site.activation(input)
    return _two_slopes(site, x, site.constant(weight, x.shape))


def uniform(limit: NDArray[np.float64]) -> bool:
    """Whether all entries of an array are equal."""
    return bool((limit == limit.flat[0]).all())


def _two_slopes(site: Site, x: Value, slope: NDArray[np.float64]) -> Value:
    if uniform(slope):
        below = float(slope.flat[0])
        if below == 1:
            return site.note(x, "the identity (slope 1)")
        if below >= 0:
            return activate(site, x, LeakyRelu(below) if below else RELU)
    text = "relu(x) - slope · relu(-x)" + (", a slope per channel" if slope.size > 1 else "")
    return site.note(_both_sides(site, x, -slope), text)


def _both_sides(site: Site, x: Value, factor: NDArray[np.float64], gap: float = 0.0) -> Value:
    """relu(x - gap) + factor · relu(-x - gap)."""
    above = activate(site, affine(site, x, 1, -gap, "above.moved"), RELU, "above")
    below = activate(site, affine(site, x, -1, -gap, "below.moved"), RELU, "below")
    return sum_of(site, above, affine(site, below, factor, 0, "below.scaled"))


@rule("abs")
def absolute(site: Site, input: Any) -> Value:
    """y = |x|."""
    return site.note(_both_sides(site, site.activation(input), np.ones(())), "relu(x) + relu(-x)")


@rule("softshrink")
def softshrink(site: Site, input: Any, lambd: float = 0.5) -> Value:
    """y = x - λ above λ, x + λ below -λ, 0 between."""
    result = _both_sides(site, site.activation(input), -np.ones(()), lambd)
    return site.note(result, f"relu(x - {lambd:g}) - relu(-x - {lambd:g})")


@rule("elu")
def elu(site: Site, input: Any, alpha: float = 1.0, inplace: bool = False) -> Value:
    """y = x above zero, α (e^x - 1) below."""
    return _elu(site, site.activation(input), alpha)


def _elu(site: Site, x: Value, alpha: float, part: str = "") -> Value:
    if alpha < 0:
        site.refuse("elu_negative", f"{site.display} with alpha={alpha:g}")
    return activate(site, x, Elu(alpha) if alpha else RELU, part)


@rule("aten.elu")
def aten_elu(site: Site, input: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Value:
    """y = scale · x above zero, scale · α (e^(input_scale · x) - 1) below."""
    x, gain = site.activation(input), scale / input_scale
    if (scale, input_scale) == (1, 1):
        return _elu(site, x, alpha)
    inner = _elu(site, affine(site, x, input_scale, 0, "scaled"), alpha * input_scale, "elu")
    return site.note(affine(site, inner, gain, 0), f"{gain:g} · elu({input_scale:g} · x, {alpha * input_scale:g})")


@rule("selu")
def selu(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = s · elu(x, α) with the constants of Klambauer et al. (2017)."""
    return aten_elu(site, input, SELU_ALPHA, SELU_SCALE)


@rule("celu")
def celu(site: Site, input: Any, alpha: float = 1.0, inplace: bool = False) -> Value:
    """y = α · elu(x / α)."""
    if not alpha > 0:
        site.refuse("elu_negative", f"{site.display} with alpha={alpha:g}")
    return aten_elu(site, input, alpha, 1.0, 1 / alpha)


@rule("sigmoid")
def sigmoid(site: Site, input: Any) -> Value:
    """y = 1 / (1 + e^-x); as the last operation the host computes it (`finish_on_host`)."""
    return activate(site, site.activation(input), Sigmoid())


@rule("tanh")
def tanh(site: Site, input: Any) -> Value:
    """y = tanh x; as the last operation the host computes it (`finish_on_host`)."""
    return activate(site, site.activation(input), Tanh())


@rule("erf")
def error_function(site: Site, input: Any) -> Value:
    """y = erf x; GELU is made of it in ONNX files."""
    return activate(site, site.activation(input), Erf())


@rule("silu")
def silu(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = x / (1 + e^-x), also called swish."""
    return activate(site, site.activation(input), Silu())


@rule("gelu")
def gelu(site: Site, input: Any, *, approximate: str = "none") -> Value:
    """y = x Φ(x), or its approximation with tanh."""
    return activate(site, site.activation(input), Gelu(approximate))


@rule("hardswish")
def hardswish(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = x · clip(x / 6 + 1/2, 0, 1)."""
    return activate(site, site.activation(input), Hardswish())


@rule("mish")
def mish(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = x tanh(ln(1 + e^x))."""
    return activate(site, site.activation(input), Mish())


@rule("hardsigmoid")
def hardsigmoid(site: Site, input: Any, inplace: bool = False) -> Value:
    """y = clip(x / 6 + 1/2, 0, 1)."""
    scaled = affine(site, site.activation(input), 1 / 6, 0.5, "scaled")
    return site.note(activate(site, scaled, Clip(0.0, 1.0)), "clip(x / 6 + 1/2, 0, 1)")


@rule("softplus")
def softplus(site: Site, input: Any, beta: float = 1.0, threshold: float = 20.0) -> Value:
    """y = ln(1 + e^(β x)) / β; torch takes x itself where β x > threshold, the same in all digits at its default."""
    x = site.activation(input)
    if not beta > 0 or not threshold > 0 or log1p(float(np.exp(-threshold))) > SOFTPLUS_JUMP * threshold:
        site.refuse("softplus", f"{site.display} with beta={beta:g}, threshold={threshold:g}")
    return activate(site, x, Softplus(beta))


@rule("logsigmoid", "log_sigmoid")
def logsigmoid(site: Site, input: Any) -> Value:
    """y = ln sigmoid(x) = -softplus(-x)."""
    negated = affine(site, site.activation(input), -1, 0, "negated")
    return site.note(affine(site, activate(site, negated, Softplus(), "softplus"), -1, 0), "-softplus(-x)")
