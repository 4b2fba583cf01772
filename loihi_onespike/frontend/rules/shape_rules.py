"""Operations that move values: all run once on a tensor of places, see `gather`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from loihi_onespike.core.graphs.ann import Concat
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.gather import gather, gather_index
from loihi_onespike.frontend.tracing.moved_batch import ITSELF, Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site

_READ_THE_SHAPE_OF_OTHERS = {"expand_as", "view_as", "reshape_as"}


REARRANGEMENTS = (
    *("flatten", "unflatten", "reshape", "view", "view_as", "reshape_as", "ravel", "squeeze", "unsqueeze"),
    *("permute", "transpose", "t", "T", "mT", "swapaxes", "swapdims", "movedim", "moveaxis", "adjoint"),
    *("getitem", "narrow", "select", "index_select", "gather", "take_along_dim", "diagonal"),
    *("chunk", "split", "split_with_sizes", "tensor_split", "unbind", "hsplit", "vsplit", "dsplit"),
    *("flip", "fliplr", "flipud", "roll", "rot90", "repeat", "repeat_interleave", "tile", "expand", "expand_as"),
    *("broadcast_to", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "unfold"),
    *("slice", "index", "unsafe_index", "unsafe_view", "upsample_nearest1d", "upsample_nearest2d"),
    *("reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d"),
)
"""Operations that move values, executed on a tensor of places."""
moves(REARRANGEMENTS, ITSELF)
moves(["cat"], Moves(broadcasts=True, axes=True))


@rule(*REARRANGEMENTS)
def rearrange(site: Site, *_: Any, **__: Any) -> Any:
    """y[i] = x.ravel()[index[i]], found by executing the operation itself."""
    if len(site.values) > 1 and site.operation not in _READ_THE_SHAPE_OF_OTHERS:
        site.refuse("computed_index", f"{site.display} at places that depend on the input")
    return gather(site, site.values[0], site.rerun)


@rule("pad")
def pad(site: Site, input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Value:
    """Zeros, mirrored or repeated values move; another constant is added behind the zeros."""
    x = site.activation(input)
    if mode != "constant" or not value:
        return gather(site, x, lambda t: F.pad(t, pad, mode))
    index = gather_index(site, x, lambda t: F.pad(t, pad))
    return affine(site, site.reindex(x, index, "zeros"), 1, np.where(index < 0, value, 0.0))


@rule("cat")
def cat(site: Site, tensors: Any, dim: int = 0) -> Value:
    """Activations joined along an axis of the sample; constants among them are zeros with a shift."""
    parts = list(tensors)
    values = list(dict.fromkeys(part for part in parts if isinstance(part, Value)))
    axis = dim % (len(values[0].shape) + 1) - 1
    if axis < 0:
        site.refuse("batch_mixed", f"{site.display} along the batch axis", consequence=True)
    if values == parts:
        return _concat(site, values, axis, "")
    joined = _concat(site, values, axis, "joined")
    sizes = [value.shape[axis] for value in values]

    def place(t: torch.Tensor) -> torch.Tensor:
        """All parts from the joined activations, a part that stands twice twice, constants as zeros."""
        pieces = dict(zip(values, t.split(sizes, axis + 1), strict=True))
        zeros = [
            p.new_zeros(p.shape, dtype=t.dtype, device=t.device) if isinstance(p, torch.Tensor) else p for p in parts
        ]
        return torch.cat([pieces[p] if isinstance(p, Value) else p for p in zeros], axis + 1)

    constants = [torch.zeros(site.batch, *p.shape) if isinstance(p, Value) else p.detach().cpu() for p in parts]
    shift = site.constant(torch.cat(constants, axis + 1), joined.shape)
    return affine(site, gather(site, joined, place, "placed" if shift.any() else ""), 1, shift)


def _concat(site: Site, values: list[Value], axis: int, part: str) -> Value:
    if len(values) == 1:
        return values[0]
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    return site.emit(Concat(axis), values, tuple(shape), part)


@rule("stack")
def stack(site: Site, tensors: Any, dim: int = 0) -> Value:
    """A new axis in every part, then `cat` along it."""
    rank = max(len(part.shape) + isinstance(part, Value) for part in tensors)
    axis = dim % (rank + 1)
    parts = [
        gather(site, p, lambda t: t.unsqueeze(axis), f"part{i}") if isinstance(p, Value) else p.unsqueeze(axis)
        for i, p in enumerate(tensors)
    ]
    return cat(site, parts, axis)
