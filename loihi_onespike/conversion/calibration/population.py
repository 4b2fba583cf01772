"""One population's code: λ, first negative phase, thresholds and bias under which its spikes carry the ANN's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.channels import SAMPLES, Channels
from loihi_onespike.conversion.calibration.code_fit import FACTORS, ActivationValues, CodeFit, fit_population
from loihi_onespike.conversion.calibration.code_grid import SortedValues
from loihi_onespike.conversion.calibration.early_thresholds import fit_early_thresholds
from loihi_onespike.conversion.calibration.sent_levels import mean_sent_levels, sent_levels
from loihi_onespike.conversion.method import Method
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.graphs.stage import Stage, StageGraph, StagePlan
from loihi_onespike.executors.tensors.activation_functions import activate

Float = NDArray[np.float64]

ROUNDS = 2
"""Fits of scale and bias, which depend on each other."""
LEAST_SAMPLES = 512
BIAS_ROUNDS = 6
STEP = 0.7
"""Part of the missing mean that one round adds to the bias."""
LEAST_ACTIVE = 0.1
"""Share of active neurons that a step of the bias is divided by at least, so that it does not overshoot."""


@dataclass(frozen=True)
class CalibrationSettings:
    """What the calibration has to know beside the data.

    Attributes:
        codes: code of every hidden population by name.
        largest: λ by Eq. 2 of every hidden population, broadcastable to its shape.
        wait: steps before the first decision, None for a full wait.
        weight_bits: of the integer weights.
        method: which parts are on.
        seed: of the choice of samples.
    """

    codes: Mapping[str, SingleSpikeCode]
    largest: Mapping[str, Float]
    wait: int | None
    weight_bits: int
    method: Method
    seed: int = 0


@dataclass(frozen=True, eq=False)
class PopulationTarget:
    """A population and what is known of it before any data.

    Attributes:
        stage: of the graph.
        channels: places that share λ and bias.
        largest: (C,) largest activation of every channel, the λ of Eq. 2.
        per_channel: every channel has a λ of its own.
        two_sided: a spike of either sign may stand for values above and below a middle one.
    """

    stage: Stage
    channels: Channels
    largest: Float
    per_channel: bool
    two_sided: bool

    @classmethod
    def of(cls, graph: StageGraph, stage: Stage, largest: Float, method: Method) -> PopulationTarget:
        """The target of a stage of a graph.

        Args:
            graph: graph that holds the stage.
            stage: the stage.
            largest: λ by Eq. 2, broadcastable to the shape of the stage.
            method: parts of the calibration that are on.
        """
        channels = Channels.of(stage)
        # max pooling passes the first spike, so a spike in front of it must never stand for a small value
        pooled = any(s.kind == "max_pool" and stage.name in {k.pre for k in s.links} for s in graph.hidden)
        return cls(
            stage,
            channels,
            np.broadcast_to(largest, channels.parameter_shape).reshape(-1),
            largest.size == channels.count > 1,
            method.two_sided and stage.activation == RELU and not pooled,
        )

    def values(self, samples: Float) -> ActivationValues:
        """Samples (C, n) of its activations, to be carried."""
        return ActivationValues(
            SortedValues(samples), self.largest, not self.stage.nonnegative, not self.per_channel, self.two_sided
        )


def plan_population(
    target: PopulationTarget,
    parts: list[torch.Tensor],
    values: torch.Tensor,
    shift: Float,
    settings: CalibrationSettings,
) -> tuple[StagePlan, Float]:
    """Plan, and bias per channel (offset not taken off) under which the coded values have the mean of the ANN's.

    Args:
        target: what is planned.
        settings: settings of the calibration.
        parts: (N, *shape) pre-activations of the SNN at steps wait + 1 … T_in.
        values: (N, *shape) values of the ANN.
        shift: (C,) bias to start from.
    """
    channels, method = target.channels, settings.method
    places = channels.places(len(values), settings.seed, max(LEAST_SAMPLES, 2 * SAMPLES // (1 + len(parts))))
    seen, wanted = np.stack([channels.sample(z, places) for z in parts]), channels.sample(values, places)
    for _ in range(ROUNDS if method.bias else 1):
        plan = _fitted(target, seen + shift[:, None], settings)
        if method.bias:
            shift = _unbiased(seen, wanted, plan, target, shift)
    if method.bias:  # once more on all the data, where the samples leave some chance
        levels = channels.mean(sent_levels(parts, channels.per_channel(shift) - plan.offset, plan))
        _, scale, middle = _per_channel(plan, channels)
        missing = channels.mean(values) - levels * scale[:, 0] - middle[:, 0]
        active = (
            channels.mean((parts[-1] > 0).float()) if target.stage.activation.rectifies else np.ones(channels.count)
        )
        shift = shift + STEP * missing / np.maximum(active, LEAST_ACTIVE)
    return plan, shift


def _fitted(target: PopulationTarget, seen: Float, settings: CalibrationSettings) -> StagePlan:
    """λ, first negative phase and thresholds of least error for pre-activations (S, C, n)."""
    method, code = settings.method, settings.codes[target.stage.name]
    carry = activate(target.stage.activation, torch.from_numpy(seen[-1])).numpy()
    factors = FACTORS if method.scales else np.ones(1)
    fit = fit_population(target.values(carry), code.levels(), code.thresholds(), factors)
    plan = _coded(target, code, fit, settings.wait)
    if not method.waits or len(seen) == 1:
        return plan
    factor, scale, middle = _per_channel(plan, target.channels)
    arrived = ((seen - middle) / factor).astype(np.float32).reshape(len(seen), -1)
    wanted = ((carry - middle) / scale).astype(np.float32).reshape(-1)
    weight = np.broadcast_to(scale**2, carry.shape).astype(np.float32).reshape(-1)
    return fit_early_thresholds(arrived, wanted, weight, plan)


def _coded(target: PopulationTarget, code: SingleSpikeCode, fit: CodeFit, wait: int | None) -> StagePlan:
    activation, rank = target.stage.activation, len(target.stage.shape)
    scale = target.channels.per_channel(fit.scales) if target.per_channel else fit.scales[:1].reshape((1,) * rank)
    if activation.homogeneous and np.isfinite(activation.largest):
        # the first level stands for whatever lies beyond the limit
        scale = np.minimum(scale, activation.largest / code.levels()[0])
    plan = StagePlan.of(activation, code, scale, wait)
    if fit.first_negative_phase is None:
        return plan
    sent = np.arange(1, code.timesteps + 1) >= fit.first_negative_phase
    negative = np.where(sent, code.thresholds(), np.inf)
    return replace(plan, negative=negative, offset=scale * code.levels()[fit.first_negative_phase - 1])


def _unbiased(parts: Float, wanted: Float, plan: StagePlan, target: PopulationTarget, shift: Float) -> Float:
    """Bias per channel under which the coded samples have the mean of the wanted ones.

    Args:
        parts: (S, C, n) pre-activations; wanted: (C, n) values.
        shift: (C,) bias to start from.
    """
    factor, scale, middle = _per_channel(plan, target.channels)
    mean = (wanted.mean(axis=1) - middle[:, 0]) / scale[:, 0]
    for _ in range(BIAS_ROUNDS):
        levels, active = mean_sent_levels(parts, shift - middle[:, 0], factor[:, 0], shift, plan)
        if not target.stage.activation.rectifies:
            active = np.ones(len(shift))
        shift = shift + STEP * scale[:, 0] * (mean - levels) / np.maximum(active, LEAST_ACTIVE)
    return shift


def _per_channel(plan: StagePlan, channels: Channels) -> tuple[Float, Float, Float]:
    """Threshold, λ and value of no spike, (C, 1) each."""
    factors = (plan.threshold, plan.scale, plan.offset)
    factor, scale, middle = (np.broadcast_to(a, channels.parameter_shape).reshape(-1, 1) for a in factors)
    return factor, scale, middle
