"""The linear part of a population with the rounding of its weights on switches."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.executors.tensors.stage_sum import StageSum


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The sum of a stage with its weights as they are, as `weight_bits` would leave them, and as the ANN has them.

    Attributes:
        integer: with the weights of the integer network.
        rounded: with all the bits of `weight_bits`; None where the integer network has them all.
        real: with the weights of the ANN.
        coarseness: largest factor by which integer weights are coarser than `weight_bits` allows.
        at_bits: the sum with weights of another width.
        bias_integer, bias_real, bias_exact: of the integer network, before it was rounded, and without corrections by
            the calibration; broadcastable to a batch.
    """

    integer: StageSum
    rounded: StageSum | None
    real: StageSum
    coarseness: float
    at_bits: Callable[[int], StageSum]
    bias_integer: torch.Tensor
    bias_real: torch.Tensor
    bias_exact: torch.Tensor

    def sums(self, off: Collection[Cause]) -> list[tuple[float, StageSum]]:
        """Sums with factors whose total has the weights without these errors: both errors of a weight add up."""
        weights, headroom = Cause.WEIGHTS in off, Cause.HEADROOM in off
        if self.rounded is None or (weights and headroom):
            return [(1.0, self.real if weights else self.integer)]
        if headroom:
            return [(1.0, self.rounded)]
        if weights:
            return [(1.0, self.integer), (-1.0, self.rounded), (1.0, self.real)]
        return [(1.0, self.integer)]

    def bias(self, off: Collection[Cause], corrected: bool) -> torch.Tensor:
        if not corrected:
            return self.bias_exact
        return self.bias_real if Cause.WEIGHTS in off else self.bias_integer
