"""Affine expressions over stages: what the lowering knows about each value of the ANN graph.

    value = reindex( Σ_terms scale · op(gather(stage)) + constant )

Convolutions, batch norm, additions, concatenation and reindexing of the ANN only build expressions; a stage (a
population of neurons) comes into being where the ANN is not linear, or where a linear map meets an expression that it
cannot absorb.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.ir.linear import LinearMap, Shape

Float = NDArray[np.float64]
Index = NDArray[np.int32]

ONE = np.ones(())
ZERO = np.zeros(())


@dataclass(frozen=True, eq=False)
class Term:
    """scale · op(gather(value of stage)); op None is the identity."""

    stage: str
    index: Index | None = None
    op: LinearMap | None = None
    scale: Float = field(default_factory=lambda: ONE)
    macs: int = 0

    @property
    def is_copy(self) -> bool:
        """A stage's value, rearranged and scaled, with no map on it."""
        return self.op is None


@dataclass(frozen=True, eq=False)
class Expression:
    """Affine combination of stages.

    Attributes:
        terms: summed contributions, each of `inner_shape`.
        constant: broadcastable to inner_shape.
        inner_shape: shape of the terms.
        outer: gather applied to the sum; its shape is the expression's shape. None for no rearrangement.
        nonnegative: the value is known not to be negative.
        shared: axes of inner_shape over which neurons share weights and scales.
    """

    terms: tuple[Term, ...]
    constant: Float
    inner_shape: Shape
    shared: tuple[int, ...]
    outer: Index | None = None
    nonnegative: bool = False

    @property
    def shape(self) -> Shape:
        return self.inner_shape if self.outer is None else self.outer.shape

    @property
    def is_copy(self) -> bool:
        """Only rearranged and scaled stages: linear maps can take it as their input."""
        return self.outer is None and all(t.is_copy for t in self.terms)

    @property
    def is_plain(self) -> bool:
        """Exactly one stage's own value, perhaps rearranged, with factor 1."""
        return (
            self.is_copy
            and len(self.terms) == 1
            and bool(np.all(self.terms[0].scale == 1))
            and not np.any(self.constant)
        )


def reindexed(values: Float, shape: Shape, index: Index, missing: float) -> Float:
    """Broadcast `values` to shape, then gather; `missing` where index is -1. Stays 0-d where it can."""
    if values.size == 1 and (index.min() >= 0 or float(values.item()) == missing):
        return values.reshape(())
    flat = np.append(np.broadcast_to(values, shape).ravel(), missing)
    return shrink(flat[index])


def shrink(values: Float) -> Float:
    """Reduce every axis along which `values` is constant to length 1 (keeps per-channel parameters small)."""
    for axis in range(values.ndim):
        first = np.take(values, [0], axis=axis)
        if values.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, values.shape), values):
            values = first
    return values


def compose(outer: Index, inner: Index | None) -> Index:
    """Gather `outer` of a value that is itself the gather `inner` of something."""
    if inner is None:
        return outer
    flat = np.append(inner.ravel(), -1)
    return flat[outer].astype(np.int32)


def is_identity(index: Index, shape: Shape) -> bool:
    return index.shape == shape and np.array_equal(index.ravel(), np.arange(index.size))


def reindex(e: Expression, index: Index, shared: tuple[int, ...]) -> Expression:
    """Gather of an expression. Copies absorb it; anything else keeps it outside, where a dense map or ReLU takes it."""
    if is_identity(index, e.shape):
        return e
    if not e.is_copy:
        return replace(e, outer=compose(index, e.outer))
    terms = tuple(
        replace(t, index=compose(index, t.index), scale=reindexed(t.scale, e.inner_shape, index, 1.0)) for t in e.terms
    )
    constant = reindexed(e.constant, e.inner_shape, index, 0.0)
    return Expression(terms, constant, index.shape, shared, None, e.nonnegative)
