"""Transposed convolution: zeros between the places of x, then a convolution of stride 1 with the kernel flipped."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.core.maps import Array, Conv, Shape, Window
from loihi_onespike.frontend.rules.linear_rules import per_axis
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.registry import module_rule, rule
from loihi_onespike.frontend.tracing.site import Site


@rule("conv_transpose1d", "conv_transpose2d")
def conv_transpose(
    site: Site,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Value:
    """y[o, s·i - p + d·k] += W[i, o, k] x[i]; x (C, *spatial), W (C, O / groups, *kernel).

    The same as a convolution of the stuffed x, where x stands at every s-th place, padded by d (K - 1) - p before and
    d (K - 1) - p + output_padding behind; negative padding cuts off.
    """
    kernels = site.weight(weight)
    rank = kernels.ndim - 2
    x = site.activation(input, rank + 1)
    kernel, strides, dilated = kernels.shape[2:], per_axis(stride, rank), per_axis(dilation, rank)
    reach = [d * (k - 1) for d, k in zip(dilated, kernel, strict=True)]
    before = [r - p for r, p in zip(reach, per_axis(padding, rank), strict=True)]
    after = [b + extra for b, extra in zip(before, per_axis(output_padding, rank), strict=True)]
    pads = tuple((max(b, 0), max(a, 0)) for b, a in zip(before, after, strict=True))
    cuts = [(max(-b, 0), max(-a, 0)) for b, a in zip(before, after, strict=True)]
    stuffed = site.reindex(x, _stuffed(x.shape, strides, cuts), "stuffed")
    op = Conv(flipped(kernels, groups), Window(kernel, (1,) * rank, pads, dilated), groups)
    shift = None if bias is None else site.bias(bias, x.shape, rank)
    macs = prod(x.shape) * prod(kernels.shape[1:])
    result = site.emit(Linear(op, shift, macs=macs), [stuffed], op.output_shape(stuffed.shape))
    between = "x" if set(strides) == {1} else "x with zeros between its places"
    return site.note(result, f"a convolution of {between} with the kernel flipped, stride 1")


def _stuffed(shape: Shape, strides: Shape, cuts: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Index of (C, *spatial) with stride - 1 zeros between neighbours, cut at the ends."""
    spread = [(n - 1) * s + 1 for n, s in zip(shape[1:], strides, strict=True)]
    index = np.full((shape[0], *spread), -1)
    places = (slice(None), *(slice(None, None, s) for s in strides))
    index[places] = np.arange(prod(shape)).reshape(shape)
    kept = (slice(None), *(slice(lo, n - hi) for n, (lo, hi) in zip(spread, cuts, strict=True)))
    return index[kept]


def flipped(kernels: Array, groups: int) -> Array:
    """(C, O / groups, *kernel) of a transposed convolution as (O, C / groups, *kernel) of a convolution."""
    grouped = kernels.reshape(groups, kernels.shape[0] // groups, *kernels.shape[1:]).swapaxes(1, 2)
    joined = grouped.reshape(-1, *grouped.shape[2:])
    return np.ascontiguousarray(np.flip(joined, axis=tuple(range(2, joined.ndim))))


@module_rule(nn.ConvTranspose1d, nn.ConvTranspose2d)
def conv_transpose_module(
    site: Site, module: nn.ConvTranspose1d | nn.ConvTranspose2d, input: Any, output_size: Any = None
) -> Value:
    """A transposed convolution, with torch's output padding where an output size is given."""
    extra: Any = module.output_padding
    if output_size is not None:
        x, rank = site.concrete_args[0], len(module.kernel_size)
        options: Any = (module.stride, module.padding, module.kernel_size, rank, module.dilation)
        extra = module._output_padding(x, list(output_size), *options)
    geometry = (module.stride, module.padding, extra, module.groups, module.dilation)
    return conv_transpose(site, input, module.weight, module.bias, *geometry)
