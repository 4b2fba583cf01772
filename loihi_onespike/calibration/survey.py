"""What the ANN's activations look like on the calibration data: largest ones and samples of every channel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.calibration.channels import SAMPLES, Channels
from loihi_onespike.errors import CalibrationError
from loihi_onespike.ir.stage import OutputStage, Stage, StageGraph
from loihi_onespike.sim.float import FloatExecutor, activate
from loihi_onespike.sim.sparse_sample import SparseSample

Float = NDArray[np.float64]


class Survey:
    """Largest |value| of every neuron, and samples of every channel, per hidden stage.

    Attributes:
        maxima: full shape, by stage name.
        samples: (channels, n) values, by stage name.
        images: how many samples of data were seen.
    """

    def __init__(self, graph: StageGraph, batches: Iterable[NDArray[np.floating] | SparseSample], total: int) -> None:
        self.maxima: dict[str, Float] = {}
        self.samples: dict[str, Float] = {}
        self.images = 0
        parts: dict[str, list[Float]] = {}
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
                parts.setdefault(stage.name, []).append(channels.sample(value, tuple(i[:keep] for i in places)))

        for batch in batches:
            ann.run(batch, observe)
            self.images += 1 if isinstance(batch, SparseSample) else len(batch)
        if not largest:
            raise CalibrationError("calibration data: found no sample; give at least one batch")
        for name, values in largest.items():
            if not bool(torch.isfinite(values).all()):
                raise CalibrationError(
                    f"{name}: the ANN gives NaN or infinity on the calibration data; check model and data"
                )
            self.maxima[name] = values.double().cpu().numpy()
        self.samples = {name: np.concatenate(part, axis=1) for name, part in parts.items()}
