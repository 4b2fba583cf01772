"""A model with batches of samples: the common case of a conversion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.input_code import plan_input
from loihi_onespike.conversion.codes_of_options import InputCode
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.ann_output import ann_output

TRACED_IMAGES = 2
"""Samples on which the model is traced and compared with its stages."""
HEADROOM_IMAGES = (4, 64)
"""Fewest and most calibration images that are sent through the integer network to measure its head-room …"""
HEADROOM_NEURONS = 2**24
"""… as many as make about this number of neurons, so that large networks take no longer than small ones."""


@dataclass(frozen=True, eq=False)
class BatchSource:
    """A model traced on the first samples; implements `ConversionSource`.

    Attributes:
        model: the trained network.
        batches: arrays (n, *shape) from `calibration_batches`.
        graph: the traced model, max pooling moved behind the ReLU that it commutes with.
        is_graph: False.
        facts: none.
    """

    model: torch.nn.Module
    batches: Sequence[NDArray[np.floating]]
    graph: AnnGraph
    is_graph: bool = field(default=False, init=False)
    facts: Mapping[str, object] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, model: torch.nn.Module, batches: Sequence[NDArray[np.floating]]) -> BatchSource:
        """Trace the model; raises UnsupportedModelError with every operation that has no one-spike form."""
        graph, rewrites = pool_last(trace(model, torch.from_numpy(batches[0][:TRACED_IMAGES])))
        return cls(model, batches, replace(graph, rewrites=rewrites))

    def refuse_unsupported(self, stages: StageGraph) -> None:
        """Every dense input can be sent."""

    def sample_and_output(self) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """The first samples and what the model computes from them."""
        x = self.batches[0][:TRACED_IMAGES]
        return x, ann_output(self.model, x)

    def plan_input(self, stages: StageGraph, code: InputCode) -> StageGraph:
        """Attach code, range and offset of the input to the stages, see `plan_input`."""
        return plan_input(stages, self.batches, code)

    def headroom_sample(self, stages: StageGraph) -> NDArray[np.floating]:
        """As many calibration images as the size of the network allows."""
        neurons = sum(int(np.prod(stage.shape)) for stage in stages.hidden)
        return np.concatenate(self.batches)[: int(np.clip(HEADROOM_NEURONS // neurons, *HEADROOM_IMAGES))]
