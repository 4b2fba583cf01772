"""Calibration layer after layer, each on the inputs that the spiking layers before it really give it.

Both networks run side by side on the calibration data, the ANN on its own values and the SNN on its coded ones. At
every population the SNN's pre-activation gets a scale, perhaps a turn, and a bias under which its coded values have the
ANN's mean in every channel; then these values go on. Nothing is trained, and every choice is made once, in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.calibration.carried import carried, first_levels
from loihi_onespike.calibration.channels import SAMPLES, Channels
from loihi_onespike.calibration.fit import FACTORS, Fit, Values, fit_population
from loihi_onespike.calibration.grid import Sorted
from loihi_onespike.calibration.method import Method
from loihi_onespike.calibration.waits import fit_waits
from loihi_onespike.coding import BinaryCode, SingleSpikeCode
from loihi_onespike.ir.activation import RELU
from loihi_onespike.ir.stage import InputStage, OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.passes.calibrate import input_steps
from loihi_onespike.passes.fold import fold_offsets
from loihi_onespike.passes.rounded import rounded_stage
from loihi_onespike.passes.scales import pooled_scale
from loihi_onespike.sim.float import FloatExecutor, activate
from loihi_onespike.sim.stage_sum import StageSum

Float = NDArray[np.float64]

ROUNDS = 2
"""Fits of scale and bias, which depend on each other."""
LEAST_SAMPLES = 512
BIAS_ROUNDS = 6
STEP = 0.7
"""Part of the missing mean that one round adds to the bias."""
ALMOST = 1 - 1e-4
"""Values are levels up to the rounding of float32."""
LEAST_ACTIVE = 0.1
"""Share of active neurons that a step of the bias is divided by at least, so that it does not overshoot."""


@dataclass(frozen=True)
class Setting:
    """What the pass has to know beside the data.

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


def calibrate_in_sequence(
    graph: StageGraph,
    x: Any,
    setting: Setting,
    done: Callable[[], None] = lambda: None,
    output: Callable[[float], None] = lambda error: None,
) -> StageGraph:
    """Planned stages with corrected biases.

    Args:
        graph: stages whose input is planned.
        x: calibration inputs (N, *shape), or one sparse sample.
        done: called after every stage.
        output: called with the error that is left at the output: the power of what a correct mean leaves of the
            difference, as a share of the power of the ANN's output about its mean.
    """
    return _Pass(graph, setting, output).run(x, done)


