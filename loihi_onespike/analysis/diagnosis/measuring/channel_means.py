"""Shift of pre-activations that keeps the mean of every channel, as the calibration does with the biases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.analysis.diagnosis.model.layer_model import LayerModel, like
from loihi_onespike.analysis.diagnosis.model.sent_values import Decision
from loihi_onespike.conversion.calibration.population import LEAST_ACTIVE, STEP

ROUNDS = 8
"""Iterations that find the shift of a channel."""
SAMPLES = 1024
"""Values of a channel that the iterations use."""


def with_means(layer: LayerModel, decision: Decision, off: Collection[Cause], wanted: torch.Tensor) -> Decision:
    """Decision on pre-activations that are shifted, channel by channel, until the values have given means.

    The shift is found as in `conversion.calibration.sequential`, from a sample of every channel.

    Args:
        layer: the population.
        decision: its decision before the shift.
        off: causes that are switched off, as in `LayerModel.sent`.
        wanted: values (B, *shape) whose means are to be met.

    Returns:
        The decision on the shifted pre-activations.
    """
    channels = layer.channels
    if layer.coder is None:
        shift = channels.mean(wanted) - channels.mean(decision.z)
        return replace(decision, z=decision.z + like(channels.per_channel(shift), wanted))
    places = channels.places(len(wanted), 0)
    places = tuple(i[:: max(len(i) // SAMPLES, 1)] for i in places)
    coder = layer.coder.of_samples(channels)

    def samples(values: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(channels.sample(values, places).T)).float()

    z, target = samples(decision.z), samples(wanted).mean(dim=0)
    if decision.noise is not None and Cause.NOISE not in off:
        target = target - samples(decision.noise).mean(dim=0)
    offset = like(coder.offset, z)
    shift_of = torch.zeros(channels.count)
    for _ in range(ROUNDS):
        moved = z + shift_of
        values = coder.value(coder.exact(moved), coder.phases(moved, layer.waits_short), off)
        active = (moved + offset > 0).float().mean(dim=0).clamp(min=LEAST_ACTIVE)
        shift_of = shift_of + STEP * (target - values.mean(dim=0)) / active
    moved = decision.z + shift_of.reshape(channels.parameter_shape)
    whole = layer.on_whole(moved)
    return replace(decision, z=moved, on_whole=whole, phases=whole if decision.noise is None else decision.phases)
