"""Gather index of any rearrangement, obtained by executing it once on a tensor of indices.

view, flip, pad, unfold and others need no rules of their own: the operation is executed on a tensor whose entries are
their flat index plus one, and every entry of the result then says where it came from. Zeros are padding. Different
samples have different indices, so an operation that mixes samples is detected and refused.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.site import Site


def gather_index(site: Site, value: Value, operation: Callable[[torch.Tensor], Any]) -> Any:
    """Gather index of an operation for one sample, or a tuple of them for an operation with several results.

    y[i] = x.ravel()[index[i]], 0 where index[i] is -1. An operation that moves values between samples, removes the
    batch axis, or computes new values is refused.

    Args:
        site: operation that is lowered.
        value: input value.
        operation: the operation on a tensor.
    """
    size = prod(value.shape)
    # Apple's GPU has no float64; float32 is exact up to 2^24 entries, far beyond one layer of a sample.
    dtype = torch.float32 if site.device.type == "mps" else torch.float64
    places = torch.arange(1, site.batch * size + 1, dtype=dtype, device=site.device)
    result = operation(places.reshape(site.batch, *value.shape))
    if isinstance(result, torch.Tensor):
        return _read(site, result, size)
    if isinstance(result, (tuple, list)) and all(isinstance(part, torch.Tensor) for part in result):
        return tuple(_read(site, part, size) for part in result)
    site.refuse("unknown", f"{site.display}, which gives a {type(result).__name__}")


def _read(site: Site, result: torch.Tensor, size: int) -> NDArray[np.int64]:
    if result.ndim == 0 or result.shape[0] != site.batch:
        found = f"{site.display}, which turns a batch of {site.batch} into shape {tuple(result.shape)}"
        site.refuse("batch_mixed", found, consequence=True)
    exact = result.detach().cpu().numpy()
    codes = exact.astype(np.int64)
    if not (codes == exact).all():
        site.refuse("unknown", f"{site.display}, which computes new values instead of moving them")
    first = np.arange(site.batch).reshape(-1, *(1,) * (codes.ndim - 1)) * size
    index = np.where(codes == 0, -1, codes - 1 - first)
    foreign = (codes != 0) & ((index < 0) | (index >= size))
    if foreign.any() or not (index == index[:1]).all():
        site.refuse("batch_mixed", f"{site.display}, which mixes the samples of a batch", consequence=True)
    return index[0]


def gather(site: Site, value: Value, operation: Callable[[torch.Tensor], Any], part: str = "") -> Any:
    """The rearranged value, or a tuple of them for an operation with several results.

    Args:
        site: operation that is lowered.
        value: input value.
        operation: the operation on a tensor.
        part: name of the node within the operation.
    """
    index = gather_index(site, value, operation)
    if isinstance(index, tuple):
        return tuple(site.reindex(value, one, f"{part}{i}") for i, one in enumerate(index))
    return site.reindex(value, index, part)
