"""Rules of resizing: nearest neighbours are a gather, bilinear by whole factors a convolution with fixed weights.

All others (bicubic, area, aligned corners, any size) are a sparse matrix over the places of a channel.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.core.maps import Conv, Shape, Sparse, Window
from loihi_onespike.frontend.rules.shape_rules import rearrange
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather_index
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site

NEAREST = ("nearest", "nearest-exact")
LINEAR = ("linear", "bilinear")
BORDER = 2
"""Number of places that are repeated at each end, which is as far as a triangle reaches."""


@rule("interpolate", "upsample", "upsample_nearest", "upsample_bilinear")
def interpolate(
    site: Site,
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    **options: Any,
) -> Value:
    """y = x on another grid, of the size that torch gives it."""
    if site.operation == "upsample_bilinear":
        mode, align_corners = "bilinear", True
    x = site.activation(input)
    if mode in NEAREST:
        return rearrange(site)
    whole = mode in LINEAR and not align_corners and not options.get("antialias")
    return linear_upsampling(site, x) if whole else resampling(site, x)


def linear_upsampling(site: Site, x: Value) -> Value:
    """y[o] = Σ_i max(1 - |(o + 1/2) / s - 1/2 - i|, 0) x[i] along every axis, x repeated beyond its border.

    Where a factor s is not whole, the places have weights of their own, see `resampling`. Where all are:
    x with s - 1 zeros between its places, convolved with a triangle of half width s: 2 s taps for even s, 2 s - 1 for
    odd s, whose middle lies at an output place.
    """
    result = site.rerun(torch.zeros((site.batch, *x.shape), device=site.device))
    before, after = x.shape[1:], tuple(result.shape[2:])
    if any(n % o for n, o in zip(after, before, strict=True)):
        return resampling(site, x)
    factors = tuple(n // o for n, o in zip(after, before, strict=True))
    triangles = [_triangle(s) for s in factors]
    index = gather_index(site, x, lambda t: _stuffed(t, factors))
    kernel = reduce(np.multiply.outer, triangles)
    weight = np.broadcast_to(kernel, (x.shape[0], 1, *kernel.shape)).astype(np.float64)
    op = Conv(weight, Window.plain(kernel.shape), groups=x.shape[0])
    stuffed = site.reindex(x, index, "stuffed")
    upsampled = site.emit(Linear(op, macs=0), [stuffed], op.output_shape(stuffed.shape))
    assert upsampled.shape[1:] == after
    times = "×".join(str(s) for s in factors)
    return site.note(upsampled, f"a depthwise convolution of x with zeros between its places ({times})")


def resampling(site: Site, x: Value) -> Value:
    """y[c, o] = Σ_p A[o, p] x[c, p] over places p, A the product of one matrix per axis, the same for every channel.

    Bilinear, bicubic and area resizing are of this form, for any sizes and with aligned corners or not. The matrix of
    an axis is what the operation makes of ones at one of its places and zeros at the others, since its weights along
    every other axis add up to 1.
    """
    matrices = [_matrix(site, x.shape[1:], axis) for axis in range(len(x.shape) - 1)]
    after = tuple(matrix.shape[0] for matrix in matrices)
    places = reduce(lambda a, b: sp.kron(a, b, format="csr"), matrices)
    channels = x.shape[0]
    first = np.arange(channels * places.shape[1]).reshape(channels, -1).T
    op = Sparse(places)
    mixed = site.emit(Linear(op, macs=0), [site.reindex(x, first, "places")], (places.shape[0], channels), "resampled")
    back = np.arange(channels * places.shape[0]).reshape(-1, channels).T.reshape(channels, *after)
    sizes = " to ".join("×".join(map(str, size)) for size in (x.shape[1:], after))
    return site.note(site.reindex(mixed, back), f"a sparse matrix over the places of a channel ({sizes})")


def _matrix(site: Site, places: Shape, axis: int) -> sp.csr_matrix:
    """Matrix along one axis, (places after, places before)."""
    count = places[axis]
    ones = torch.eye(count, dtype=torch.float64, device=site.device)
    ones = ones.reshape(count, 1, *(count if a == axis else 1 for a in range(len(places))))
    result = site.rerun(ones.expand(count, 1, *places).contiguous())[:, 0]
    lines = result.movedim(axis + 1, 1).reshape(count, result.shape[axis + 1], -1)[..., 0]
    weights = lines.T.cpu().numpy().astype(np.float64)
    weights[np.abs(weights) < 1e-9] = 0.0  # what is left of sums that are 0
    return sp.csr_matrix(weights)


def _triangle(factor: int) -> np.ndarray:
    """Weights of the taps around an output place, at distances of whole (odd factor) or half steps (even)."""
    taps = 2 * factor - factor % 2
    distance = np.abs(np.arange(taps) - (taps - 1) / 2)
    return 1 - distance / factor


def _stuffed(t: torch.Tensor, factors: Shape) -> torch.Tensor:
    """(N, C, *spatial) with its border repeated, factor - 1 zeros between neighbours, and cut to fit the triangles."""
    for axis, factor in enumerate(factors, start=2):
        n, taps = t.shape[axis], len(_triangle(factor))
        places = torch.arange(-BORDER, n + BORDER).clamp(0, n - 1).to(t.device)
        repeated = t.index_select(axis, places).unsqueeze(axis + 1)
        zeros = repeated.new_zeros([*repeated.shape[: axis + 1], factor - 1, *repeated.shape[axis + 2 :]])
        spread = torch.cat([repeated, zeros], axis + 1).flatten(axis, axis + 1)
        # Output place 0 lies (1 - s) / 2 fine steps from x[0], its first tap (taps - 1) / 2 before it.
        first = BORDER * factor + (1 - factor - (taps - 1)) // 2
        t = spread.narrow(axis, first, n * factor + taps - 1)
    return t
