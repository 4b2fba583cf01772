"""Code of the input, chosen on calibration data (docs/arithmetic.md, The code)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.codes_of_options import EnoughBits, InputCode, code_of_digits
from loihi_onespike.conversion.lowering.link_scales import gathered_scale
from loihi_onespike.conversion.lowering.offset_folding import fold_offsets
from loihi_onespike.core.codes import PositionalCode
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.input_parts import InputParts
from loihi_onespike.core.graphs.stage import InputPlan, InputStage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Shape
from loihi_onespike.errors import CalibrationError, Finding, UnsupportedModelError

AUTO_BITS = (8, 12)
"""Fewest and most bits that "auto" takes. A further bit takes a step of the first layer and a bit of its head-room."""
INPUT_ERROR = 0.01
"""Rounding error of the input that "auto" allows, relative to the standard deviation of its values."""
GRID_TOLERANCE = 1e-3
"""Largest distance of a value from a grid, as a fraction of its step, at which the value counts as a grid value."""


def plan_input(
    graph: StageGraph, batches: Iterable[NDArray[np.floating]], code: InputCode, parts: InputParts | None = None
) -> StageGraph:
    """Choose range and grid of the input and fold its offset into the biases that read it.

        x ≈ offset + scale · Σ levels

    There is one range per channel for inputs with channels (`channel_axis`), and one for vectors. If the
    calibration values lie on a uniform grid that the code can represent, as 8-bit images do after any normalisation
    per channel, the code takes this grid and represents the input exactly; otherwise the range is divided evenly.
    With zero padding the effect of the offset differs at the border, so the new bias has a value per neuron.

    Args:
        graph: stages whose input is planned.
        batches: calibration inputs (n, *shape).
        code: code of the input; its number of bits may be left to the data.
        parts: the inputs of a model with several; they share the code, and each has ranges of its own.
    """
    whole = parts is None
    places = (slice(None),) if parts is None else parts.slices
    shapes = (graph.input.shape,) if parts is None else parts.shapes
    axes = (channel_axis(graph),) if parts is None else part_axes(graph, parts)
    surveys = [_Survey(shape, axis) for shape, axis in zip(shapes, axes, strict=True)]
    for batch in batches:
        for survey, place, shape in zip(surveys, places, shapes, strict=True):
            survey.add(batch if whole else batch[:, place].reshape(-1, *shape))

    def of_all(found: Callable[[_Survey], NDArray[np.float64]]) -> NDArray[np.float64]:
        values = [found(survey) for survey in surveys]
        flat = (np.broadcast_to(v, shape).ravel() for v, shape in zip(values, shapes, strict=True))
        return values[0] if whole else np.concatenate(list(flat))

    low, span = of_all(_Survey.low), of_all(_Survey.span)
    if isinstance(code, EnoughBits):
        on_grid = all(survey.on_grid(2 ** AUTO_BITS[0] - 1) for survey in surveys)
        bits = AUTO_BITS[0] if on_grid else max(enough_bits(s.span(), s.variance()) for s in surveys)
        code = code_of_digits(bits, code.digit_bits)
    if isinstance(code, PositionalCode):
        steps = 2**code.bits - 1
        scale = code.scale_of_step(of_all(lambda survey: survey.grid_step(steps)))
    else:
        scale = code.scale_of_range(span)
    return fold_offset(graph, InputPlan(code, scale, low))


def part_axes(graph: StageGraph, parts: InputParts) -> tuple[int | None, ...]:
    """Axis of every input whose places may have ranges of their own, as `channel_axis`; None for one range.

    Args:
        graph: stages whose input is not planned yet.
        parts: the inputs, side by side in the input of the graph.

    Raises:
        UnsupportedModelError: weights are shared between places of different inputs.
    """
    links = [
        (s, link)
        for s in graph.stages
        if not isinstance(s, InputStage)
        for link in s.links
        if link.pre == graph.input.name
    ]
    scales = np.concatenate([np.full(prod(shape), 1.0 + i) for i, shape in enumerate(parts.shapes)])
    for stage, link in links:
        if gathered_scale(link, scales, graph.input.shape) is None:
            found = "weights that are shared between values of different inputs"
            supported = "inputs that are read by layers, or channels, of their own"
            remedy = "join these inputs to one outside of the model"
            raise UnsupportedModelError([Finding(stage.name, found, stage.source, supported, remedy)])
    axes: list[int | None] = []
    for place, shape in zip(parts.slices, parts.shapes, strict=True):
        found_axis = None
        for axis in range(len(shape)) if len(shape) > 1 else ():
            distinct = scales.copy()
            values = 1.0 + len(parts.shapes) + np.arange(shape[axis])
            distinct[place] = np.broadcast_to(values.reshape(-1, *(1,) * (len(shape) - 1 - axis)), shape).ravel()
            if all(gathered_scale(link, distinct, graph.input.shape) is not None for _, link in links):
                found_axis = axis
                break
        axes.append(found_axis)
    return tuple(axes)


def channel_axis(graph: StageGraph) -> int | None:
    """Axis of the input whose places may have ranges of their own; None where all values share one.

    Weights that are shared between places need the same λ at all of them. The channels are on the first axis for
    convolutions, on the last one for a linear layer over the features of a sequence, and elsewhere where the model
    permutes its input; the first axis that suits all stages that read the input is taken.

    Args:
        graph: stages whose input is not planned yet.
    """
    shape, name = graph.input.shape, graph.input.name
    if len(shape) == 1:
        return None
    links = [link for s in graph.stages if not isinstance(s, InputStage) for link in s.links if link.pre == name]
    for axis, channels in enumerate(shape):
        distinct = np.arange(1.0, channels + 1).reshape(-1, *(1,) * (len(shape) - 1 - axis))
        if all(gathered_scale(link, distinct, shape) is not None for link in links):
            return axis
    return None


def enough_bits(span: NDArray[np.float64], variance: NDArray[np.float64]) -> int:
    """The fewest bits for which √(Σ step² / 12 / Σ variance) ≤ INPUT_ERROR, step = span / (2^bits - 1).

    The number of bits is in the range AUTO_BITS; the largest is taken where even it does not reach INPUT_ERROR.

    Args:
        span, variance: range and variance per channel.
    """
    power = float(np.sum(variance))
    for bits in range(*AUTO_BITS):
        error = sqrt(float(np.sum(span**2)) / 12) / (2**bits - 1)
        if error <= INPUT_ERROR * sqrt(power):
            return bits
    return AUTO_BITS[1] if power > 0 else AUTO_BITS[0]


@dataclass
class _Survey:
    """Range, moments and distinct values of each channel; `axis` is that of the channels, None where there are none."""

    shape: Shape
    axis: int | None
    count: int = 0
    moments: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 1)))
    values: list[NDArray[np.float64]] = field(default_factory=list)
    ranges: list[tuple[float, float]] = field(default_factory=list)
    MAX_DISTINCT = 4096

    def add(self, batch: NDArray[np.floating]) -> None:
        by_channel = batch.reshape(1, -1)
        if self.axis is not None:
            by_channel = np.moveaxis(batch, self.axis + 1, 0).reshape(self.shape[self.axis], -1)
        self.count += by_channel.shape[1]
        exact = by_channel.astype(np.float64)
        self.moments = self.moments + np.stack([exact.sum(axis=1), np.square(exact).sum(axis=1)])
        distinct = [np.unique(row) for row in exact]
        if not self.values:
            self.values = distinct
            self.ranges = [(v[0], v[-1]) for v in distinct]
            return
        self.ranges = [(min(lo, v[0]), max(hi, v[-1])) for (lo, hi), v in zip(self.ranges, distinct, strict=True)]
        self.values = [
            old if len(old) > self.MAX_DISTINCT else np.union1d(old, v)
            for old, v in zip(self.values, distinct, strict=True)
        ]

    def _per_channel(self, values: list[float]) -> NDArray[np.float64]:
        array = np.array(values, dtype=np.float64)
        return array.reshape(()) if self.axis is None else array.reshape(-1, *(1,) * (len(self.shape) - 1 - self.axis))

    def low(self) -> NDArray[np.float64]:
        return self._per_channel([lo for lo, _ in self.ranges])

    def span(self) -> NDArray[np.float64]:
        return self._per_channel([hi - lo if hi > lo else 1.0 for lo, hi in self.ranges])

    def variance(self) -> NDArray[np.float64]:
        mean, square = self.moments / max(self.count, 1)
        return self._per_channel(list(np.maximum(square - mean**2, 0)))

    def on_grid(self, steps: int) -> bool:
        """Whether the values of every channel lie on a grid of at most `steps` steps, which represents them exactly."""
        return all(len(v) == 1 or _aligned_step(v, steps) is not None for v in self.values)

    def grid_step(self, steps: int) -> NDArray[np.float64]:
        """Step per channel such that `steps` steps cover the range; that of the grid of the data where there is one."""
        found = []
        for (lo, hi), values in zip(self.ranges, self.values, strict=True):
            even = (hi - lo) / steps if hi > lo else 1.0 / steps
            found.append(_aligned_step(values, steps) or even)
        return self._per_channel(found)


def _aligned_step(values: NDArray[np.float64], steps: int) -> float | None:
    """Step of the grid that the values lie on, divided as finely as `steps` allow; None for values on no grid."""
    if not 2 <= len(values) <= steps + 1:
        return None
    gaps = np.diff(values)
    close = gaps < gaps.max() * GRID_TOLERANCE  # the same value with different rounding
    values = values[np.concatenate([[True], ~close])]
    step = float(np.diff(values).min())
    if step <= 0:
        return None
    places = (values - values[0]) / step
    count = int(np.rint(places[-1]))
    if not 1 <= count <= steps:
        return None
    step = float(values[-1] - values[0]) / count
    if np.abs((values - values[0]) / step - np.rint(places)).max() > max(GRID_TOLERANCE, 1e-2):
        return None
    return step / (steps // count)


def fold_offset(graph: StageGraph, plan: InputPlan) -> StageGraph:
    """Add scale · op(gather(offset)) to the bias of every stage that reads the input."""
    if not np.any(plan.offset):
        return verify_stage(replace(graph, input_plan=plan))
    offsets = {graph.input.name: plan.offset}
    stages = (s if isinstance(s, InputStage) else fold_offsets(s, offsets, graph) for s in graph.stages)
    return verify_stage(replace(graph, stages=tuple(stages), input_plan=plan))


def plan_graph_input(graph: StageGraph, sample: NDArray[np.floating] | SparseSample, code: InputCode) -> StageGraph:
    """The graph with a plan of its input.

    A sparse input has one range for all entries, from 0 to the largest, so that a missing entry sends no spike. A dense
    input has one range per feature. A sparse input with negative entries is planned as a dense one.

    Args:
        graph: stages whose input is planned.
        sample: features or adjacency, dense or sparse.
        code: code of the input; its number of bits may be left to the data.

    Raises:
        CalibrationError: all values are zero.
    """
    values = sample.matrix.data if isinstance(sample, SparseSample) else sample
    if not values.size or not np.any(values):
        raise CalibrationError(
            "graph: must contain a value other than zero, got only zeros; check adjacency and features"
        )
    if isinstance(sample, SparseSample) and values.min() < 0:
        sample = sample.dense("an input that may be negative")
    if isinstance(sample, SparseSample):
        low, high = np.zeros(()), np.array(values.max(), np.float64)
        variance = np.mean(np.square(values, dtype=np.float64))  # about zero, which sends no spike
    else:
        low = np.minimum(sample.min(axis=(0, 1)), 0).astype(np.float64)[None]
        high = np.maximum(sample.max(axis=(0, 1)), 0).astype(np.float64)[None]
        variance = sample.var(axis=(0, 1), dtype=np.float64)[None]
    span = np.where(high > low, high - low, 1.0)
    if isinstance(code, EnoughBits):
        code = code_of_digits(enough_bits(high - low, variance), code.digit_bits)
    return fold_offset(graph, InputPlan(code, code.scale_of_range(span), low))
