"""Max and average pooling, adaptive pooling, and means and sums over axes."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.core.graphs.ann import Linear, MaxPool
from loihi_onespike.core.maps import Pool, Shape, Window
from loihi_onespike.frontend.rules.linear_rules import per_axis
from loihi_onespike.frontend.rules.resize_rules import resampling
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import OPERATIONS, rule
from loihi_onespike.frontend.tracing.site import Site


def _window(kernel: Shape, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, spatial: Shape) -> Window:
    """Window of torch's arguments; the places that ceil_mode adds become padding behind the input."""
    rank = len(kernel)
    strides = kernel if stride is None or stride == [] else per_axis(stride, rank)
    dilations, pads = per_axis(dilation, rank), per_axis(padding, rank)
    after = list(pads)
    if ceil_mode:
        for a, (n, k, s, p, d) in enumerate(zip(spatial, kernel, strides, pads, dilations, strict=True)):
            reach = d * (k - 1) + 1
            out = -((n + 2 * p - reach) // -s) + 1
            if (out - 1) * s >= n + p:  # torch drops a window that starts behind the input
                out -= 1
            after[a] = max(p, (out - 1) * s + reach - n - p)
    return Window(kernel, strides, tuple(zip(pads, after, strict=True)), dilations)


def _max_pool(
    site: Site,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    rank: int,
) -> Value:
    """y[c] = maximum of x[c] over the window, without padded places."""
    if return_indices:
        site.refuse("return_indices", f"{site.display} with return_indices=True")
    x = site.activation(input, rank + 1)
    window = _window(per_axis(kernel_size, rank), stride, padding, dilation, ceil_mode, x.shape[1:])
    return site.emit(MaxPool(window), [x], (x.shape[0], *window.output(x.shape[1:])))


def _avg_pool(
    site: Site,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    rank: int,
) -> Value:
    """y[c] = Σ_window x[c] / divisor, with torch's divisor at every place."""
    x = site.activation(input, rank + 1)
    spatial = x.shape[1:]
    window = _window(per_axis(kernel_size, rank), stride, padding, 1, ceil_mode, spatial)
    ones = torch.ones((1, 1, *spatial), dtype=torch.float64)
    options: dict[str, Any] = {"count_include_pad": count_include_pad}
    if divisor_override is not None:
        options["divisor_override"] = divisor_override
    pool: Any = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]
    averaged = pool(ones, per_axis(kernel_size, rank), window.stride, per_axis(padding, rank), ceil_mode, **options)
    # The mean of ones is count / divisor with both whole, so the divisor comes out exact.
    taps = Pool(window, np.ones(()))
    divisor = np.rint(_count(window, spatial) / averaged.numpy()[0])
    return _pooled(site, x, taps, divisor)


def _count(window: Window, spatial: Shape) -> NDArray[np.float64]:
    """Number of places of the input that each window covers, (1, *out)."""
    count = np.ones((1,))
    for axis, size in enumerate(window.output(spatial)):
        first = np.arange(size)[:, None] * window.stride[axis] - window.padding[axis][0]
        places = first + np.arange(window.kernel[axis]) * window.dilation[axis]
        count = count[..., None] * ((places >= 0) & (places < spatial[axis])).sum(axis=1)
    return count


def _pooled(site: Site, x: Value, op: Pool, divisor: NDArray[np.float64], part: str = "") -> Value:
    uniform = np.unique(divisor)
    scale = np.array(1 / uniform[0]) if uniform.size == 1 else 1 / divisor
    return site.emit(Linear(op, scale=scale), [x], op.output_shape(x.shape), part)


