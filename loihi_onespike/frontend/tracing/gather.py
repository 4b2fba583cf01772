"""Gather index of any rearrangement, obtained by executing it once on a tensor of indices.

view, flip, pad, unfold and others need no rules of their own: the operation is executed on a tensor whose entries are
their flat index plus one, and every entry of the result then says where it came from. Zeros are padding. Different
samples have different indices, so where an operation moves the batch is seen, and one that mixes samples is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.maps import Shape
from loihi_onespike.frontend.tracing.batch_axis import BatchAxis, find_batch
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import advice_for


def gather_index(site: Site, value: Value, operation: Callable[[torch.Tensor], Any]) -> NDArray[np.int64]:
    """Gather index of an operation for one sample.

    y[i] = x.ravel()[index[i]], 0 where index[i] is -1. An operation that moves values between samples, moves the batch
    axis, or computes new values is refused.

    Args:
        site: operation that is lowered.
        value: input value.
        operation: the operation on a tensor.
    """
    (found,) = _results(site, value, operation)
    index, batch = _read(site, found, prod(value.shape))
    if batch.finding is not None:
        raise Refusal(batch.finding.found, advice_for("batch_mixed"), consequence=True)
    return index


def gather(site: Site, value: Value, operation: Callable[[torch.Tensor], Any], part: str = "") -> Any:
    """The rearranged value, or a tuple of them for an operation with several results.

    Args:
        site: operation that is lowered.
        value: input value.
        operation: the operation on a tensor.
        part: name of the node within the operation.
    """
    results = _results(site, value, operation)
    several = not isinstance(results, list)
    names = [f"{part}{i}" if several else part for i in range(len(results))]
    gathered = []
    for result, name in zip(results, names, strict=True):
        index, batch = _read(site, result, prod(value.shape))
        gathered.append(replace(site.reindex(value, index, name), batch=batch))
    return tuple(gathered) if several else gathered[0]


def _results(
    site: Site, value: Value, operation: Callable[[torch.Tensor], Any]
) -> list[torch.Tensor] | tuple[torch.Tensor, ...]:
    """What an operation makes of a tensor of places, counted from 1: a list of one, or a tuple of several results."""
    size = prod(value.shape)
    # Apple's GPU has no float64; float32 is exact up to 2^24 entries, far beyond one layer of a sample.
    dtype = torch.float32 if site.device.type == "mps" else torch.float64
    places = torch.arange(1, site.batch * size + 1, dtype=dtype, device=site.device)
    result = operation(value.batch.from_front(places.reshape(site.batch, *value.shape)))
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, (tuple, list)) and all(isinstance(part, torch.Tensor) for part in result):
        return tuple(result)
    site.refuse("unknown", f"{site.display}, which gives a {type(result).__name__}")


def _read(site: Site, result: torch.Tensor, size: int) -> tuple[NDArray[np.int64], BatchAxis]:
    """Index of one sample, and where the batch is in the result."""
    exact = result.detach().cpu().numpy()
    codes = exact.astype(np.int64)
    if not (codes == exact).all():
        site.refuse("unknown", f"{site.display}, which computes new values instead of moving them")
    batch = find_batch(np.where(codes == 0, -1, (codes - 1) // size) if size else codes, site.batch)
    moved = f"{site.display}, which turns a batch of {site.batch} into shape {tuple(result.shape)}"
    if batch is None:
        mixes = result.ndim and result.shape[0] == site.batch
        site.refuse("batch_mixed", f"{site.display}, which mixes the samples of a batch" if mixes else moved, True)
    if not batch.in_front:
        finding = Refusal(moved, advice_for("batch_mixed")).finding(site.name, site.source)
        batch = replace(batch, finding=finding)
    samples = batch.to_front(torch.from_numpy(codes), site.batch).numpy()
    index = np.where(samples == 0, -1, (samples - 1) % size if size else samples)
    if not (index == index[:1]).all():
        site.refuse("batch_mixed", f"{site.display}, which mixes the samples of a batch", consequence=True)
    return index[0], batch


def repeated(site: Site, value: Value, shape: Shape, part: str = "") -> Value:
    """The value broadcast to a shape of as many axes or more, as numpy does it; the index is a view.

    Args:
        site: operation that is lowered.
        value: input value.
        shape: shape of the result.
        part: name of the node within the operation.
    """
    places = np.arange(prod(value.shape), dtype=np.int32).reshape(value.shape)
    return site.reindex(value, np.broadcast_to(places, shape), part)


def reshaped(site: Site, value: Value, shape: Shape, part: str = "") -> Value:
    """The value in another shape of the same size.

    Args:
        site: operation that is lowered.
        value: input value.
        shape: shape of the result.
        part: name of the node within the operation.
    """
    return site.reindex(value, np.arange(prod(value.shape), dtype=np.int32).reshape(shape), part)
