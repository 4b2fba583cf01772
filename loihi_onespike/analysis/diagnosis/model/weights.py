"""Linear part of a population, whose rounding of the weights can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.executors.tensors.stage_sum import StageSum


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """Weighted sum of a stage with integer weights, with weights of full precision, and with those of the ANN.

    Attributes:
        integer: sum with the weights of the integer network.
        rounded: sum with weights rounded to all bits of `weight_bits`; None where `integer` has this precision.
        real: sum with the weights of the ANN.
        coarseness: largest factor by which the integer weights are coarser than `weight_bits` allows.
        at_bits: builds the sum with weights of another width.
        bias_integer: bias of the integer network; all biases are broadcastable to a batch.
        bias_real: bias before rounding.
        bias_exact: bias before rounding and without the corrections of the calibration.
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
        """Factors and sums whose total has the weights without these errors; both errors of a weight are additive."""
        weights, headroom = Cause.WEIGHTS in off, Cause.HEADROOM in off
        if self.rounded is None or (weights and headroom):
            return [(1.0, self.real if weights else self.integer)]
        if headroom:
            return [(1.0, self.rounded)]
        if weights:
            return [(1.0, self.integer), (-1.0, self.rounded), (1.0, self.real)]
        return [(1.0, self.integer)]

    def bias(self, off: Collection[Cause], corrected: bool) -> torch.Tensor:
        """Bias without these errors, with or without the corrections of the calibration."""
        if not corrected:
            return self.bias_exact
        return self.bias_real if Cause.WEIGHTS in off else self.bias_integer