def _adaptive(site: Site, input: Any, output_size: Any, return_indices: bool = False, *, rank: int, kind: str) -> Value:
    """Bins of equal size where the output divides the input; repetition where the input divides the output.

    Means over other bins, which overlap, are a sparse matrix over the places of a channel.
    """
    if return_indices:
        site.refuse("return_indices", f"{site.display} with return_indices=True")
    x = site.activation(input, rank + 1)
    sizes = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * rank
    out = tuple(n if size is None else int(size) for n, size in zip(x.shape[1:], sizes, strict=True))
    pairs = list(zip(x.shape[1:], out, strict=True))
    if any(n % o and o % n for n, o in pairs):
        if kind == "avg":
            return resampling(site, x)
        site.refuse("adaptive", f"{site.display} of {x.shape[1:]} places to {out}", consequence=True)
    kernel = tuple(max(n // o, 1) for n, o in pairs)
    repeats = tuple(max(o // n, 1) for n, o in pairs)
    grows = any(r > 1 for r in repeats)
    if any(k > 1 for k in kernel) or not grows:
        x = _bins(site, x, Window(kernel, kernel, ((0, 0),) * rank, (1,) * rank), kind, "bins" if grows else "")
    for axis, repeat in enumerate(repeats):
        x = gather(site, x, partial(torch.repeat_interleave, repeats=repeat, dim=axis + 2))
    return x


def _bins(site: Site, x: Value, window: Window, kind: str, part: str) -> Value:
    if prod(window.kernel) == 1:
        return x
    if kind == "max":
        return site.emit(MaxPool(window), [x], (x.shape[0], *window.output(x.shape[1:])), part)
    divisor = np.array(float(prod(window.kernel) if kind == "avg" else 1))
    op = Pool(window, np.ones(()))
    if kind == "sum":
        return site.emit(Linear(op), [x], op.output_shape(x.shape), part)
    return _pooled(site, x, op, divisor, part)


for _rank in (1, 2, 3):
    OPERATIONS[f"max_pool{_rank}d"] = partial(_max_pool, rank=_rank)
    OPERATIONS[f"max_pool{_rank}d_with_indices"] = partial(_max_pool, rank=_rank)
    OPERATIONS[f"avg_pool{_rank}d"] = partial(_avg_pool, rank=_rank)
    for _kind in ("avg", "max"):
        OPERATIONS[f"adaptive_{_kind}_pool{_rank}d"] = partial(_adaptive, rank=_rank, kind=_kind)

_REDUCTIONS = {"mean": "avg", "sum": "sum", "amax": "max"}


moves(_REDUCTIONS, Moves(axes=True, reduces=True))


@rule(*_REDUCTIONS)
def reduce(site: Site, input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
    """Mean, sum or maximum over axes of the sample: one window over them."""
    return over_axes(site, input, dim, keepdim, _REDUCTIONS[site.operation])


def over_axes(site: Site, input: Any, dim: Any, keepdim: bool, kind: str) -> Value:
    """One window over axes of the sample.

    Args:
        site: the operation.
        input: activation.
        dim: axes of the batch; None or () for all.
        keepdim: whether the axes remain, with length 1.
        kind: avg, sum or max.
    """
    x = site.activation(input)
    rank = len(x.shape) + 1
    dims = range(rank) if dim is None or dim == () else dim if isinstance(dim, (tuple, list)) else (dim,)
    axes = sorted(d % rank - 1 for d in dims)
    if -1 in axes:
        site.refuse("batch_mixed", f"{site.display} over the batch axis", consequence=True)
    kept = [a for a in range(len(x.shape)) if a not in axes]
    if 0 in kept:  # the first axis is the channel axis of a pooling
        kernel = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))[1:]
        folded = x
    else:  # kept axes in front, as channels
        order = [0, *(a + 1 for a in kept), *(a + 1 for a in axes)]
        places = tuple(x.shape[a] for a in axes)
        folded = gather(site, x, lambda t: t.permute(order).reshape(len(t), -1, *places), "fold")
        kernel = places
    window = Window(kernel, kernel, ((0, 0),) * len(kernel), (1,) * len(kernel))
    pooled = _bins(site, folded, window, kind, "pool")
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape) if keepdim or a in kept)
    return gather(site, pooled, lambda t: t.reshape(len(t), *shape))
