"""Affine expressions over stages, the form in which the lowering holds each value of the ANN graph.

    value = reindex( Σ_terms scale · op(gather(stage)) + constant )

Convolutions, batch norm, additions, concatenation and reindexing only build expressions. A new stage (a population of
neurons) is made where the ANN is not linear, or where a linear map cannot absorb the expression that it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.maps import LinearMap, Shape
from loihi_onespike.core.maps.shapes import shrink

Float = NDArray[np.float64]
Index = NDArray[np.int32]

ONE = np.ones(())
ZERO = np.zeros(())


@dataclass(frozen=True, eq=False)
class Term:
    """scale · op(gather(value of stage)).

    Attributes:
        stage: name of the stage.
        index: gather in front of the map; None for none.
        op: linear map; None for the identity.
        scale: broadcastable to the shape of the result.
        macs: multiply-accumulates of the ANN that the term computes.
    """

    stage: str
    index: Index | None = None
    op: LinearMap | None = None
    scale: Float = field(default_factory=lambda: ONE)
    macs: int = 0

    @property
    def is_copy(self) -> bool:
        """Whether the term is the value of a stage, rearranged and scaled but without a map."""
        return self.op is None


@dataclass(frozen=True, eq=False)
class Expression:
    """Affine combination of stages.

    Attributes:
        terms: summed contributions, each of `inner_shape`.
        constant: broadcastable to `inner_shape`.
        inner_shape: shape of the terms.
        shared: axes of `inner_shape` over which neurons share weights and scales.
        outer: gather that is applied to the sum, with the shape of the expression; None for none.
        nonnegative: the value is known not to be negative.
    """

    terms: tuple[Term, ...]
    constant: Float
    inner_shape: Shape
    shared: tuple[int, ...]
    outer: Index | None = None
    nonnegative: bool = False

    @property
    def shape(self) -> Shape:
        """Shape of the value without the batch."""
        return self.inner_shape if self.outer is None else self.outer.shape

    @property
    def is_copy(self) -> bool:
        """Whether the terms are only rearranged and scaled stages, so that a linear map can read the expression."""
        return self.outer is None and all(t.is_copy for t in self.terms)


def reindexed(values: Float, shape: Shape, index: Index, missing: float) -> Float:
    """Broadcast values to a shape, then gather them; equal values stay an array without axes.

    Args:
        values: values that broadcast to the shape.
        shape: shape before the gather.
        index: index into the flat value, -1 for `missing`.
        missing: value where the index is -1.
    """
    if values.size == 1 and (index.min() >= 0 or float(values.item()) == missing):
        return values.reshape(())
    flat = np.append(np.broadcast_to(values, shape).ravel(), missing)
    return shrink(flat[index])


def compose(outer: Index, inner: Index | None) -> Index:
    """Gather `outer` of a value that is itself the gather `inner` of something."""
    if inner is None:
        return outer
    flat = np.append(inner.ravel(), -1)
    return flat[outer].astype(np.int32)


def is_identity(index: Index, shape: Shape) -> bool:
    """Whether a gather of a value of this shape changes nothing."""
    return index.shape == shape and np.array_equal(index.ravel(), np.arange(index.size))


def reindex(e: Expression, index: Index, shared: tuple[int, ...]) -> Expression:
    """Gather of an expression.

    Expressions without maps absorb it into their terms. Others keep it as `outer`, where a dense map or a ReLU takes
    it.

    Args:
        e: the expression.
        index: index into the flat value, -1 for zero.
        shared: axes of the result over which neurons share weights and scales.
    """
    if is_identity(index, e.shape):
        return e
    if not e.is_copy:
        return replace(e, outer=compose(index, e.outer))
    terms = tuple(
        replace(t, index=compose(index, t.index), scale=reindexed(t.scale, e.inner_shape, index, 1.0)) for t in e.terms
    )
    present = tuple(t for t in terms if t.index is None or bool((t.index >= 0).any()))
    terms = present or terms[:1]  # parts of a concatenation that a slice leaves out are not read
    constant = reindexed(e.constant, e.inner_shape, index, 0.0)
    return Expression(terms, constant, index.shape, shared, None, e.nonnegative)


def affine(e: Expression, scale: Float, shift: Float) -> Expression | None:
    """e · scale + shift; None if e is behind a gather that is no permutation.

    Args:
        e: the expression.
        scale, shift: parameters that broadcast to its shape.
    """
    if e.outer is not None:
        if not _is_rearrangement(e.outer, e.inner_shape):
            return None
        scale, shift = (_unindexed(a, e.outer, e.inner_shape) for a in (scale, shift))
    terms = tuple(replace(t, scale=t.scale * scale) for t in e.terms)
    keeps_sign = e.nonnegative and bool(np.all(scale >= 0)) and bool(np.all(shift >= 0))
    return replace(e, terms=terms, constant=e.constant * scale + shift, nonnegative=keeps_sign)


def plus(e: Expression, bias: Float | None) -> Expression:
    """e + bias, broadcastable to inner_shape; None for no bias."""
    if bias is None or not np.any(bias):
        return e
    return replace(e, constant=e.constant + bias, nonnegative=e.nonnegative and bool(np.all(bias >= 0)))


def total(values: Sequence[Expression], shape: Shape) -> Expression:
    """Sum of expressions that broadcast to one shape and are not rearranged."""
    terms = tuple(t for e in values for t in e.terms)
    constant = sum((e.constant for e in values), ZERO)
    # What a map gives knows which places share weights; for a rearranged value this is a guess from its shape.
    mapped = [e for e in values if not e.is_copy] or values
    shared = max((e.shared for e in mapped), key=len)
    return Expression(terms, constant, shape, shared, None, all(e.nonnegative for e in values))


def concatenated(copies: Sequence[Expression], axis: int, shape: Shape) -> Expression:
    """Concatenation along an axis: each expression is gathered to its place, with zeros elsewhere, and all are summed.

    Args:
        copies: expressions without maps (`Expression.is_copy`); all share the axes of the first one.
        axis: axis along which they are joined.
        shape: shape of the result.
    """
    axis %= len(shape)
    parts, offset = [], 0
    for e in copies:
        place: list[slice] = [slice(None)] * len(shape)
        place[axis] = slice(offset, offset + e.shape[axis])
        offset += e.shape[axis]
        index = np.full(shape, -1, np.int32)
        index[tuple(place)] = np.arange(prod(e.shape), dtype=np.int32).reshape(e.shape)
        parts.append(reindex(e, index, e.shared))
    joined = total(parts, shape)
    return replace(joined, constant=shrink(joined.constant), shared=parts[0].shared)


def shared_axes(shape: Shape, before: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Axes over which one scale is shared: all but the channel axis; features of a vector share one (paper II-C).

    Args:
        shape: shape of the value.
        before: shared axes of the value that was rearranged into this shape.
    """
    if before is not None and len(shape) > 1 and len(before) == len(shape) - 1:
        return before
    return (0,) if len(shape) == 1 else tuple(range(1, len(shape)))


def inverse_of(index: Index | None, shape: Shape) -> Index | None:
    """Gather that takes back a rearrangement of a value of `shape`; None where the index is none or rearranges nothing.

    Args:
        index: index into the flat value.
        shape: shape of the value before the gather.
    """
    if index is None or not _is_rearrangement(index, shape):
        return None
    inverse = np.empty(index.size, np.int32)
    inverse[index.ravel()] = np.arange(index.size, dtype=np.int32)
    return inverse.reshape(shape)


def _is_rearrangement(outer: Index, shape: Shape) -> bool:
    return outer.size == prod(shape) and np.array_equal(np.sort(outer.ravel()), np.arange(outer.size))


def _unindexed(values: Float, outer: Index, shape: Shape) -> Float:
    """Parameters of a rearranged value, brought to the order before the rearrangement."""
    if values.ndim == 0:
        return values
    inner = np.empty(prod(shape))
    inner[outer.ravel()] = np.broadcast_to(values, outer.shape).ravel()
    return shrink(inner.reshape(shape))
