"""Softmax: by the host where it is the last operation, by neurons everywhere else.

    e = exp(x),   r = 1 / Σ e,   y = e · r

Exp and 1 / s are activations, the sum is a linear map and e · r a product. Nothing is subtracted from x, since neurons
have no largest number in the way of floating point; each row may have a scale of its own instead. A matrix product that
contracts over the axis of the softmax reads e and is multiplied by r behind the sum (`matrix_product_rules`). Places
that a constant mask sets to minus infinity have no neurons.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from loihi_onespike.core.activations import Exp, Reciprocal
from loihi_onespike.core.activations.falling import SMALLEST
from loihi_onespike.core.encoding import SOFTMAX_AXES
from loihi_onespike.core.graphs.ann import Add, Affine, Finish, Linear, Multiply, Reindex
from loihi_onespike.core.maps import Dense
from loihi_onespike.frontend.rules.activation_rules import activate
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.rules.mask_rules import unmasked
from loihi_onespike.frontend.rules.pooling_rules import over_axes
from loihi_onespike.frontend.rules.product_rules import falling, multiply
from loihi_onespike.frontend.tracing.builder import Mask, Softmax, Value
from loihi_onespike.frontend.tracing.gather import repeated, reshaped
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site


@rule("softmax", "log_softmax")
def softmax(site: Site, input: Any, dim: int | None = None, *_: Any, **__: Any) -> Value:
    """Softmax over any axis of the sample, by the host where it stands last; log_softmax must stand last."""
    x = site.activation(input)
    rank = len(x.shape) + 1
    # Without `dim` torch takes axis 1, but axis 0 for tensors of one or three axes.
    axis = (0 if rank in (1, 3) else 1) if dim is None else dim % rank
    if axis == 0:
        site.refuse("batch_mixed", f"{site.display} over the batch axis", consequence=True)
    endings = {number % rank: ending for ending, number in SOFTMAX_AXES.items() if number < rank}
    if site.operation == "log_softmax":
        if axis not in endings:
            site.refuse("softmax_axis", f"{site.display} over axis {axis}")
        return site.emit(Finish(f"log_softmax{endings[axis]}"), [x], x.shape)
    finite, mask = unmasked(site, x)
    if mask is not None and mask.all(axis - 1).any():
        site.refuse("masked_row", f"{site.display} over places that are all masked")
    parts = softmax_parts(site, finite, mask, axis - 1)
    inverse = repeated(site, parts.reciprocal, x.shape, "reciprocal.repeated")
    if axis in endings and mask is None:
        last = site.emit(Finish(f"softmax{endings[axis]}"), [x], x.shape)
        site.builder.add_softmax(last, parts, multiply(site, parts.exponentials, inverse, "normalised"))
        return last
    result = multiply(site, parts.exponentials, inverse)
    site.builder.add_softmax(result, parts, result)
    return result


def softmax_parts(site: Site, x: Value, mask: Mask | None, axis: int) -> Softmax:
    """e^x, 0 at masked places, and 1 / Σ e^x.

    Args:
        site: operation that is lowered.
        x: finite values.
        mask: places that are left out; None for none.
        axis: axis of the sample over which the sum goes.
    """
    e = activate(site, x, Exp(), "exp") if mask is None else _of_kept_places(site, x, mask)
    last = len(x.shape) - 1
    if axis == last:
        total = site.emit(Linear(Dense(np.ones((1, x.shape[-1]))), macs=0), [e], (*x.shape[:-1], 1), "sum")
    else:
        total = over_axes(site, e, axis + 1, True, "sum")
    return Softmax(e, falling(site, total, Reciprocal, SMALLEST), axis)


def _of_kept_places(site: Site, x: Value, mask: Mask) -> Value:
    """e^x at the places that are not masked, which alone are computed, and 0 at the others."""
    same = 0  # leading axes along which the mask does not change
    while same < mask.ndim - 1 and (mask == mask[(slice(None),) * same + (slice(0, 1),)]).all():
        same += 1
    leading = mask.shape[:same] or (1,)
    one = mask[(0,) * same].ravel()
    rows = np.arange(prod(x.shape), dtype=np.int32).reshape(*leading, one.size)
    e = activate(site, selected(site, x, rows[..., ~one]), Exp(), "exp")
    index = np.full(rows.shape, -1, np.int32)
    index[..., ~one] = np.arange(prod(e.shape), dtype=np.int32).reshape(e.shape)
    return site.reindex(e, index.reshape(x.shape), "exp.placed")


def selected(site: Site, x: Value, index: Any) -> Value:
    """x.ravel()[index], computed from those places alone of the operations before it, where these allow it.

    Args:
        site: operation that is lowered.
        x: value whose places are selected.
        index: the places, each from 0 on.
    """
    op, inputs = site.builder.read(x)
    if isinstance(op, Reindex) and op.index.min() >= 0:
        return selected(site, inputs[0], op.index.ravel()[index])
    if isinstance(op, Affine):
        scale, shift = (np.broadcast_to(part, x.shape).ravel()[index] for part in (op.scale, op.shift))
        scale, shift = (part.flat[0] if (part == part.flat[0]).all() else part for part in (scale, shift))
        return affine(site, selected(site, inputs[0], index), scale, shift, "kept.scaled")
    if isinstance(op, Add | Multiply) and len(inputs) == 2:
        kept = [selected(site, value, index) for value in inputs]
        return site.emit(op, kept, kept[0].shape, "kept.sum" if isinstance(op, Add) else "kept.product")
    if isinstance(op, Linear) and isinstance(op.op, Dense) and op.bias is None and op.scale is None:
        outputs, terms = op.op.weight.shape
        if outputs == 1:  # a sum over the last axis
            places = np.asarray(index)[..., None] * terms + np.arange(terms, dtype=np.int32)
            summed = selected(site, inputs[0], places)
            macs = None if op.macs is None else op.macs * index.size // prod(x.shape)
            total = site.emit(Linear(op.op, macs=macs), [summed], (*index.shape, 1), "kept")
            return reshaped(site, total, index.shape, "kept.flat")
    return site.reindex(x, index, "kept.places")


moves(["softmax", "log_softmax"], Moves(axes=True))
