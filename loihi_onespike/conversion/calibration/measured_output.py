"""Errors at the output of the ANN that a change of its input or of its weights causes, as measured on a graph."""

from __future__ import annotations

from typing import Any

import torch

from loihi_onespike.conversion.calibration.channels import Channels
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.executors.float.float_executor import FloatExecutor


class MeasuredOutput:
    """The outputs of the ANN without what the host does with them, and their variance.

    Args:
        graph: stages with the arithmetic of the ANN.
        x: the sample.
    """

    def __init__(self, graph: StageGraph, x: Any) -> None:
        self._channels = Channels.of(graph.output)
        self._exact = self._output(FloatExecutor(graph, coded=False), x)
        self._variance = self._power(self._exact) or 1.0

    def error(self, ann: FloatExecutor, x: Any) -> float:
        """Squared difference of the outputs about its mean in every channel, as a share of their variance.

        Args:
            ann: an ANN with other weights, or the same.
            x: other values of the sample, or the same.
        """
        return self._power(self._output(ann, x) - self._exact) / self._variance

    @torch.no_grad()
    def _output(self, ann: FloatExecutor, x: Any) -> torch.Tensor:
        """(1, *shape)."""
        found: list[torch.Tensor] = []
        ann.run(x, lambda stage, z: found.append(z.double()) if stage is ann.graph.output else None)
        return found[-1]

    def _power(self, values: torch.Tensor) -> float:
        """Sum of squares about the mean of every channel."""
        shared = [0, *(axis + 1 for axis in self._channels.shared)]
        return float((values - values.mean(dim=shared, keepdim=True)).square().sum())
