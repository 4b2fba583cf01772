"""Normalisation by statistics of the sample itself: layer, RMS, group and instance norm, and F.normalize.

    c = x - mean(x),   v = mean(c · c) + ε,   y = c · (1 / √v) · gain + bias

c and v are linear maps, c · c and the last product are products of activations, and 1 / √v is an activation that is
limited by ε. Gain and bias are absorbed by what reads y.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from torch import nn

from loihi_onespike.core.activations import Rsqrt, Sqrt
from loihi_onespike.core.activations.falling import SMALLEST
from loihi_onespike.core.graphs.ann import Add, Linear
from loihi_onespike.core.maps import Dense
from loihi_onespike.frontend.rules.activation_rules import activate
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.rules.linear_rules import batch_norm
from loihi_onespike.frontend.rules.pooling_rules import over_axes
from loihi_onespike.frontend.rules.product_rules import falling, multiply
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import repeated, reshaped
from loihi_onespike.frontend.tracing.moved_batch import Moves, apply_rule, moves
from loihi_onespike.frontend.tracing.registry import module_rule, rule, takes_moved_batch
from loihi_onespike.frontend.tracing.site import Site

LARGEST_MEAN_MAP = 1024
"""Values whose mean is subtracted by synapses; means of more become neurons, whose spikes are repeated."""
FLOAT32_EPSILON = float(np.finfo(np.float32).eps)
"""ε of RMSNorm where none is given."""


def _rows(site: Site, x: Value, weight: float, bias: float, part: str) -> Value:
    """weight · Σ over the last axis + bias, which keeps this axis with length 1."""
    op = Dense(np.full((1, x.shape[-1]), weight))
    shift = np.array(bias) if bias else None
    return site.emit(Linear(op, shift, macs=0), [x], (*x.shape[:-1], 1), part)


def centred(site: Site, x: Value) -> Value:
    """x minus its mean over the last axis."""
    d = x.shape[-1]
    if d <= LARGEST_MEAN_MAP:
        mean = site.emit(Linear(Dense(np.broadcast_to(-1 / d, (d, d))), macs=0), [x], x.shape, "mean")
    else:
        mean = repeated(site, _rows(site, x, -1 / d, 0.0, "mean"), x.shape, "mean.repeated")
    return site.emit(Add(), [x, mean], x.shape, "centred")


def over_deviation(site: Site, c: Value, eps: float, part: str) -> Value:
    """c / √(mean(c²) + ε) over the last axis.

    Args:
        site: operation that is lowered.
        c: values.
        eps: ε.
        part: name of the node of the result.
    """
    if not eps > 0:
        site.refuse("epsilon", f"{site.display} with ε = {eps:g}")
    variance = _rows(site, multiply(site, c, c, "squares"), 1 / c.shape[-1], eps, "variance")
    inverse = falling(site, variance, Rsqrt, eps)
    return multiply(site, c, repeated(site, inverse, c.shape, "rsqrt.repeated"), part)


def _scaled(site: Site, y: Value, gain: Any, bias: Any) -> Value:
    """gain · y + bias, where they are given."""
    scale = 1.0 if gain is None else site.constant(gain, y.shape)
    shift = 0.0 if bias is None else site.constant(bias, y.shape)
    return affine(site, y, scale, shift)


@rule("layer_norm")
def layer_norm(
    site: Site, input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Value:
    """y = γ (x - mean x) / √(var x + ε) + β over the last axes, by products of activations."""
    x = _as_rows(site, site.activation(input), normalized_shape)
    y = reshaped(site, over_deviation(site, centred(site, x), eps, "normalised"), input.shape)
    return _scaled(site, y, weight, bias)


def _as_rows(site: Site, x: Value, normalized_shape: Any) -> Value:
    last = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if x.shape[-len(last) :] != last:
        site.refuse("no_batch", f"{site.display} over {last} of samples of shape {x.shape}", consequence=True)
    return reshaped(site, x, (*x.shape[: -len(last)], prod(last)))


@rule("aten.native_layer_norm")
def native_layer_norm(
    site: Site, input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float
) -> tuple[Value, Value, Value]:
    """The result, and mean and 1 / √variance, which nothing but a gradient reads."""
    result = layer_norm(site, input, normalized_shape, weight, bias, eps)
    kept = (*input.shape[: len(input.shape) - len(normalized_shape)], *(1,) * len(normalized_shape))
    first, second = (site.unavailable(kept, "unknown", "statistics of layer norm") for _ in range(2))
    return result, first, second


@rule("rms_norm")
def rms_norm(site: Site, input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Value:
    """y = γ x / √(mean(x²) + ε) over the last axes, by products of activations."""
    x = _as_rows(site, site.activation(input), normalized_shape)
    y = over_deviation(site, x, FLOAT32_EPSILON if eps is None else eps, "normalised")
    return _scaled(site, reshaped(site, y, input.shape), weight, None)


@rule("group_norm")
def group_norm(
    site: Site, input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Value:
    """y = γ (x - mean x) / √(var x + ε) + β over each group of channels and all places."""
    x = site.activation(input)
    rows = reshaped(site, x, (num_groups, prod(x.shape) // num_groups))
    y = reshaped(site, over_deviation(site, centred(site, rows), eps, "normalised"), x.shape)
    axes = len(x.shape) - 1
    gain, shift = (None if t is None else site.vector(t, axes) for t in (weight, bias))
    return affine(site, y, 1.0 if gain is None else gain, 0.0 if shift is None else shift)


@rule("instance_norm")
def instance_norm(
    site: Site,
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *_: Any,
) -> Value:
    """y = γ (x - mean x) / √(var x + ε) + β over the places of each channel; batch norm with running statistics."""
    x = site.activation(input)
    if not use_input_stats:
        return batch_norm(site, x, running_mean, running_var, weight, bias, eps=eps)
    return group_norm(site, x, x.shape[0], weight, bias, eps)


@rule("var", "std")
def variance(
    site: Site,
    input: Any,
    dim: Any = None,
    unbiased: Any = True,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Value:
    """y = Σ (x - mean x)² / (n - correction) over axes, or its root."""
    x = site.activation(input)
    mean = over_axes(site, x, dim, True, "avg")
    c = site.emit(Add(), [x, repeated(site, affine(site, mean, -1, 0, "negated"), x.shape, "mean")], x.shape, "centred")
    total = over_axes(site, multiply(site, c, c, "squares"), dim, keepdim, "sum")
    n = prod(x.shape) // prod(mean.shape)
    free = n - (correction if correction is not None else int(unbiased))
    result = affine(site, total, 1 / free if free > 0 else np.nan, 0, "variance")
    return activate(site, result, Sqrt()) if site.operation == "std" else result


@rule("normalize")
def normalize(site: Site, input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None) -> Value:
    """y = x / max(‖x‖, ε) along an axis, for the Euclidean norm."""
    x = site.activation(input)
    if p != 2 or not eps > 0:
        site.refuse("normalize", f"{site.display} with p={p:g}, eps={eps:g}")
    total = over_axes(site, multiply(site, x, x, "squares"), dim, True, "sum")
    inverse = falling(site, total, Rsqrt, max(eps**2, SMALLEST))
    return multiply(site, x, repeated(site, inverse, x.shape, "repeated"))


moves(["layer_norm", "rms_norm", "aten.native_layer_norm"], Moves(last=1))
moves(["normalize"], Moves(axes=True))
moves(["var", "std"], Moves(axes=True, reduces=True))


@takes_moved_batch
@module_rule(nn.LayerNorm)
def layer_norm_module(site: Site, module: nn.LayerNorm, input: Any) -> Value:
    """Layer norm with the gain and bias of the module."""
    site.operation = "layer_norm"
    settings = (module.normalized_shape, module.weight, module.bias, module.eps)
    return apply_rule(site, "layer_norm", layer_norm, input, *settings)


@takes_moved_batch
@module_rule("torch.nn.modules.normalization.RMSNorm")
def rms_norm_module(site: Site, module: Any, input: Any) -> Value:
    """RMS norm with the gain of the module, which torch has from 2.4 on."""
    site.operation = "rms_norm"
    return apply_rule(site, "rms_norm", rms_norm, input, module.normalized_shape, module.weight, module.eps)


@module_rule(nn.GroupNorm)
def group_norm_module(site: Site, module: nn.GroupNorm, input: Any) -> Value:
    """Group norm with the gain and bias of the module."""
    site.operation = "group_norm"
    return group_norm(site, input, module.num_groups, module.weight, module.bias, module.eps)


@module_rule(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
def instance_norm_module(site: Site, module: nn.InstanceNorm2d, input: Any) -> Value:
    """Instance norm with statistics of the sample, or with running statistics where the module tracks them."""
    site.operation = "instance_norm"
    own = module.training or not module.track_running_stats
    statistics = (module.running_mean, module.running_var, module.weight, module.bias, own)
    rank = {nn.InstanceNorm1d: 2, nn.InstanceNorm2d: 3, nn.InstanceNorm3d: 4}[type(module)]
    x = site.activation(input, rank)
    return instance_norm(site, x, *statistics, eps=module.eps)