@dataclass
class _Pass:
    graph: StageGraph
    setting: Setting
    output: Callable[[float], None]
    stages: list[InputStage | Stage | OutputStage] = field(default_factory=list)
    plans: dict[str, StagePlan] = field(default_factory=dict)
    offsets: dict[str, Float] = field(default_factory=dict)

    def run(self, x: Any, done: Callable[[], None]) -> StageGraph:
        ann = FloatExecutor(self.graph, coded=False)
        of_ann = {self.graph.input.name: ann.input_value(x)}
        of_snn = {
            self.graph.input.name: FloatExecutor(replace(self.graph, stages=self.graph.stages[:1])).input_value(x)
        }
        self.pooled = _pooled(self.graph)
        self.stages = [self.graph.input]
        self._shapes = {s.name: s.shape for s in self.graph.stages}
        last_reader = {link.pre: s.name for s in self.graph.stages[1:] for link in s.links}  # type: ignore[union-attr]
        for stage in self.graph.stages[1:]:
            assert not isinstance(stage, InputStage)
            z_ann = ann.stage_input(stage.name, of_ann)
            of_ann[stage.name], of_snn[stage.name] = self._stage(stage, z_ann, of_snn)
            for link in stage.links:
                if last_reader[link.pre] == stage.name:
                    of_ann.pop(link.pre, None)
                    of_snn.pop(link.pre, None)
            done()
        return replace(self.graph, stages=tuple(self.stages), plans=self.plans)

    def _stage(
        self, stage: Stage | OutputStage, z_ann: torch.Tensor, values: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Values of the ANN and of the SNN; plans the stage on the way."""
        folded = fold_offsets(stage, self.offsets, self.graph)
        if isinstance(stage, Stage) and stage.kind == "max_pool":
            scales = {name: plan.scale for name, plan in self.plans.items()}
            code = self.setting.codes[stage.name]
            self.plans[stage.name] = StagePlan.of(RELU, code, pooled_scale(stage, scales, self.graph), 0)
            self.stages.append(folded)
            return z_ann, self._sum(folded)(values)
        parts = self._parts(folded, values)
        channels = Channels.of(stage)
        shift = (
            channels.mean(z_ann) - channels.mean(parts[-1]) if self.setting.method.bias else np.zeros(channels.count)
        )
        if isinstance(stage, OutputStage):
            self.stages.append(replace(folded, bias=folded.bias + channels.per_channel(shift)))
            left, power = parts[-1] - z_ann, float((z_ann - z_ann.mean(dim=0)).square().sum())
            self.output(float((left - left.mean(dim=0)).square().sum()) / (power or 1.0))
            return z_ann, parts[-1]
        value_ann = activate(stage.activation, z_ann)
        plan, shift = self._planned(stage, channels, parts, value_ann, shift)
        if self.setting.method.bias:  # once more on all the data, where the samples leave some chance
            sent = carried(parts, channels.per_channel(shift) - plan.offset, plan)
            missing = channels.mean(value_ann) - channels.mean(sent + torch.from_numpy(np.asarray(plan.offset)).float())
            active = channels.mean((parts[-1] > 0).float()) if _rectifies(stage) else np.ones(channels.count)
            shift = shift + STEP * missing / np.maximum(active, LEAST_ACTIVE)
        bias = channels.per_channel(shift) - plan.offset
        self.plans[stage.name], self.offsets[stage.name] = plan, plan.offset
        self.stages.append(replace(folded, bias=folded.bias + bias))
        return value_ann, carried(parts, bias, plan)

    def _parts(self, stage: Stage | OutputStage, values: Mapping[str, Any]) -> list[torch.Tensor]:
        """Pre-activation of the SNN at steps wait + 1 … T_in, through rounded weights where the method has them."""
        planned = replace(self.graph, plans=self.plans)
        steps = input_steps(planned, stage)
        wait = steps if self.setting.wait is None or isinstance(stage, OutputStage) else min(self.setting.wait, steps)
        if self.setting.method.rounding:
            stage = rounded_stage(stage, planned, self.setting.weight_bits)
        total, bias = self._sum(stage), torch.from_numpy(np.asarray(stage.bias)).float()
        return [
            total({link.pre: self._arrived(link.pre, values[link.pre], t, steps) for link in stage.links}) + bias
            for t in range(min(wait + 1, steps), steps + 1)
        ]

    def _arrived(self, name: str, values: Any, t: int, steps: int) -> Any:
        """The values of a stage as far as they have been sent by phase t."""
        if t == steps or not isinstance(values, torch.Tensor):  # a sparse input counts as complete
            return values
        if name != self.graph.input.name:
            code, scale = self.plans[name].code, self.plans[name].scale
            least = torch.from_numpy(np.asarray(scale * code.levels()[min(t, code.timesteps) - 1] * ALMOST)).float()
            return torch.where(values.abs() >= least, values, 0.0)
        assert self.graph.input_plan is not None
        plan = self.graph.input_plan
        one = torch.from_numpy(np.asarray(plan.scale)).float()
        if isinstance(plan.code, BinaryCode):
            return torch.floor(values / one * 2**t + (1 - ALMOST)) / 2**t * one
        return torch.where(values >= one * float(plan.code.levels()[t - 1]) * ALMOST, values, 0.0)

    def _sum(self, stage: Stage | OutputStage) -> StageSum:
        one = np.ones(())
        return StageSum(stage, self._shapes, {}, one, self.graph.input.name, torch.float32, torch.device("cpu"))

    def _planned(
        self, stage: Stage, channels: Channels, parts: list[torch.Tensor], value_ann: torch.Tensor, shift: Float
    ) -> tuple[StagePlan, Float]:
        """Plan and bias per channel."""
        method, code = self.setting.method, self.setting.codes[stage.name]
        places = channels.places(len(value_ann), self.setting.seed, max(LEAST_SAMPLES, 2 * SAMPLES // (1 + len(parts))))
        seen = np.stack([channels.sample(z, places) for z in parts])
        wanted = channels.sample(value_ann, places)
        largest = np.broadcast_to(self.setting.largest[stage.name], channels.parameter_shape).reshape(-1)
        per_channel = self.setting.largest[stage.name].size == channels.count > 1
        two_sided = method.two_sided and stage.activation.kind == "relu" and stage.name not in self.pooled
        for _ in range(ROUNDS if method.bias else 1):
            carry = activate(stage.activation, torch.from_numpy(seen[-1] + shift[:, None])).numpy()
            given = Values(Sorted(carry), largest, not stage.nonnegative, not per_channel, two_sided)
            factors = FACTORS if method.scales else np.ones(1)
            fit = fit_population(given, code.levels(), code.thresholds(), factors)
            plan = self._coded(stage, channels, code, fit, per_channel)
            if method.waits and len(parts) > 1:
                factor, scale, middle = _per_channel(plan, channels)
                arrived = ((seen + shift[:, None] - middle) / factor).astype(np.float32).reshape(len(parts), -1)
                target = ((carry - middle) / scale).astype(np.float32).reshape(-1)
                weight = np.broadcast_to(scale**2, carry.shape).astype(np.float32).reshape(-1)
                plan = fit_waits(arrived, target, weight, plan)
            if method.bias:
                shift = _unbiased(seen, wanted, plan, channels, shift, _rectifies(stage))
        return plan, shift

    def _coded(self, stage: Stage, channels: Channels, code: SingleSpikeCode, fit: Fit, per_channel: bool) -> StagePlan:
        one = (1,) * len(stage.shape)
        scale = channels.per_channel(fit.scales) if per_channel else fit.scales[:1].reshape(one)
        if (
            stage.activation.kind == "clip" and stage.activation.homogeneous
        ):  # the first level stands for whatever lies beyond the limit
            scale = np.minimum(scale, stage.activation.high / code.levels()[0])
        plan = StagePlan.of(stage.activation, code, scale, self.setting.wait)
        if fit.turn is None:
            return plan
        sent = np.arange(1, code.timesteps + 1) >= fit.turn
        negative = np.where(sent, code.thresholds(), np.inf)
        return replace(plan, negative=negative, offset=scale * code.levels()[fit.turn - 1])


def _unbiased(parts: Float, wanted: Float, plan: StagePlan, channels: Channels, shift: Float, rectifies: bool) -> Float:
    """Bias per channel under which the coded samples have the mean of the wanted ones.

    Args:
        parts: (S, channels, n) pre-activations; wanted: (channels, n) values.
    """
    factor, scale, middle = _per_channel(plan, channels)
    for _ in range(BIAS_ROUNDS):
        relative = ((parts + shift[:, None] - middle) / factor).astype(np.float32)
        levels = first_levels(relative.reshape(len(parts), -1), plan).reshape(wanted.shape)
        active = (parts[-1] + shift[:, None] > 0).mean(axis=1) if rectifies else np.ones(len(shift))
        shift = shift + STEP * (wanted - levels * scale - middle).mean(axis=1) / np.maximum(active, LEAST_ACTIVE)
    return shift


def _rectifies(stage: Stage) -> bool:
    """A bias moves the values of active neurons only; with other activations it moves all, at most by itself."""
    return stage.activation.kind in ("relu", "clip") and stage.nonnegative


def _per_channel(plan: StagePlan, channels: Channels) -> tuple[Float, Float, Float]:
    """Threshold, λ and value of no spike, (channels, 1) each."""
    factors = (plan.threshold, plan.scale, plan.offset)
    factor, scale, middle = (np.broadcast_to(a, channels.parameter_shape).reshape(-1, 1) for a in factors)
    return factor, scale, middle


def _pooled(graph: StageGraph) -> set[str]:
    """Stages that a max pooling reads: it passes the first spike, so a spike must never stand for a small value."""
    readers = (s for s in graph.hidden if s.kind == "max_pool")
    return {link.pre for s in readers for link in s.links}
