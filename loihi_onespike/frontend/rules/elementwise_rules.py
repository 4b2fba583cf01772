"""Rules of sums, and operations that do not change values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from loihi_onespike.core.graphs.ann import Add, Affine
from loihi_onespike.frontend.tracing.builder import Mask, Value
from loihi_onespike.frontend.tracing.gather import gather
from loihi_onespike.frontend.tracing.moved_batch import Moves, moves
from loihi_onespike.frontend.tracing.registry import rule
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import advice_for


def affine(site: Site, x: Value, scale: ArrayLike, shift: ArrayLike, part: str = "") -> Value:
    """y = scale · x + shift, without a node if y equals x.

    Args:
        site: operation that is lowered.
        x: input value, which is repeated where a constant has more places.
        scale, shift: constants that broadcast with x.
        part: name of the node within the operation, empty where it is the only one.
    """
    scale, shift = np.asarray(scale, np.float64), np.asarray(shift, np.float64)
    if not (np.isfinite(scale).all() and np.isfinite(shift).all()):
        site.refuse("not_finite", f"{site.display} with a constant that is not finite", consequence=True)
    shape = np.broadcast_shapes(x.shape, scale.shape, shift.shape)
    if shape != x.shape:
        x = gather(site, x, lambda t: _align(t, len(shape)).expand(-1, *shape), "expand")
    if not scale.any():  # nothing of x is left: x · 0, a common way to write zeros for padding
        x, scale = site.reindex(x, np.full(shape, -1), "zero" if shift.any() else part), np.ones(())
    if (scale == 1).all() and not shift.any():
        return x
    return site.emit(Affine(scale, shift), [x], shape, part)


def _align(t: torch.Tensor, rank: int) -> torch.Tensor:
    """Axes of length one behind the batch axis, until a sample has `rank` axes."""
    return t.reshape(t.shape[0], *(1,) * (rank + 1 - t.ndim), *t.shape[1:])


@rule("add")
def add(site: Site, input: Any, other: Any, *, alpha: float = 1) -> Value:
    """y = a + α b, of activations or constants."""
    if isinstance(input, Value) and isinstance(other, Value):
        if alpha != 1:
            other = affine(site, other, alpha, 0, "scaled")
        return sum_of(site, input, other)
    if isinstance(input, Value):
        return add_constant(site, input, alpha * site.constant(other, input.shape))
    return add_constant(site, affine(site, other, alpha, 0, "scaled"), site.constant(input, other.shape))


def add_constant(site: Site, x: Value, shift: NDArray[np.float64]) -> Value:
    """x + a constant, which may be minus infinity at some places, as masks of attention are.

    Args:
        site: operation that is lowered.
        x: input value.
        shift: the constant, which broadcasts with x.
    """
    infinite = shift == -np.inf
    if not infinite.any():
        return affine(site, x, 1, shift)
    shape = np.broadcast_shapes(x.shape, shift.shape)
    return masked(site, affine(site, x, np.ones(shape), np.where(infinite, 0.0, shift), "finite"), infinite)


def masked(site: Site, x: Value, mask: Mask) -> Value:
    """The value with minus infinity at the places of a mask: a placeholder that only a softmax reads.

    Args:
        site: operation that is lowered.
        x: input value.
        mask: the places, in a shape that broadcasts to that of x.
    """
    if not mask.any():
        return x
    found = f"{site.display} with minus infinity in front of something other than a softmax"
    finding = Refusal(found, advice_for("minus_infinity")).finding(site.name, site.source)
    return site.builder.add_masked(f"{site.name}.masked", x, np.broadcast_to(mask, x.shape), site.source, finding)


def sum_of(site: Site, a: Value, b: Value, part: str = "") -> Value:
    """y = a + b.

    Args:
        site: operation that is lowered.
        a, b: input values; one is repeated where the other has more places.
        part: name of the node within the operation, empty where it is the only one.
    """
    a, b = of_one_shape(site, a, b)
    return affine(site, a, 2, 0, part) if a == b else site.emit(Add(), [a, b], a.shape, part)


def of_one_shape(site: Site, a: Value, b: Value) -> tuple[Value, Value]:
    """Both values, one of them repeated where the other has more places.

    Args:
        site: operation that is lowered.
        a, b: input values.
    """
    if a.shape == b.shape:
        return a, b
    shape = torch.broadcast_shapes((site.batch, *a.shape), (site.batch, *b.shape))
    first, second = (gather(site, x, lambda t: t.broadcast_to(shape), f"expand{i}") for i, x in enumerate((a, b)))
    return first, second


@rule("sub")
def sub(site: Site, input: Any, other: Any, *, alpha: float = 1) -> Value:
    """y = a - α b."""
    return add(site, input, other, alpha=-alpha)


@rule("rsub")
def rsub(site: Site, input: Any, other: Any, *, alpha: float = 1) -> Value:
    """y = b - α a."""
    return sub(site, other, input, alpha=alpha)


@rule("neg")
def neg(site: Site, input: Any) -> Value:
    """y = -x."""
    return affine(site, site.activation(input), -1, 0)


@rule("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
def dropout(site: Site, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Value:
    """y = x; dropout that is active in eval mode is refused."""
    if training and p != 0:
        site.refuse("dropout", f"{site.display} that is active in eval mode")
    return site.activation(input)


@rule("torchvision.ops.stochastic_depth.stochastic_depth")
def stochastic_depth(site: Site, input: Any, p: float, mode: str, training: bool = True) -> Value:
    """y = x in eval mode."""
    return dropout(site, input, p, training)


COPIES = (
    *("contiguous", "clone", "detach", "requires_grad", "alias", "pos", "positive", "real", "data", "to", "cpu"),
    *("cuda", "to_copy", "lift_fresh_copy", "float", "double", "half", "bfloat16", "type", "type_as"),
)
"""Copies and conversions to other types of floating point numbers, or to another device."""
moves(["add", "sub", "rsub", "neg", "dropout", "alpha_dropout", "aten.dropout", *COPIES], Moves(broadcasts=True))


@rule(*COPIES)
def same_value(site: Site, input: Any, *_: Any, **__: Any) -> Value:
    """y = x for copies and conversions to floating point types; conversions to integers are refused."""
    x = site.activation(input)
    probe = site.rerun(torch.zeros((site.batch, *x.shape), device=site.device))
    if not probe.dtype.is_floating_point:
        site.refuse("rounding", f"{site.display} to {probe.dtype}")
    return x
