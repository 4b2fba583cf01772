"""Convolution, fully connected layers and batch norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.core.maps import Conv, Dense, Shape, Window
from loihi_onespike.frontend.rules.einsum_rules import contracted
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.rules.matrix_product_rules import matrix_product
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import module_rule, rule
from loihi_onespike.frontend.tracing.site import Site


def per_axis(value: Any, rank: int) -> Shape:
    """torch's "one number or one per axis" as one per axis."""
    if isinstance(value, (tuple, list)):
        return tuple(int(v) for v in value) * (rank if len(value) == 1 else 1)
    return (int(value),) * rank


@rule("conv1d", "conv2d", "conv3d")
def conv(
    site: Site,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """y[o] = Σ_i W[o, i] ⋆ x[i] + b[o]; x (C, *spatial), W (O, C / groups, *kernel)."""
    kernels = site.weight(weight)
    rank = kernels.ndim - 2
    x = site.activation(input, rank + 1)
    kernel, dilated = kernels.shape[2:], per_axis(dilation, rank)
    window = Window(kernel, per_axis(stride, rank), conv_padding(padding, kernel, dilated), dilated)
    op = Conv(kernels, window, groups)
    shift = None if bias is None else site.bias(bias, x.shape, rank)
    return site.emit(Linear(op, shift), [x], op.output_shape(x.shape))


def conv_padding(padding: Any, kernel: Shape, dilation: Shape) -> tuple[tuple[int, int], ...]:
    """Padding (before, after) per axis.

    Args:
        padding: torch's padding: a number, one per axis, "valid", or "same", which puts the odd place after.
        kernel: size of the kernel per axis.
        dilation: dilation per axis.
    """
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    return tuple((p, p) for p in per_axis(padding, len(kernel)))


@module_rule(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def conv_module(site: Site, module: nn.Conv1d | nn.Conv2d | nn.Conv3d, input: Any) -> Value:
    """Convolution; padding by mirrored or repeated values becomes a gather and a convolution without padding."""
    padding: Any = module.padding
    if module.padding_mode != "zeros":
        x, pads = site.activation(input, len(module.kernel_size) + 1), module._reversed_padding_repeated_twice
        input, padding = gather(site, x, lambda t: F.pad(t, pads, module.padding_mode), "padded"), 0
        site.note(input, f"a convolution without padding of x padded by F.pad(mode={module.padding_mode!r})")
    return conv(site, input, module.weight, module.bias, module.stride, padding, module.dilation, module.groups)


@rule("linear")
def linear(site: Site, input: Any, weight: Any, bias: Any = None) -> Value:
    """y[…, o] = Σ_i W[o, i] x[…, i] + b[o]."""
    return fully_connected(site, site.activation(input), weight, bias)


def fully_connected(site: Site, x: Value, weight: Any, bias: Any, part: str = "") -> Value:
    """y[…, o] = Σ_i W[o, i] x[…, i] + b[o].

    Args:
        site: operation that is lowered.
        x: input value.
        weight, bias: constant tensors (O, I) and (O,); bias is None for none.
        part: name of the node within the operation.
    """
    if not x.shape:
        site.refuse("no_batch", consequence=True)
    op = Dense(np.atleast_2d(site.weight(weight)))
    shift = None if bias is None else site.bias(bias, x.shape)
    return site.emit(Linear(op, shift), [x], op.output_shape(x.shape), part)


@rule("matmul")
def matmul(site: Site, input: Any, other: Any) -> Value:
    """y[…, i, j] = Σ_k a[…, i, k] b[…, k, j] of two activations, or of one and a constant of any number of axes."""
    if isinstance(input, Value) and isinstance(other, Value):
        if min(len(input.shape), len(other.shape)) < 2:
            site.refuse("batch_mixed", f"{site.display} of samples of shapes {input.shape} and {other.shape}", True)
        return matrix_product(site, input, other)
    if isinstance(input, Value) and other.ndim == 2:
        return linear(site, input, other.t())
    return _constant_product(site, input, other)


def _constant_product(site: Site, input: Any, other: Any) -> Value:
    """The product with a constant on the left, or of one or several axes, in the letters of einsum."""
    x, constant = (input, other) if isinstance(input, Value) else (other, input)
    axes = "abcdefgh"[: len(x.shape) - 1]  # of the sample, those in front of the last two
    if not x.shape or (len(x.shape) == 1 and x is other) or constant.ndim > len(x.shape) + 1:
        site.refuse("matmul_left", f"{site.display} of a constant of shape {tuple(constant.shape)} with {x.shape}")
    lead = axes if x is input else axes[: max(len(axes) - 1, 0)]
    own = f"n{lead}i" if x is input else f"n{lead}ij"
    sums = "i" if constant.ndim == 1 else "io" if x is input else "oi"
    result = "" if constant.ndim == 1 else "o"
    out = f"n{lead}{result}" if x is input else f"n{lead}{result}j"
    if constant.ndim > 2:  # axes in front of the matrix meet those of the activation from the right
        if x is input:
            own, out, lead = f"n{lead[:-1]}{lead[-1]}i", f"n{lead}o", lead[:-1]
        while constant.ndim > 2 and constant.shape[0] == 1:
            constant = constant[0]
        front = constant.ndim - 2
        if front > len(lead) or any(
            size != x.shape[len(lead) - front + a] for a, size in enumerate(constant.shape[:front])
        ):
            site.refuse("matmul_left", f"{site.display} of a constant of shape {tuple(constant.shape)} with {x.shape}")
        sums = lead[len(lead) - front :] + sums
    return contracted(site, x, own, [(sums, constant)], out)


moves(["linear", "addmm"], Moves(last=1))


@rule("addmm")
def addmm(site: Site, input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Value:
    """y = β · bias + α · x W."""
    if isinstance(input, Value) or not isinstance(mat1, Value) or isinstance(mat2, Value):
        site.refuse("computed_weights", f"{site.display} of two activations")
    return linear(site, mat1, alpha * mat2.t(), beta * input)


@rule("batch_norm")
def batch_norm(
    site: Site,
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    """y[c] = γ[c] (x[c] - μ[c]) / √(σ²[c] + ε) + β[c] with running statistics."""
    x = site.activation(input)
    if training or running_mean is None or running_var is None:
        site.refuse("batch_statistics", f"{site.display} with statistics of the batch")
    axes = len(x.shape) - 1
    scale = 1 / np.sqrt(site.vector(running_var, axes) + eps)
    if weight is not None:
        scale = scale * site.vector(weight, axes)
    shift = -site.vector(running_mean, axes) * scale
    if bias is not None:
        shift = shift + site.vector(bias, axes)
    return affine(site, x, scale, shift)


@module_rule(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
def batch_norm_module(site: Site, module: nn.BatchNorm1d, input: Any) -> Value:
    """Batch normalization with the running statistics of the module."""
    mean, var = module.running_mean, module.running_var
    return batch_norm(site, input, mean, var, module.weight, module.bias, module.training, eps=module.eps)
