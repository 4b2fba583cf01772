"""Fig. 7: values of the layers in the one-spike network and in the ANN, with and without the threshold shift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.paper_tables.experiment import Experiment, paper
from benchmarks.paper_tables.table import Row, Table
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.executors.tensors.activation_functions import activate

IMAGES = 32
"""Number of images whose values are compared; their values are kept in memory."""
Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class LayerValues:
    """Values (N, neurons) by layer in the units of the ANN.

    Attributes:
        ann: values of the ANN.
        shifted: values of the one-spike network with the threshold shift.
        floored: values of the one-spike network without it, which rounds down.
    """

    ann: Values
    shifted: Values
    floored: Values


def layer_values(experiment: Experiment, timesteps: int, base: float) -> LayerValues:
    """Values of all layers for the first images.

    Args:
        experiment: model and data.
        timesteps: T.
        base: Q of the paper's method.
    """
    images = np.asarray(experiment.data.take(IMAGES).images[:])
    shifted = experiment.planned(paper(timesteps, base))
    floored = experiment.planned(paper(timesteps, base, threshold_shift=False))
    return LayerValues(_ann_values(shifted, images), _coded_values(shifted, images), _coded_values(floored, images))


def fig7(experiment: Experiment, timesteps: int, base: float) -> tuple[Table, LayerValues]:
    """Per layer: relative error ‖SNN − ANN‖ / ‖ANN‖, slope of SNN on ANN through the origin, share of silent neurons.

    Without the shift, values are rounded down; the error accumulates from layer to layer until deep layers send no
    spikes.

    Args:
        experiment: model and data.
        timesteps: T.
        base: Q of the paper's method.

    Returns:
        The table and the values, for a plot.
    """
    values = layer_values(experiment, timesteps, base)
    rows: list[Row] = [
        {
            "layer": name,
            "error": _error(values.shifted[name], ann),
            "error, no shift": _error(values.floored[name], ann),
            "slope": _slope(values.shifted[name], ann),
            "slope, no shift": _slope(values.floored[name], ann),
            "zeros ANN": float(np.mean(ann == 0)),
            "zeros": float(np.mean(values.shifted[name] == 0)),
            "zeros, no shift": float(np.mean(values.floored[name] == 0)),
        }
        for name, ann in values.ann.items()
    ]
    accuracies = [
        experiment.float_result(paper(timesteps, base, threshold_shift=shift), count_spikes=False).accuracy
        for shift in (True, False)
    ]
    notes = [
        f"paper's method, T={timesteps}, Q={base}, float weights, full wait; layers compared on "
        f"{min(IMAGES, len(experiment.data))} of the images",
        f"accuracy: ANN {experiment.ann_accuracy}, with the shift {accuracies[0]}, without {accuracies[1]}",
    ]
    return Table("Fig. 7: threshold shift on and off, layer by layer", rows, notes, experiment.facts), values


def _ann_values(stages: StageGraph, images: NDArray[np.floating]) -> Values:
    found: dict[str, NDArray[np.float64]] = {}

    def observe(stage: Stage | OutputStage, z: torch.Tensor) -> None:
        value = activate(stage.activation, z) if isinstance(stage, Stage) and stage.kind != "max_pool" else z
        found[stage.name] = _flat(value.double().cpu().numpy())

    FloatExecutor(stages, coded=False).run(images, observe)
    return found


def _coded_values(stages: StageGraph, images: NDArray[np.floating]) -> Values:
    """λ times the level of every spike; for the output its sums."""
    trace = FloatExecutor(stages).trace(images)
    found = {}
    for name, plan in stages.plans.items():
        words = trace.layers[name].words
        assert words is not None
        found[name] = _flat(plan.code.decode(words) * plan.scale + plan.offset)
    output = trace.layers[stages.output.name].v
    assert output is not None
    found[stages.output.name] = _flat(output)
    return found


def _flat(values: NDArray[Any]) -> NDArray[np.float64]:
    return values.reshape(len(values), -1)


def _error(found: NDArray[np.float64], ann: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(found - ann)) / max(float(np.linalg.norm(ann)), 1e-30)


def _slope(found: NDArray[np.float64], ann: NDArray[np.float64]) -> float:
    return float((found * ann).sum()) / max(float((ann * ann).sum()), 1e-30)
