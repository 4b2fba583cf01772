"""Survey of the ANN's activations on the calibration data: the largest values, and samples of every channel."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.channels import SAMPLES, Channels, pooling_of
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph
from loihi_onespike.errors import CalibrationError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.executors.tensors.activation_functions import activate
from loihi_onespike.executors.threads import over_shares, sharing_threads

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
        samples: (channels, n) values, by stage name, of a stage that a max pooling alone reads those that it passes on;
            stages of max pooling have none.
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
        largest: dict[str, torch.Tensor] = {}
        parts: dict[str, dict[int, Float]] = {}
        ann = FloatExecutor(graph, coded=False)
        waiting: list[tuple[int, NDArray[np.floating] | SparseSample]] = []  # first image and batch

        def look() -> None:
            found = over_shares(lambda given: _seen(ann, given[1], given[0], total), waiting)
            _merge(largest, parts, found)
            waiting.clear()

        with nullcontext() if ranks is None else ranks.failing_together():
            for number, batch in enumerate(batches):
                if ranks is None or number % ranks.size == ranks.rank:
                    waiting.append((self.images, batch))
                if len(waiting) == sharing_threads():
                    look()
                self.images += 1 if isinstance(batch, SparseSample) else len(batch)
            look()
            if self.images == 0:
                raise CalibrationError("calibration data: must be at least one batch, got none")
        if ranks is not None:
            found, largest, parts = ranks.gather((largest, parts)), {}, {}
            _merge(largest, parts, found)
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


Seen: TypeAlias = tuple[dict[str, torch.Tensor], dict[str, dict[int, Float]]]
"""By stage: largest |value| of every neuron, and samples by the first image of their batch."""


def _seen(ann: FloatExecutor, batch: NDArray[np.floating] | SparseSample, first: int, total: int) -> Seen:
    """What a batch shows.

    Args:
        ann: runs the ANN.
        batch: the batch.
        first: number of its first image among all.
        total: number of all images.
    """
    largest: dict[str, torch.Tensor] = {}
    parts: dict[str, dict[int, Float]] = {}
    read_as = {}  # stage whose values are sampled, and the stage that they are samples of
    for stage in ann.graph.hidden:
        if stage.kind != "max_pool":
            pooling = pooling_of(ann.graph, stage)
            read_as[stage.name if pooling is None else pooling.name] = stage.name

    def observe(stage: Stage | OutputStage, z: torch.Tensor) -> None:
        if not isinstance(stage, Stage):
            return
        pooled = stage.kind == "max_pool"
        value = z if pooled else activate(stage.activation, z)
        largest[stage.name] = value.abs().amax(dim=0)
        sampled = read_as.get(stage.name)
        if sampled is not None:
            channels = Channels.of(stage)
            places = channels.places(len(value), first)
            keep = -(-SAMPLES * len(value) // max(total, 1))
            parts[sampled] = {first: channels.sample(value, tuple(i[:keep] for i in places))}

    ann.run(batch, observe)
    return largest, parts


def _merge(largest: dict[str, torch.Tensor], parts: dict[str, dict[int, Float]], found: Iterable[Seen]) -> None:
    """Add what further batches show to the largest values, and to the samples by the position of their batch."""
    for seen, samples in found:
        for name, values in seen.items():
            largest[name] = torch.maximum(largest[name], values) if name in largest else values
        for name, part in samples.items():
            parts.setdefault(name, {}).update(part)
