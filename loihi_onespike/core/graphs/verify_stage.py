"""The rules of a stage graph, as something that runs. Every producer of a `StageGraph` ends with `verify_stage`."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import InputPlan, InputStage, Link, OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.core.maps import Shape, broadcasts_to, op_input_shape
from loihi_onespike.errors import GraphError


def verify_stage(graph: StageGraph) -> StageGraph:
    """Check every rule and return the graph.

    Order: one input first, the outputs last, every stage behind those that it reads; names are unique.
    Shapes: of every link through its gather and its map; factors, biases, grids and plans broadcast to their stage.
    Plans: either no stage has one or every hidden stage has; a table has an entry per phase and, for decisions on the
    whole input, does not increase; signed stages have a table for negative spikes, those with a dip a far one too.

    Raises:
        GraphError: with the stage or the link, what was found, and the limit.
    """
    _order(graph)
    shapes: dict[str, Shape] = {}
    for stage in graph.stages:
        if not isinstance(stage, InputStage):
            for link in stage.links:
                _link(stage, link, shapes)
            _stage(stage)
        if not isinstance(stage, OutputStage):
            shapes[stage.name] = stage.shape
    if graph.input_plan is not None:
        _input_plan(graph.input, graph.input_plan)
    _plans(graph)
    return graph


def _fail(name: str, message: str) -> NoReturn:
    raise GraphError(f"{name}: {message}")


def _order(graph: StageGraph) -> None:
    repeated = sorted(name for name, count in Counter(s.name for s in graph.stages).items() if count > 1)
    if repeated:
        _fail(graph.name, f"names of stages must be unique, got {', '.join(repeated)} more than once")
    kinds = [type(stage) for stage in graph.stages]
    if kinds.count(InputStage) != 1 or kinds[0] is not InputStage:
        _fail(graph.name, f"must have one input, in the first place, got {kinds.count(InputStage)}")
    outputs = kinds.count(OutputStage)
    if not outputs or set(kinds[-outputs:]) != {OutputStage}:
        _fail(graph.name, f"must have at least one output, and its outputs in the last places, got {outputs}")


def _link(stage: Stage | OutputStage, link: Link, shapes: dict[str, Shape]) -> None:
    edge = f"{link.pre} → {stage.name}"
    if link.pre not in shapes:
        _fail(edge, f"must read a stage with spikes in front of {stage.name}, got {link.pre}")
    shape = shapes[link.pre]
    if link.index is not None and link.index.size:
        low, high, limit = int(link.index.min()), int(link.index.max()), prod(shape)
        if low < -1 or high >= limit:
            _fail(edge, f"index must lie in [-1, {limit - 1}], got {low} to {high}")
    try:
        given = link.op.output_shape(op_input_shape(shape, link.index))
    except GraphError as error:
        raise GraphError(f"{edge}: {error}") from error
    if given != stage.shape:
        _fail(edge, f"must give shape {stage.shape}, got {given}")
    _broadcasts(edge, "scale", link.scale, stage.shape)


def _stage(stage: Stage | OutputStage) -> None:
    if not stage.links:
        _fail(stage.name, "must read at least one stage, got no link")
    _broadcasts(stage.name, "bias", stage.bias, stage.shape)
    _factors(stage)
    if stage.grid is not None:
        if len(stage.grid.exponents) != len(stage.links):
            _fail(
                stage.name,
                f"grid must have an exponent for each of {len(stage.links)} links, got {len(stage.grid.exponents)}",
            )
        _broadcasts(stage.name, "unit of the grid", stage.grid.unit, stage.shape, positive=True)
    if isinstance(stage, Stage) and not set(stage.axes_shared) <= set(range(len(stage.shape))):
        _fail(stage.name, f"axes_shared must be axes of the shape {stage.shape}, got {stage.axes_shared}")
    if isinstance(stage, OutputStage) and stage.order is not None:
        low, high, limit = int(stage.order.min(initial=0)), int(stage.order.max(initial=0)), prod(stage.shape)
        if low < -1 or high >= limit:
            _fail(stage.name, f"order must lie in [-1, {limit - 1}], got {low} to {high}")


def _factors(stage: Stage | OutputStage) -> None:
    found = sorted({link.factor for link in stage.links})
    if found != ([0, 1] if stage.is_product else [0]):
        what = "0 and 1 in a product" if stage.is_product else "0 in a stage that is no product"
        _fail(stage.name, f"factors of its links must be {what}, got {', '.join(map(str, found))}")
    for i, bias in enumerate(stage.factor_biases or () if isinstance(stage, Stage) else ()):
        _broadcasts(stage.name, f"bias of factor {i}", bias, stage.shape)


def _broadcasts(name: str, quantity: str, values: NDArray[np.float64], shape: Shape, *, positive: bool = False) -> None:
    if not broadcasts_to(np.shape(values), shape):
        _fail(name, f"{quantity} must broadcast to {shape}, got shape {np.shape(values)}")
    if not np.all(np.isfinite(values)):
        _fail(name, f"{quantity} must be finite, got NaN or infinity")
    if positive and not np.all(np.asarray(values) > 0):
        _fail(name, f"{quantity} must be positive, got {float(np.min(values)):g}")


def _input_plan(stage: InputStage, plan: InputPlan) -> None:
    _broadcasts(stage.name, "scale", plan.scale, stage.shape, positive=True)
    _broadcasts(stage.name, "offset", plan.offset, stage.shape)


def _plans(graph: StageGraph) -> None:
    if not graph.plans:
        return
    hidden = {stage.name: stage for stage in graph.hidden}
    unknown = sorted(set(graph.plans) - set(hidden))
    if unknown:
        _fail(graph.name, f"plans must be of hidden stages, got {', '.join(unknown)}")
    for name, stage in hidden.items():
        if name not in graph.plans:
            _fail(name, "must have a plan as the other stages do, got none")
        _plan(stage, graph.plans[name])


def _one_sided(stage: Stage, plan: StagePlan, one_sided: NDArray[np.bool_]) -> None:
    if plan.negative is None or plan.far is not None or stage.is_product:
        lacks = "without negative spikes" if plan.negative is None else "with a dip or of products"
        _fail(stage.name, f"one_sided must be None in a stage {lacks}, got {int(one_sided.sum())} one-sided entries")
    if one_sided.dtype != bool or not broadcasts_to(one_sided.shape, stage.shape):
        found = f"{one_sided.dtype} of shape {one_sided.shape}"
        _fail(stage.name, f"one_sided must be bool and broadcast to {stage.shape}, got {found}")
    least = min(plan.table.min(), plan.negative.min())
    if least < 0:
        _fail(stage.name, f"thresholds must not be negative where neurons are one-sided, got {least:g}")


def _plan(stage: Stage, plan: StagePlan) -> None:
    for quantity, values, positive in (
        ("scale", plan.scale, True),
        ("threshold", plan.threshold, True),
        ("offset", plan.offset, False),
    ):
        _broadcasts(stage.name, quantity, values, stage.shape, positive=positive)
    if plan.wait is not None and plan.wait < 0:
        _fail(stage.name, f"wait must be None or 0 and more, got {plan.wait}")
    if plan.negative is None and not stage.nonnegative:
        _fail(stage.name, f"must have a table of negative spikes for {stage.activation.name}, got none")
    if plan.far is None and stage.activation.dips:
        _fail(stage.name, f"must have a far table of negative spikes for {stage.activation.name}, got none")
    if plan.far is not None and plan.negative is None:
        _fail(stage.name, "must have a table of negative spikes beside the far table, got none")
    if plan.one_sided is not None:
        _one_sided(stage, plan, plan.one_sided)
    # The intervals of later words contain those of earlier ones, so far thresholds grow where the others fall.
    rising_far = None if plan.far is None else -plan.far
    tables = (("table", plan.table), ("table of negative spikes", plan.negative), ("minus the far table", rising_far))
    for what, table in tables:
        if table is None:
            continue
        words, of_phase = len(plan.code.messages), plan.code.words_per_phase
        each = "phase" if of_phase == 1 else "code word"
        if np.shape(table) != (words,):
            _fail(stage.name, f"{what} must have {words} entries, one per {each}, got {np.size(table)}")
        if np.any(np.isnan(table)):
            _fail(stage.name, f"{what} must hold numbers, got NaN")
        rises = table[1:] > table[:-1]
        if plan.wait is not None:  # thresholds for a short wait are fitted phase by phase, and may rise between phases
            rises[of_phase - 1 :: of_phase] = False
        rising = np.flatnonzero(rises)
        if rising.size:
            w = int(rising[0]) + 1
            _fail(
                stage.name, f"{what} must not increase, got {table[w - 1]:g} at {each} {w} and {table[w]:g} behind it"
            )
