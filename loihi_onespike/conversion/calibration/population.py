"""Calibration of one population: λ, first negative word, thresholds and bias that reproduce the values of the ANN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.channels import SAMPLES, Channels, pooling_of
from loihi_onespike.conversion.calibration.code_fit import (
    FACTORS,
    ActivationValues,
    CodeFit,
    fit_population,
    unit_of,
)
from loihi_onespike.conversion.calibration.code_grid import SortedValues
from loihi_onespike.conversion.calibration.codebooks import RELATIVE_MARGIN
from loihi_onespike.conversion.calibration.early_thresholds import fit_early_thresholds
from loihi_onespike.conversion.calibration.priced_fit import OutputCost, fit_priced
from loihi_onespike.conversion.calibration.pruned_entries import PrunedEntries
from loihi_onespike.conversion.calibration.pruning import SynapsePrices
from loihi_onespike.conversion.calibration.sent_levels import lowest_sum, mean_sent_levels, sent_levels
from loihi_onespike.conversion.method import Method
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.graphs.stage import Stage, StageGraph, StagePlan
from loihi_onespike.executors.tensors.activation_functions import activate

Float = NDArray[np.float64]

ROUNDS = 2
"""Number of alternating fits of scale and bias, which depend on each other."""
LEAST_SAMPLES = 512
"""Fewest values that are sampled per channel."""
BIAS_ROUNDS = 6
"""Steps of one fit of the bias."""
STEP = 0.7
"""Part of the missing mean that one step adds to the bias."""
ALWAYS_SENT = 1 / 2
"""Last threshold of values that do not vanish, in parts of the last level."""
LEAST_ACTIVE = 0.1
"""Smallest share of active neurons that a step of the bias is divided by, so that it does not overshoot."""


@dataclass(frozen=True)
class CalibrationSettings:
    """Settings of the calibration of all populations.

    Attributes:
        codes: code of every hidden population by name.
        largest: λ by Eq. 2 of every hidden population, broadcastable to its shape.
        wait: steps before the first decision, None for a full wait.
        weight_bits: bits of the integer weights.
        method: parts of the calibration that are on.
        costs: what errors and spikes cost, by population; those without an entry are fitted for the least error.
        seed: seed of the choice of samples.
        synapses: what synapses cost; None where none are removed.
        entries: weights that read a sparse input, by stage and number of the link, where some are removed.
    """

    codes: Mapping[str, SingleSpikeCode]
    largest: Mapping[str, Float]
    wait: int | None
    weight_bits: int
    method: Method
    costs: Mapping[str, OutputCost] = field(default_factory=dict)
    seed: int = 0
    synapses: SynapsePrices | None = None
    entries: Mapping[tuple[str, int], PrunedEntries] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PopulationTarget:
    """A population that is calibrated, with the properties that its code depends on.

    Attributes:
        stage: the stage of the graph.
        channels: sets of places that share λ and bias, of the values that go on: of the pooled ones where a max pooling
            alone reads the stage.
        largest: (C,) largest activation of every channel, the λ of Eq. 2.
        per_channel: every channel has a λ of its own.
        two_sided: no spike may be a value above 0 (the offset), with negative spikes for smaller values.
    """

    stage: Stage
    channels: Channels
    largest: Float
    per_channel: bool
    two_sided: bool

    @classmethod
    def of(
        cls, graph: StageGraph, stage: Stage, largest: Float, method: Method, priced: bool = False
    ) -> PopulationTarget:
        """The target of a stage of a graph.

        Args:
            graph: graph that holds the stage.
            stage: the stage.
            largest: λ by Eq. 2, broadcastable to the shape of the stage.
            method: parts of the calibration that are on.
            priced: spikes have a price; then clipped activations may be two-sided as a ReLU is.
        """
        channels = Channels.of(pooling_of(graph, stage) or stage)
        return cls(
            stage,
            channels,
            np.broadcast_to(largest, channels.parameter_shape).reshape(-1),
            largest.size == channels.count > 1,
            method.two_sided and may_be_two_sided(graph, stage, priced),
        )

    def values(self, samples: Float) -> ActivationValues:
        """The activations that its code has to represent, from samples (C, n)."""
        return ActivationValues(
            SortedValues(samples), self.largest, not self.stage.nonnegative, not self.per_channel, self.two_sided,
            same_side=self.stage.is_product,
        )  # fmt: skip


def may_be_two_sided(graph: StageGraph, stage: Stage, priced: bool) -> bool:
    """Whether the spikes of a stage may have both signs; where none may, `Method.two_sided` changes nothing.

    Args:
        graph: graph that holds the stage.
        stage: the stage.
        priced: spikes have a price; then clipped activations may be two-sided as a ReLU is.
    """
    # Max pooling passes on the first spike, so an early spike must never be a negative one of a small value.
    pooled = any(s.kind == "max_pool" and stage.name in {k.pre for k in s.links} for s in graph.hidden)
    clips = stage.activation.homogeneous and stage.nonnegative and stage.activation.rectifies
    return not pooled and (stage.activation == RELU or (priced and clips))


def plan_population(
    target: PopulationTarget,
    parts: list[torch.Tensor],
    values: torch.Tensor,
    shift: Float,
    settings: CalibrationSettings,
) -> tuple[StagePlan, Float]:
    """Plan of a population, and change of its bias per channel with which the coded values have the mean of the ANN's.

    Args:
        target: the population.
        parts: (N, *shape of the channels) pre-activations of the SNN at steps wait + 1 … T_in.
        values: (N, *shape of the channels) values of the ANN.
        shift: (C,) change of the bias to start from.
        settings: settings of the calibration.

    Returns:
        The plan, and the change of the bias, (C,), from which the caller subtracts the offset of the plan.
    """
    channels, method = target.channels, settings.method
    places = channels.places(len(values), settings.seed, max(LEAST_SAMPLES, 2 * SAMPLES // (1 + len(parts))))
    seen, wanted = np.stack([channels.sample(z, places) for z in parts]), channels.sample(values, places)
    for _ in range(ROUNDS if method.bias else 1):
        plan = _fitted(target, seen + shift[:, None], settings)
        if method.bias:
            shift = _unbiased(seen, wanted, plan, target, shift)
    if method.bias:  # one more step on all the data, since a sample has a random error
        levels = channels.mean(sent_levels(parts, channels.per_channel(shift) - plan.offset, plan))
        _, scale, middle, _ = _per_channel(plan, channels)
        missing = channels.mean(values) - levels * scale[:, 0] - middle[:, 0]
        active = (
            channels.mean((parts[-1] > 0).float()) if target.stage.activation.rectifies else np.ones(channels.count)
        )
        shift = shift + STEP * missing / np.maximum(active, LEAST_ACTIVE)
    return plan, shift


def _fitted(target: PopulationTarget, seen: Float, settings: CalibrationSettings) -> StagePlan:
    """λ, first negative word and thresholds of least error for pre-activations (S, C, n)."""
    method, code = settings.method, settings.codes[target.stage.name]
    carry = activate(target.stage.activation, torch.from_numpy(seen[-1])).numpy()
    cost = settings.costs.get(target.stage.name)
    if target.stage.activation.relative:
        fit = CodeFit(_relative_scales(target, carry, code), None, 0.0)
    elif cost is None:
        factors = (FACTORS if method.scales else np.ones(1)) * unit_of(code)
        fit = fit_population(target.values(carry), code.levels(), code.thresholds(), factors)
    else:
        fit = fit_priced(target.values(carry), cost, code.levels()).code
    plan = _coded(target, code, fit, settings.wait)
    if not method.waits or len(seen) == 1:
        return plan
    factor, scale, middle, lowest = _per_channel(plan, target.channels)
    arrived = np.maximum((seen - middle) / factor, lowest).astype(np.float32).reshape(len(seen), -1)
    wanted = ((carry - middle) / scale).astype(np.float32).reshape(-1)
    weight = np.broadcast_to(scale**2, carry.shape).astype(np.float32).reshape(-1)
    return fit_early_thresholds(arrived, wanted, weight, plan)


def _relative_scales(target: PopulationTarget, carry: Float, code: SingleSpikeCode) -> Float:
    """λ per channel of scale factors, (C,): from their largest values, or from their smallest ones if none may vanish.

    Small values of 1 / z belong to large z, whose thresholds must not lie beyond what v can hold.

    Args:
        target: the population.
        carry: (C, n) values.
        code: its code.
    """
    if target.stage.activation.vanishes:
        return RELATIVE_MARGIN * target.largest / code.levels()[0]
    least = carry.min(axis=1)
    if not target.per_channel:
        least = np.full(len(least), least.min())
    return least / (RELATIVE_MARGIN * code.levels()[-1])


def _coded(target: PopulationTarget, code: SingleSpikeCode, fit: CodeFit, wait: int | None) -> StagePlan:
    activation, rank = target.stage.activation, len(target.stage.shape)
    offset = fit.offsets(code.levels())
    if offset.ndim:
        offset = target.channels.per_channel(offset)
    scale = target.channels.per_channel(fit.scales) if target.per_channel else fit.scales[:1].reshape((1,) * rank)
    if activation.homogeneous and np.isfinite(activation.largest):
        # With the first level at the upper limit of the activation, no level lies beyond it.
        scale = np.minimum(scale, activation.largest / (code.levels()[0] + offset))
    thresholds = np.maximum(code.thresholds(), fit.silent_below)
    if not activation.vanishes:  # the smallest level stands for all smaller values
        thresholds[-1] = min(thresholds[-1], ALWAYS_SENT * code.levels()[-1])
    plan = StagePlan.of(activation, code, scale, wait, thresholds)
    if fit.first_negative_word is None:
        return plan if fit.offset == 0 else replace(plan, offset=scale * fit.offset)
    sent = np.arange(1, len(code.levels()) + 1) >= fit.first_negative_word
    negative = np.where(sent, thresholds, np.inf)
    one_sided = None if fit.one_sided is None else fit.one_sided.reshape(target.channels.parameter_shape)
    return replace(plan, negative=negative, offset=scale * offset, one_sided=one_sided)


def _unbiased(parts: Float, wanted: Float, plan: StagePlan, target: PopulationTarget, shift: Float) -> Float:
    """Change of the bias per channel with which the coded samples have the mean of the wanted values.

    Args:
        parts: (S, C, n) pre-activations.
        wanted: (C, n) values of the ANN.
        plan: plan of the population.
        target: the population.
        shift: (C,) change of the bias to start from.
    """
    factor, scale, middle, lowest = _per_channel(plan, target.channels)
    mean = (wanted.mean(axis=1) - middle[:, 0]) / scale[:, 0]
    for _ in range(BIAS_ROUNDS):
        levels, active = mean_sent_levels(parts, shift - middle[:, 0], factor[:, 0], lowest[:, 0], shift, plan)
        if not target.stage.activation.rectifies:
            active = np.ones(len(shift))
        shift = shift + STEP * scale[:, 0] * (mean - levels) / np.maximum(active, LEAST_ACTIVE)
    return shift


def _per_channel(plan: StagePlan, channels: Channels) -> tuple[Float, Float, Float, Float]:
    """Threshold, λ, value of no spike and `lowest_sum`, (C, 1) each."""
    given = (plan.threshold, plan.scale, plan.offset, lowest_sum(plan))
    factor, scale, middle, lowest = (np.broadcast_to(a, channels.parameter_shape).reshape(-1, 1) for a in given)
    return factor, scale, middle, lowest
