"""Weights of all links of a stage as even integers with a common unit of v (docs/arithmetic.md, Integers)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import log2
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.lowering.link_scales import gathered_scale
from loihi_onespike.conversion.options import check_option
from loihi_onespike.conversion.quantization.whole_numbers import whole_numbers
from loihi_onespike.core.graphs.stage import OutputStage, Stage
from loihi_onespike.core.graphs.verify_network import MAX_WEIGHT_EXP
from loihi_onespike.core.maps import LinearMap, Shape
from loihi_onespike.errors import GraphError

Float = NDArray[np.float64]
Rounding: TypeAlias = Callable[[int, Float, Float], Float]
"""rounding(i, weights, unit): whole numbers for the weights of link i, which are given in units of the integer grid.

`unit`, broadcastable to the weights, is what 1 is worth in the sum of the neuron, in units of the ANN.
"""


def nearest(link: int, weights: Float, unit: Float) -> Float:
    """Every weight rounded to the nearest whole number.

    Args:
        link: number of the link, which does not matter here.
        weights: real weights in units of the integer grid.
        unit: what 1 is worth, which does not matter here either.
    """
    return np.rint(weights)


def integer_links(
    stage: Stage | OutputStage,
    scales: list[tuple[Float, Shape]],
    weight_bits: int,
    finest: Float,
    most_exp: int = MAX_WEIGHT_EXP,
    rounding: Rounding = nearest,
) -> tuple[list[tuple[LinearMap, int]], Float]:
    """Integer map and weight exponent per link, and the real value of v = 1.

        w_int = round(scale · w · λ_in / (unit · 2^weight_exp)) in ±(2^(weight_bits - 1) - 1), stored as 2 · w_int

    The unit of a neuron is the smallest with which the largest weight onto it fits; it is halved for the factor 2 of
    the stored weights. Weights that have been rounded already keep their grid (`Stage.grid`) and become the same
    integers.

    Args:
        stage: stage whose links become integers.
        scales: λ and shape of the population that each link reads.
        weight_bits: width of a weight, sign included.
        finest: lower bound of the unit of v, broadcastable to the shape of the unit.
        most_exp: largest weight exponent.
        rounding: rounding of the weights.

    Returns:
        Maps with int16 weights and their exponents, and the unit, broadcastable to the stage's shape.

    Raises:
        GraphError: the scales of the inputs differ between places that share weights.
    """
    check_option("weight_bits", weight_bits)
    largest = 2 ** (weight_bits - 1) - 1
    scaled = []
    for link, (scale, shape) in zip(stage.links, scales, strict=True):
        seen = gathered_scale(link, scale, shape)
        if seen is None:
            raise GraphError(f"{stage.name}: reads {link.pre} through shared weights, whose λ differ between places")
        scaled.append(_scaled(link.op, seen, link.scale, len(stage.shape)))
    if len(scaled) == 1 and _has_equal_weights(scaled[0]):  # equal weights need a single integer step
        only = scaled[0]
        signs = np.sign(only.op.weight_values) * np.sign(only.gain.flat[0])
        return [(only.op.with_weight_values((2 * signs).astype(np.int16)), 0)], only.amplitude / 2
    scaled = [replace(s, op=s.op.with_row_weights(stage.shape[0])) for s in scaled]
    exponents, unit = _exponents([s.amplitude for s in scaled], most_exp), np.zeros(())
    if stage.grid is not None and max(stage.grid.exponents) <= most_exp:
        exponents, unit = list(stage.grid.exponents), 2 * stage.grid.unit
    for s, exponent in zip(scaled, exponents, strict=True):
        unit = np.maximum(unit, s.amplitude / 2.0**exponent / largest)
    unit = _one_where_shared(unit, [s.op for s in scaled], len(stage.shape))
    shared = {axis for s in scaled for axis in s.op.output_shared_axes(len(stage.shape))}
    unit = np.where(unit > 0, unit, _fallback_unit(unit, shared if unit.ndim == len(stage.shape) else set()))
    unit = unit * _coarser(unit, 2 * finest, [s.op for s in scaled], len(stage.shape))
    maps = []
    for i, (s, exponent) in enumerate(zip(scaled, exponents, strict=True)):
        step = unit * 2.0**exponent
        factor = np.broadcast_to(s.gain / step, np.broadcast_shapes(s.gain.shape, unit.shape))
        maps.append((_rounded(s.op, factor, step, stage, largest, partial(rounding, i)), exponent))
    return maps, unit / 2


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A link before rounding: real weights are gain · op.weight.

    Attributes:
        op: map with λ of its inputs in the weights, where the map has a weight per input.
        gain: the rest of the factor, broadcastable to the stage's shape.
        amplitude: largest |gain · weight| onto each neuron, broadcastable to the stage's shape.
    """

    op: LinearMap
    gain: Float
    amplitude: Float


