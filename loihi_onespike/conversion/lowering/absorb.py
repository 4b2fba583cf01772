"""How a linear map takes up what stands before it: input scales, missing channels, constants, other linear maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatch
from math import prod

import numpy as np

from loihi_onespike.conversion.lowering.expression import ONE, Expression, Float, Term, shrink
from loihi_onespike.core.maps import Conv, Dense, Diagonal, LinearMap, Pool, Shape, Sparse
from loihi_onespike.core.maps.connectivity import synapse_matrix

MAX_FOLDED_GROWTH = 64
"""A dense map swallows the linear map before it only while its weights grow by no more than this factor …"""
MAX_FOLDED_WEIGHTS = 2**22
"""… and stay below this number; beyond it a population of its own is cheaper."""


def absorb(op: LinearMap, term: Term, shape: Shape, layer_macs: int | None = None) -> Term | None:
    """The map applied to a copy term, with the term's scale moved into the weights or behind the map.

    Args:
        term: a copy (no map on it) whose value has `shape`.
        layer_macs: multiply-accumulates of the whole ANN layer where they are not those of `op`, see `ann.Linear`.
            A term that reads a part of the channels takes its part of them.

    Returns:
        None when the term's scale varies over places that share weights.
    """
    result = _absorb(op, replace(term, scale=_aligned(term.scale, shape)), shape)
    if result is None or result.op is None:
        return None
    seen = shape if result.index is None else result.index.shape
    count = macs(result.op, seen)
    if layer_macs is not None:
        whole = macs(op, shape)
        count = round(layer_macs * count / whole) if whole else 0
    return replace(result, macs=count)


def _aligned(scale: Float, shape: Shape) -> Float:
    """Scale with one axis per axis of shape."""
    return shrink(scale.reshape((1,) * (len(shape) - scale.ndim) + scale.shape))


@singledispatch
def _absorb(op: LinearMap, term: Term, shape: Shape) -> Term | None:
    raise TypeError(f"no absorption rule for {type(op).__name__}")


@_absorb.register
def _(op: Conv, term: Term, shape: Shape) -> Term | None:
    if set(term.scale.shape[1:]) - {1}:
        return None
    gain = np.broadcast_to(term.scale.reshape(-1), (shape[0],))
    per_group_in, per_group_out = op.weight.shape[1], op.weight.shape[0] // op.groups
    gain_oi = gain.reshape(op.groups, per_group_in).repeat(per_group_out, axis=0)
    weight = op.weight * gain_oi.reshape(gain_oi.shape + (1,) * (op.weight.ndim - 2))
    index = term.index
    if index is not None and op.groups == 1:
        present = (index >= 0).any(axis=tuple(range(1, index.ndim)))
        if not present.all() and present.any():
            weight, index = weight[:, present], np.ascontiguousarray(index[present])
    return replace(term, op=replace(op, weight=weight), index=index, scale=ONE)


@_absorb.register
def _(op: Dense, term: Term, shape: Shape) -> Term | None:
    if set(term.scale.shape[:-1]) - {1}:
        return None
    weight = op.weight * np.broadcast_to(term.scale.reshape(-1), (shape[-1],))
    index = term.index
    if index is not None:
        present = (index >= 0).any(axis=tuple(range(index.ndim - 1)))
        if not present.all() and present.any():
            weight, index = weight[:, present], np.ascontiguousarray(index[..., present])
    return replace(term, op=replace(op, weight=weight), index=index, scale=ONE)


@_absorb.register
def _(op: Pool, term: Term, shape: Shape) -> Term | None:
    return None if set(term.scale.shape[1:]) - {1} else replace(term, op=op)


@_absorb.register
def _(op: Sparse, term: Term, shape: Shape) -> Term | None:
    return None if term.scale.shape[0] != 1 else replace(term, op=op)


@_absorb.register
def _(op: Diagonal, term: Term, shape: Shape) -> Term | None:
    return replace(term, op=replace(op, weight=op.weight * term.scale), scale=ONE)


def macs(op: LinearMap, shape: Shape) -> int:
    """Multiply-accumulates of the ANN layer: weights applied, padded places counted as layers usually are."""
    out = prod(op.output_shape(shape))
    match op:
        case Conv(weight=weight):
            return out * prod(weight.shape[1:])
        case Dense(weight=weight):
            return out * weight.shape[1]
        case Sparse(weight=weight):
            return int(weight.nnz) * prod(shape[1:])
    return 0


def map_constant(op: LinearMap, constant: Float, shape: Shape) -> Float:
    """op applied to a constant value (zero where the map pads), shrunk where it does not vary."""
    full = np.broadcast_to(constant, shape)
    if isinstance(op, Diagonal):
        return op.weight * full
    if isinstance(op, Dense):
        return shrink(full @ op.weight.T)
    if isinstance(op, Sparse):
        return shrink((op.weight @ full.reshape(shape[0], -1)).reshape(op.output_shape(shape)))
    values = synapse_matrix(op, shape) @ full.ravel()
    return shrink(values.reshape(op.output_shape(shape)))


def fold_dense(op: Dense, e: Expression, shapes: Mapping[str, Shape]) -> Expression | None:
    """Dense map of a vector that is itself a linear map of stages, as one dense map of each stage.

    Returns None where the composite would be too large, see MAX_FOLDED_GROWTH.
    """
    if len(e.shape) != 1:
        return None
    sizes = [prod(shapes[t.stage]) for t in e.terms]
    weights = op.weight.shape[0] * sum(sizes)
    if weights > MAX_FOLDED_WEIGHTS or weights > MAX_FOLDED_GROWTH * op.weight.size:
        return None
    outer = np.arange(prod(e.inner_shape)) if e.outer is None else e.outer.ravel()
    columns = np.zeros((prod(e.inner_shape), op.weight.shape[0]))
    np.add.at(columns, outer[outer >= 0], op.weight.T[outer >= 0])
    rows = columns.T
    terms = []
    for term, size in zip(e.terms, sizes, strict=True):
        inner_op = term.op if term.op is not None else Diagonal(ONE)
        matrix = synapse_matrix(inner_op, shapes[term.stage], term.index)
        scaled = rows * np.broadcast_to(term.scale, e.inner_shape).ravel()
        flat = np.arange(size, dtype=np.int32)
        terms.append(Term(term.stage, flat, Dense(scaled @ matrix), ONE, macs(op, e.shape) // len(sizes) + term.macs))
    constant = rows @ np.broadcast_to(e.constant, e.inner_shape).ravel()
    return Expression(tuple(terms), constant, (op.weight.shape[0],), (0,))
