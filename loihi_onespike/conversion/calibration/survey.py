"""Survey of the ANN's activations on the calibration data: the largest values, and samples of every channel."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.channels import SAMPLES, Channels
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph
from loihi_onespike.errors import CalibrationError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.executors.tensors.activation_functions import activate

if TYPE_CHECKING:
    from loihi_onespike.jobs.distributed import Ranks

Float = NDArray[np.float64]


class Survey:
    """Largest |value| of every neuron, and samples of every channel, per hidden stage.

    The places that are sampled depend only on the position of the batch among all images. Ranks that share the batches
    therefore find together exactly what one process finds.

    Args:
        graph: stages with the arithmetic of the ANN.
        batches: batches of all images, the same on every rank.
        total: number of images.
        ranks: processes that share the batches, every one of which gets the whole survey; None for one process.

    Attributes:
        maxima: largest |value| of every neuron, (*shape), by stage name.
        samples: (channels, n) values, by stage name; stages of max pooling have none.
        images: number of images that were seen.

    Raises:
        CalibrationError: there are no data, or values that are not finite.
        DistributedError: another rank failed.
    """

    def __init__(
        self,
        graph: StageGraph,
        batches: Iterable[NDArray[np.floating] | SparseSample],
        total: int,
        ranks: Ranks | None = None,
    ) -> None:
        self.maxima: dict[str, Float] = {}
        self.samples: dict[str, Float] = {}
        self.images = 0
        parts: dict[str, dict[int, Float]] = {}
        largest: dict[str, torch.Tensor] = {}
        ann = FloatExecutor(graph, coded=False)

        def observe(stage: Stage | OutputStage, z: torch.Tensor) -> None:
            if not isinstance(stage, Stage):
                return
            pooled = stage.kind == "max_pool"
            value = z if pooled else activate(stage.activation, z)
            seen = value.abs().amax(dim=0)
            largest[stage.name] = torch.maximum(largest[stage.name], seen) if stage.name in largest else seen
            if not pooled:
                channels = Channels.of(stage)
                places = channels.places(len(value), self.images)
                keep = -(-SAMPLES * len(value) // max(total, 1))
                found = channels.sample(value, tuple(i[:keep] for i in places))
                parts.setdefault(stage.name, {})[self.images] = found

        with nullcontext() if ranks is None else ranks.failing_together():
            for number, batch in enumerate(batches):
                if ranks is None or number % ranks.size == ranks.rank:
                    ann.run(batch, observe)
                self.images += 1 if isinstance(batch, SparseSample) else len(batch)
            if self.images == 0:
                raise CalibrationError("calibration data: must be at least one batch, got none")
        if ranks is not None:
            largest, parts = _merged(ranks, largest, parts)
        for stage in graph.hidden:
            values = largest[stage.name]
            if not bool(torch.isfinite(values).all()):
                raise CalibrationError(
                    f"{stage.name}: the ANN gives NaN or infinity on the calibration data; check model and data"
                )
            self.maxima[stage.name] = values.double().cpu().numpy()
        self.samples = {
            stage.name: np.concatenate([part for _, part in sorted(parts[stage.name].items())], axis=1)
            for stage in graph.hidden
            if stage.name in parts
        }


def _merged(
    ranks: Ranks, largest: dict[str, torch.Tensor], parts: dict[str, dict[int, Float]]
) -> tuple[dict[str, torch.Tensor], dict[str, dict[int, Float]]]:
    """The surveys of all ranks as one: the largest values, and the samples by the position of their batch."""
    all_largest: dict[str, torch.Tensor] = {}
    all_parts: dict[str, dict[int, Float]] = {}
    for seen, samples in ranks.gather((largest, parts)):
        for name, values in seen.items():
            all_largest[name] = torch.maximum(all_largest[name], values) if name in all_largest else values
        for name, part in samples.items():
            all_parts.setdefault(name, {}).update(part)
    return all_largest, all_parts
