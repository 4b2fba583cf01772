"""How much an error of a population's values changes the output of the network, from gradients.

Let a be the values of a population with C channels, y the outputs of the network on one sample, and e independent
errors of a without mean. To first order the squared error at the output is

    E |δy|² = Σ_c S_c · E e_c²,   S_c = Σ_places Σ_outputs (∂y / ∂a)²

The same holds for errors of the sums z that a population takes its values from, with ∂y / ∂z. The sum over outputs is
the mean of the squared gradient of r · y over random projections r ~ N(0, 1) of the outputs: one backward pass gives S
of all populations at once. S_c is divided by the variance of the ANN's outputs, so that Σ S_c · E e_c² over all
populations is the predicted error at the output as a share of this variance. Of a network with several outputs it is
the mean of these shares over the outputs, so that none counts more for being larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.channels import Channels
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import OutputStage, StageGraph
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.executors.tensors.activation_functions import activate

Float = NDArray[np.float64]

IMAGES = 64
"""Samples whose gradients are averaged; the sums over places of 64 images vary by a few percent."""
PROBES_OF_A_GRAPH = 8
"""Random projections of the outputs of a graph, which is a single sample, or of few samples."""
BATCH = 16
"""Largest number of samples per backward pass, which keeps the values of all stages."""
BATCH_BYTES = 2**30
"""Memory for the values of one backward pass, which takes fewer samples where they need more."""
BYTES_PER_VALUE = 20
"""Bytes of a value in a backward pass: itself, its sum, what a map gathered of it, and the gradients of both."""
OUTPUTS = 2**20
"""Largest number of outputs that are kept, for their variance and for the estimate of a loss."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Predicted error at the output, as a share of its variance, per squared error of a channel.

    Attributes:
        values: S_c of the values of every hidden stage, (C,) by name.
        sums: the same of the sums that a stage takes its values from, of outputs too.
        outputs: (first) outputs of the ANN on the samples, (rows, channels). A row holds the channels of one place of
            the output; of outputs with many places, evenly spread rows are kept.
    """

    values: Mapping[str, Float]
    sums: Mapping[str, Float]
    outputs: Float


def output_sensitivity(graph: StageGraph, x: Any, seed: int = 0) -> Sensitivity:
    """S_c of values and sums of all stages.

    Args:
        graph: stages with the arithmetic of the ANN.
        x: calibration inputs (N, *shape), of which the first IMAGES are used, or one sparse sample.
        seed: seed of the random projections.
    """
    chance = torch.Generator().manual_seed(seed)
    ann = FloatExecutor(graph, coded=False)
    probes = PROBES_OF_A_GRAPH if isinstance(x, SparseSample) or len(x) < BATCH else 1
    parts: list[Any] = [x] if isinstance(x, SparseSample) else _batches(graph, x[:IMAGES])
    samples = 1 if isinstance(x, SparseSample) else sum(len(part) for part in parts)
    several = len(graph.outputs) > 1
    channels = Channels.of(graph.outputs[0])
    places = _places(graph.outputs[0], channels)
    every = -(-samples * places * channels.count // OUTPUTS)
    total: dict[tuple[str, str], torch.Tensor] = {}
    outputs: list[torch.Tensor] = []
    for part in parts:
        with torch.enable_grad():
            values, sums = _forward(graph, ann, part)
            made = {stage.name: sums[stage.name] for stage in graph.outputs}
            output = made[graph.outputs[0].name]
            relative = [y / _deviation(graph, name, y) for name, y in made.items()] if several else [output]
            wanted = {**{("values", k): v for k, v in values.items()}, **{("sums", k): z for k, z in sums.items()}}
            for left in range(probes - 1, -1, -1):
                first, *others = ((y * torch.randn(y.shape, generator=chance)).sum() for y in relative)
                projected = sum(others, first)
                gradients = torch.autograd.grad(
                    projected, list(wanted.values()), retain_graph=left > 0, materialize_grads=True
                )
                for key, gradient in zip(wanted, gradients, strict=True):
                    squares = _per_channel(gradient.double().square(), Channels.of(graph.by_name[key[1]])) / probes  # type: ignore[arg-type]
                    total[key] = total[key] + squares if key in total else squares
        outputs.append(_rows(output.detach(), channels)[::every].double())
    found = torch.cat(outputs)
    variance = 1.0 if several else places * _variance(found) or 1.0
    scaled: dict[str, dict[str, Float]] = {"values": {}, "sums": {}}
    for (kind, name), squares in total.items():
        if isinstance(graph.by_name[name], OutputStage):  # all its channels count alike; r alone makes them differ
            squares = squares.mean().expand_as(squares)
        scaled[kind][name] = squares.numpy() / (samples * variance)
    return Sensitivity(scaled["values"], scaled["sums"], found.numpy())


def _batches(graph: StageGraph, x: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    """The samples in parts whose backward pass fits into BATCH_BYTES."""
    values = sum(int(np.prod(stage.shape)) for stage in graph.stages)
    size = int(np.clip(BATCH_BYTES // (BYTES_PER_VALUE * values), 1, BATCH))
    return [x[i : i + size] for i in range(0, len(x), size)]


def _places(stage: OutputStage, channels: Channels) -> int:
    return int(np.prod([stage.shape[axis] for axis in channels.shared]))


def _variance(rows: torch.Tensor) -> float:
    """Variance of rows of channels about the mean of every channel, summed over the channels."""
    return float((rows - rows.mean(dim=0)).square().sum() / len(rows))


def _deviation(graph: StageGraph, name: str, output: torch.Tensor) -> float:
    """√(variance of one of several outputs · number of outputs), 1 for a constant one."""
    stage = graph.by_name[name]
    assert isinstance(stage, OutputStage)
    channels = Channels.of(stage)
    rows = _rows(output.detach(), channels).double()
    return (_places(stage, channels) * _variance(rows) * len(graph.outputs)) ** 0.5 or 1.0


def _forward(
    graph: StageGraph, ann: FloatExecutor, x: Any
) -> tuple[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]]:
    """Values of the hidden stages that gradients are wanted of, and the sums of all stages, outputs among them."""
    values: dict[str, Any] = {graph.input.name: ann.input_value(x)}
    hidden: dict[str, torch.Tensor] = {}
    sums: dict[str, torch.Tensor] = {}
    for stage in graph.stages[1:]:
        z = ann.linear_input(stage.name, values)
        if not z.requires_grad:
            z = z.detach().requires_grad_()
        sums[stage.name] = z
        if not isinstance(stage, OutputStage):
            value = z if stage.kind == "max_pool" else activate(stage.activation, z)  # type: ignore[union-attr]
            values[stage.name] = hidden[stage.name] = value
    return hidden, sums


def _per_channel(squares: torch.Tensor, channels: Channels) -> torch.Tensor:
    """Sums over samples and the places of every channel, (C,)."""
    return squares.sum(dim=[0, *(axis + 1 for axis in channels.shared)]).reshape(-1)


def _rows(outputs: torch.Tensor, channels: Channels) -> torch.Tensor:
    """Outputs (N, *shape) as one row of channels per sample and place."""
    own = [axis + 1 for axis in range(len(channels.shape)) if axis not in channels.shared]
    return outputs.permute(0, *(axis + 1 for axis in channels.shared), *own).reshape(-1, channels.count)
