"""Pass stages → stages: max pooling of large windows axis after axis, so that its spikes may carry payload.

A pooling neuron holds the messages of its window beside each other in v (docs/arithmetic.md, The neuron): there is room
for 6 bits each with three neurons in a row, but for a single one, which is no payload, with 3 × 3. The largest value of
a window is the largest of the largest values of its rows, and so is the largest message of the first phase: two
populations, one per axis, pass on exactly what one would.
"""

from __future__ import annotations

from dataclasses import replace

from loihi_onespike.core.graphs.stage import InputStage, Link, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_network import digit_of_window
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps.pool import as_pool
from loihi_onespike.core.maps.window import Window

ENOUGH_BITS = 3
"""Bits of payload with which a window stays whole, since a population more costs spikes and updates."""


def separate_pooling(graph: StageGraph, payload_bits: int) -> StageGraph:
    """The graph with max pooling taken apart where its window has room for fewer bits than are asked for.

    Args:
        graph: stages whose input is not planned yet.
        payload_bits: bits of payload of a spike.
    """
    wanted = min(payload_bits, ENOUGH_BITS)
    stages: list[InputStage | Stage | OutputStage] = []
    notes: list[str] = []
    for stage in graph.stages:
        if not isinstance(stage, Stage) or stage.kind != "max_pool" or len(stage.links) > 1:
            stages.append(stage)
            continue
        (link,) = stage.links
        pool = as_pool(link.op, stage.name)
        windows = _per_axis(pool.window)
        if len(windows) < 2 or digit_of_window(pool.fan_in) > wanted:
            stages.append(stage)
            continue
        shape = graph.by_name[link.pre].shape
        for i, window in enumerate(windows, start=1):
            op = replace(pool, window=window)
            shape = op.output_shape(shape)
            name = stage.name if i == len(windows) else f"{stage.name}.axis{i}"
            stages.append(replace(stage, name=name, shape=shape, links=(replace(link, op=op),)))
            link = Link(name, pool, None, link.scale)
        notes.append(f"{stage.name}: pooled axis after axis, since its window has no room for the bits of payload")
    return verify_stage(replace(graph, stages=tuple(stages), rewrites=(*graph.rewrites, *notes))) if notes else graph


def _per_axis(window: Window) -> list[Window]:
    """A window for each axis along which the given one has several taps or steps; done in turn they do what it does."""
    plain = Window.plain((1,) * len(window.kernel))
    every = range(len(window.kernel))
    found = (
        Window(
            tuple((window if d == axis else plain).kernel[d] for d in every),
            tuple((window if d == axis else plain).stride[d] for d in every),
            tuple((window if d == axis else plain).padding[d] for d in every),
            tuple((window if d == axis else plain).dilation[d] for d in every),
        )
        for axis in every
    )
    return [w for w in found if w != plain]
