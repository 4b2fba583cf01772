"""Folding into a linear map what is in front of it: input scales, missing channels, constants, other linear maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from loihi_onespike.conversion.lowering.expression import ONE, Expression, Float, Index, Term
from loihi_onespike.core.maps import Dense, Diagonal, LinearMap, Shape, op_input_shape
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.maps.registry import MapRegistry
from loihi_onespike.core.maps.shapes import aligned, shrink

MAX_FOLDED_GROWTH = 64
"""Largest growth of the number of weights with which a dense map takes up the linear map in front of it."""
MAX_FOLDED_WEIGHTS = 2**22
"""Largest number of weights of such a map; beyond it a population in between is cheaper."""


def absorb(op: LinearMap, term: Term, shape: Shape, layer_macs: int | None = None) -> Term | None:
    """The map applied to a term without a map, with the scale of the term moved into the weights or behind the map.

    Args:
        op: the map.
        term: a rearranged and scaled stage (`Term.is_copy`).
        shape: shape of the value of the term.
        layer_macs: multiply-accumulates of the whole ANN layer if they are not those of `op`, see `ann.Linear`. A term
            that reads some of the channels gets a corresponding share.

    Returns:
        The term, or None if its scale varies between places that share weights.
    """
    scale = aligned(term.scale, shape)
    seen = op.input_scale(scale)
    if seen is None or any(scale.shape[axis] != 1 for axis in op.input_shared_axes(len(shape))):
        return None
    factor = op.input_factor(seen, len(op.output_shape(shape))).on_weights
    if factor is None:  # the scale passes through the map and stays behind it
        result, own = replace(term, op=op, scale=scale), op
    else:
        own, index = _without_silent(op.with_weight_values(op.weight_values * factor), term.index)
        result = replace(term, op=own, index=index, scale=ONE)
    count = own.macs(op_input_shape(shape, result.index))
    if layer_macs is not None:
        whole = op.macs(shape)
        count = round(layer_macs * count / whole) if whole else 0
    return replace(result, macs=count)


def _without_silent(op: LinearMap, index: Index | None) -> tuple[LinearMap, Index | None]:
    """The map and the gather in front of it, without inputs of the map that the gather leaves empty."""
    axis = op.column_axis
    if index is None or axis is None:
        return op, index
    axis %= index.ndim
    present = (index >= 0).any(axis=tuple(a for a in range(index.ndim) if a != axis))
    if present.all() or not present.any():
        return op, index
    return op.with_weight(op.weight[:, present]), np.ascontiguousarray(np.compress(present, index, axis))


def map_constant(op: LinearMap, constant: Float, shape: Shape) -> Float:
    """The map applied to a constant, with zero padding; axes along which the result is constant get length 1.

    Args:
        op: the map.
        constant: broadcastable to `shape`.
        shape: shape of the input of the map.
    """
    return shrink(op.apply(np.broadcast_to(constant, shape)))


FOLDING: MapRegistry[Callable[[Any, Expression, Mapping[str, Shape]], Expression | None]] = MapRegistry(
    "folding with the map in front of it", __name__, otherwise="the value in front of it gets a population of its own"
)
"""Entries fold(op, e, shapes): map `op` of an expression `e` with maps, as one expression with a map per stage."""


@FOLDING.register(Dense)
def fold_dense(op: Dense, e: Expression, shapes: Mapping[str, Shape]) -> Expression | None:
    """Dense map of a vector that is itself a linear map of stages, as one dense map of each stage.

    Args:
        op: the dense map.
        e: expression that it reads.
        shapes: shapes of the stages by name.

    Returns:
        The expression, or None if its maps would be too large, see MAX_FOLDED_GROWTH.
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
        terms.append(Term(term.stage, flat, Dense(scaled @ matrix), ONE, op.macs(e.shape) // len(sizes) + term.macs))
    constant = rows @ np.broadcast_to(e.constant, e.inner_shape).ravel()
    return Expression(tuple(terms), constant, (op.weight.shape[0],), (0,))
