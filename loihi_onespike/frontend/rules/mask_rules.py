"""Rules of constant masks: places are filled with a number, chosen from two values, or set to minus infinity.

Minus infinity has no neuron: a value with such places is a placeholder, which only a softmax reads. It leaves these
places out of its sum, so that they need no work.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from loihi_onespike.core.graphs.ann import Add, Affine, Reindex
from loihi_onespike.frontend.rules.elementwise_rules import affine, masked, of_one_shape
from loihi_onespike.frontend.tracing.builder import Mask, Value
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Site

NEGLIGIBLE = -80.0
"""Constants this far below the largest of their row count as minus infinity: e^-80 is 2 · 10^-35."""


def unmasked(site: Site, x: Value) -> tuple[Value, Mask | None]:
    """A value whose places are all finite, and the mask of those that are minus infinity; None where there are none."""
    placeholder = site.builder.mask_of(x)
    if placeholder is not None:
        value, mask = placeholder
        inner, before = unmasked(site, value)
        return inner, mask if before is None else mask | before
    op, inputs = site.builder.read(x)
    if isinstance(op, Reindex):
        value, found = unmasked(site, inputs[0])
        if found is None:
            return x, None
        return site.reindex(value, op.index, "unmasked"), (found.ravel()[op.index] & (op.index >= 0))
    if isinstance(op, Affine):
        return _unmasked_affine(site, x, op, inputs[0])
    if isinstance(op, Add):
        parts = [unmasked(site, value) for value in inputs]
        masks = [mask for _, mask in parts if mask is not None]
        if masks:
            values = [value for value, _ in parts]
            return site.emit(Add(), values, x.shape, "unmasked"), np.logical_or.reduce(masks)
    return x, None


def _unmasked_affine(site: Site, x: Value, op: Affine, before: Value) -> tuple[Value, Mask | None]:
    value, found = unmasked(site, before)
    low = op.shift < op.shift.max() + NEGLIGIBLE
    if found is None and not low.any():
        return x, None
    if not ((op.scale > 0) | low).all():
        return x, None
    scale, shift = (op.scale, op.shift) if not low.any() else (np.where(low, 1, op.scale), np.where(low, 0, op.shift))
    mask = np.broadcast_to(low, x.shape)
    return affine(site, value, scale, shift, "unmasked"), mask if found is None else mask | found


@rule("masked_fill")
def masked_fill(site: Site, input: Any, mask: Any, value: Any) -> Value:
    """y = value at the places of a constant mask, x elsewhere; minus infinity stands in front of a softmax."""
    if isinstance(mask, Value) or isinstance(value, Value):
        site.refuse("where", f"{site.display} with a mask or a number that depends on the input")
    x = site.activation(input)
    fill = float(value)
    where = site.constant(mask, x.shape).astype(bool)
    shape = np.broadcast_shapes(where.shape, x.shape)
    x = affine(site, x, np.ones(shape), 0)
    if fill == -np.inf:
        return masked(site, x, where)
    return affine(site, x, np.where(where, 0.0, 1.0), np.where(where, fill, 0.0))


@rule("where")
def where(site: Site, condition: Any, input: Any, other: Any) -> Value:
    """y = a where a constant mask holds, b elsewhere."""
    if isinstance(condition, Value):
        site.refuse("where", f"{site.display} with a condition that depends on the input")
    if isinstance(input, Value) and isinstance(other, Value):
        a, b = of_one_shape(site, input, other)
        mask = site.constant(condition, a.shape).astype(bool)
        shape = np.broadcast_shapes(mask.shape, a.shape)
        a, b = (affine(site, value, np.ones(shape), 0) for value in (a, b))
        places = np.arange(prod(a.shape)).reshape(a.shape)
        first = site.reindex(a, np.where(mask, places, -1), "first")
        second = site.reindex(b, np.where(mask, -1, places), "second")
        return site.emit(Add(), [first, second], a.shape)
    x, constant, kept = (input, other, condition) if isinstance(input, Value) else (other, input, ~condition)
    chosen, numbers = site.constant(kept, x.shape).astype(bool), site.constant(constant, x.shape)
    shape = np.broadcast_shapes(x.shape, chosen.shape, numbers.shape)
    chosen, numbers = np.broadcast_to(chosen, shape), np.broadcast_to(numbers, shape)
    infinite = ~chosen & (numbers == -np.inf)
    scale = np.where(chosen | infinite, 1.0, 0.0)
    return masked(site, affine(site, x, scale, np.where(chosen | infinite, 0.0, numbers)), infinite)


moves(["masked_fill", "where"], Moves(broadcasts=True))
