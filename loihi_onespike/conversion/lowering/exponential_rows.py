"""Pass stages → stages that gives every row of a softmax the same largest exponential.

    e^x_i / Σ_j e^x_j = e^(x_i - b) / Σ_j e^(x_j - b)        for any b of the row

The population of the exponentials has one scale λ, and T phases reach down to a fixed share of it. A row whose largest
value lies far below that of another row would have no spikes at all. Therefore b is the largest x of the row on the
calibration data; it is a constant of the bias, unlike the maximum that a processor subtracts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.stage import AnyStage, OutputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.executors.float.float_executor import FloatExecutor

IMAGES = 256
"""Samples whose values are looked at."""
CHECKED = 4
"""Samples on which the output must stay what it was."""
TOLERANCE = 1e-3
"""Largest change of the output, relative to its largest value; it rounds, and nothing else."""


def level_exponentials(graph: StageGraph, batches: Iterable[Any]) -> StageGraph:
    """The graph with the largest value of every row of exponentials in their biases.

    Rows are those of the sum that reads the exponentials. A stage of exponentials that something else reads without
    that sum keeps its biases, since the output would change.

    Args:
        graph: stages of the ANN, without plans.
        batches: calibration inputs (n, *shape).
    """
    rows = {stage.name: found for stage in graph.hidden if (found := _rows(graph, stage)) is not None}
    if not rows:
        return graph
    largest: dict[str, torch.Tensor] = {}

    def observe(stage: Stage | OutputStage, z: torch.Tensor) -> None:
        if stage.name in rows:
            seen = z.amax(dim=0)
            largest[stage.name] = torch.maximum(largest[stage.name], seen) if stage.name in largest else seen

    ann, images, few = FloatExecutor(graph, coded=False), 0, None
    for batch in batches:
        ann.run(batch, observe)
        few = batch[:CHECKED] if few is None else few
        images += len(batch)
        if images >= IMAGES:
            break
    assert few is not None
    changed = 0
    for name, row in rows.items():
        stage = graph.by_name[name]
        assert isinstance(stage, Stage)
        of_row = np.full(int(row.max()) + 1, -np.inf)
        np.maximum.at(of_row, row, largest[name].double().numpy().ravel())
        level = replace(stage, bias=stage.bias - of_row[row].reshape(stage.shape))
        stages: tuple[AnyStage, ...] = tuple(level if s.name == name else s for s in graph.stages)
        tried = replace(graph, stages=stages)
        if _same_output(graph, tried, few):
            graph, changed = tried, changed + 1
    note = f"softmax: exponentials of {changed} layers are relative to the largest of their row on the calibration data"
    return verify_stage(replace(graph, rewrites=(*graph.rewrites, note)) if changed else graph)


def _rows(graph: StageGraph, stage: Stage) -> NDArray[np.int64] | None:
    """Row of every exponential, (neurons,); None where something else is summed up, or one of them in several rows."""
    if not stage.activation.translates:
        return None
    for reader in graph.hidden:
        if reader.is_product or [link.pre for link in reader.links] != [stage.name]:
            continue
        (link,) = reader.links
        sums = synapse_matrix(link.op, stage.shape, link.index).tocoo()
        row = np.full(prod(stage.shape), -1, np.int64)
        row[sums.col] = sums.row
        if len(sums.col) == len(row) and np.all(row >= 0):
            return row
    return None


def _same_output(before: StageGraph, after: StageGraph, x: Any) -> bool:
    first, second = (FloatExecutor(graph, coded=False).run(x) for graph in (before, after))
    difference = float(np.abs(first - second).max(initial=0))
    return difference <= TOLERANCE * max(float(np.abs(first).max(initial=0)), 1e-12)