def largest_where_shared(values: Float, shape: Shape) -> Float:
    """Maximum of `values` along the axes on which `shape` has length 1, where neurons share weights and a unit."""
    aligned = (1,) * (np.ndim(values) - len(shape)) + shape
    shared = tuple(axis for axis, length in enumerate(aligned) if length == 1)
    return values.max(axis=shared, keepdims=True)


def _has_equal_weights(link: _Scaled) -> bool:
    """Whether all weights of a link have one magnitude, as those of a sum do, and all factors on them one sign."""
    magnitude = np.abs(link.op.weight_values)
    if link.op.elementwise or not (magnitude.size > 1 or link.op.single_weight):
        return False
    if not np.all(magnitude == magnitude.flat[0]) or magnitude.flat[0] == 0:
        return False
    # A neuron without weights takes the unit of others, see `_fallback_unit`.
    return bool(np.all(link.amplitude > 0)) and bool(np.all(link.gain > 0) or np.all(link.gain < 0))


def _one_where_shared(unit: Float, maps: list[LinearMap], rank: int) -> Float:
    """The largest unit of the neurons that share the weights of a map; another group may reach some of them alone."""
    if len(maps) == 1 or unit.ndim < rank:
        return unit
    for op in maps:
        unit = unit.max(axis=op.output_shared_axes(rank), keepdims=True)
    return unit


def _coarser(unit: Float, finest: Float, maps: list[LinearMap], rank: int) -> Float:
    """Factor that makes the unit of every neuron at least `finest`, one for all neurons that share weights."""
    factor = np.maximum(finest / unit, 1.0)
    if np.all(factor == 1) or rank < 2 or factor.ndim < rank:
        return factor
    for op in maps:
        factor = factor.max(axis=op.output_shared_axes(rank), keepdims=True)
    return factor


def _fallback_unit(unit: Float, shared: set[int]) -> Float:
    """Unit for neurons without any weight: the median of the others, so that their bias is as precise.

    Args:
        unit: of every neuron, 0 for those without weights.
        shared: axes along which neurons share weights, whose units then keep the ratio that all others have.
    """
    if not np.any(unit > 0):
        return np.ones(())
    known = np.where(unit > 0, unit, np.nan)
    others = tuple(axis for axis in range(unit.ndim) if axis not in shared)
    if not shared or np.isnan(known).all(axis=others).any():
        return np.nanmedian(known)
    return np.nanmedian(known, axis=others, keepdims=True)


def _exponents(amplitudes: list[Float], most: int) -> list[int]:
    """Left shift per link, so that links with weights of different size share one unit at little loss of precision."""
    sizes = [float(np.median(a[a > 0])) if np.any(a > 0) else 0.0 for a in amplitudes]
    smallest = min((s for s in sizes if s > 0), default=1.0)
    return [int(np.clip(np.floor(log2(s / smallest)), 0, most)) if s > 0 else 0 for s in sizes]


def _scaled(op: LinearMap, seen: Float, scale: Float, rank: int) -> _Scaled:
    factor = op.input_factor(seen, rank)
    if factor.on_weights is not None:
        op = op.with_weight_values(op.weight_values * factor.on_weights)
    gain = scale if factor.behind is None else factor.behind * scale
    if op.elementwise:  # every output has a weight of its own, which the rest of the factor is multiplied into
        op, gain = op.with_weight_values(op.weight_values * gain), np.ones(())
    return _Scaled(op, gain, op.largest_weights(rank) * np.abs(gain))


def _even(what: str, values: Float, largest: int) -> NDArray[np.int16]:
    """2 · round(values), limited to ±2 · largest, which only rounding of the division could exceed.

    Args:
        what: layer and quantity, for the error.
        values: real numbers; raises GraphError for NaN.
        largest: largest magnitude before the factor of 2.
    """
    return (2 * np.clip(whole_numbers(what, values), -largest, largest)).astype(np.int16)


def _rounded(
    op: LinearMap,
    factor: Float,
    step: Float,
    stage: Stage | OutputStage,
    largest: int,
    rounding: Callable[[Float, Float], Float],
) -> LinearMap:
    """The map with weights 2 · round(factor · weight); raises GraphError if places with one weight differ in factor.

    Where they differ in the step of the sum, the rounding sees the largest one.
    """
    axes = op.output_shared_axes(len(stage.shape))
    table, steps = (_with_rank(values, len(stage.shape)) if axes else values for values in (factor, step))
    for axis in axes:
        first = table.take([0], axis)
        if not np.allclose(table, first, rtol=1e-9, atol=0):
            raise GraphError(f"{stage.name}: several synapse groups whose scales differ between places of one channel")
        table = first
    unit = op.output_factor(steps.max(axis=axes, keepdims=True))
    whole = rounding(op.weight_values * op.output_factor(table), unit)
    return op.with_weight_values(_even(f"{stage.name}: weights", whole, largest))


def _with_rank(values: Float, rank: int) -> Float:
    """Values with axes of length 1 in front up to this rank."""
    return np.reshape(values, (1,) * (rank - np.ndim(values)) + np.shape(values))
