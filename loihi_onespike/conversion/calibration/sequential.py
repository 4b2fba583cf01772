"""Calibration layer after layer, each on the coded values that the layers before it send.

ANN and SNN run side by side on the calibration data, the ANN with its own values and the SNN with coded ones. At every
population the weights are fitted to the ANN and rounded. The population then gets a scale λ, a first negative word if
this reduces the error, and a bias with which its coded values have the ANN's mean in every channel. The next population
reads these coded values. Nothing is trained: every choice is made once, in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.channels import Channels, pooling_of
from loihi_onespike.conversion.calibration.compensation import Compensation
from loihi_onespike.conversion.calibration.population import CalibrationSettings, PopulationTarget, plan_population
from loihi_onespike.conversion.calibration.pruning import Removed, SynapseLimits, spike_rates
from loihi_onespike.conversion.calibration.regression import corrected
from loihi_onespike.conversion.calibration.row_inputs import row_inputs_of
from loihi_onespike.conversion.calibration.sent_levels import sent_levels
from loihi_onespike.conversion.lowering.link_scales import gathered_scale, pooled_scale
from loihi_onespike.conversion.lowering.offset_folding import fold_offsets
from loihi_onespike.conversion.quantization.integer_weights import Rounding, nearest
from loihi_onespike.conversion.quantization.rounded_stage import AnyStage, rounded_stage
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.stage import InputPlan, InputStage, Link, OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.executors.float.tensor_codes import ALMOST, tensor_code
from loihi_onespike.executors.tensors.activation_functions import activate
from loihi_onespike.executors.tensors.stage_sum import StageSum
from loihi_onespike.executors.threads import over_shares

Float = NDArray[np.float64]

OutputObserver: TypeAlias = Callable[[OutputStage, torch.Tensor, torch.Tensor], None]

SHARE = 32
"""Samples that one thread computes at a time; a number that does not depend on that of the threads."""


def calibrate_in_sequence(
    graph: StageGraph,
    x: Any,
    settings: CalibrationSettings,
    done: Callable[[], None] = lambda: None,
    output: OutputObserver = lambda stage, ann, snn: None,
    held: int = 0,
    pruned: Callable[[Removed], None] = lambda removed: None,
) -> StageGraph:
    """Planned stages with corrected weights and biases.

    Args:
        graph: stages whose input is planned.
        x: calibration inputs (N, *shape), or one sparse sample.
        settings: settings of the calibration.
        done: called after every stage.
        output: called with every output stage and the outputs of ANN and SNN on all inputs, (N, *shape) each.
        held: number of inputs at the end to which nothing is fitted; 0 for a sparse sample.
        pruned: called with what was removed of every link whose synapses have a price.
    """
    return _Pass(graph, settings, output, held, pruned).run(x, done)


def output_error(stage: OutputStage, ann: torch.Tensor, snn: torch.Tensor) -> float:
    """Variance of the difference between SNN and ANN about its mean, as a share of the variance of the ANN's output.

    Args:
        stage: the output stage.
        ann, snn: (N, *shape) outputs.
    """
    channels = Channels.of(stage)
    return _power(snn - ann, channels) / (_power(ann, channels) or 1.0)


@dataclass
class _Pass:
    """State of the pass: stages and plans so far, and the offsets that the biases of later stages have to include.

    Values of the SNN are levels in units of λ, and those of the input are in its own units. They do not include the
    offsets of the populations.
    """

    graph: StageGraph
    settings: CalibrationSettings
    output: OutputObserver
    held: int
    pruned: Callable[[Removed], None]
    stages: list[InputStage | Stage | OutputStage] = field(default_factory=list)
    plans: dict[str, StagePlan] = field(default_factory=dict)
    offsets: dict[str, Float] = field(default_factory=dict)

    def run(self, x: Any, done: Callable[[], None]) -> StageGraph:
        source = self.graph.input
        ann = FloatExecutor(self.graph, coded=False)
        of_ann = {source.name: ann.input_value(x)}
        of_snn = {source.name: FloatExecutor(replace(self.graph, stages=(source,))).input_value(x)}
        self.stages = [source]
        last_reader = {link.pre: s.name for s in self.graph.stages[1:] for link in s.links}  # type: ignore[union-attr]
        for stage in self.graph.stages[1:]:
            assert not isinstance(stage, InputStage)
            z_ann = _by_samples(partial(ann.stage_input, stage.name), {k.pre: of_ann[k.pre] for k in stage.links})
            of_ann[stage.name], of_snn[stage.name] = self._stage(stage, z_ann, of_snn)
            for link in stage.links:
                if last_reader[link.pre] == stage.name:
                    of_ann.pop(link.pre, None)
                    of_snn.pop(link.pre, None)
            done()
        return self._planned

    @property
    def _planned(self) -> StageGraph:
        """The graph with the stages that have been planned; later stages are missing."""
        return replace(self.graph, stages=tuple(self.stages), plans=self.plans)

    def _stage(
        self, stage: Stage | OutputStage, z_ann: torch.Tensor, values: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Plan a stage; values of the ANN and of the SNN behind it."""
        if isinstance(stage, Stage) and stage.kind == "max_pool":
            scales = {name: plan.scale for name, plan in self.plans.items()}
            scale = pooled_scale(stage, scales, self.graph)
            self.plans[stage.name] = StagePlan.of(RELU, self.settings.codes[stage.name], scale, 0)
            self.stages.append(stage)
            return z_ann, _by_samples(self._sum(stage, {}), {link.pre: values[link.pre] for link in stage.links})
        fitted = {link.pre: self._fitted(values[link.pre]) for link in stage.links}
        stage = fold_offsets(self._with_weights(stage, self._fitted(z_ann), fitted), self.offsets, self.graph)
        parts, channels = self._parts(stage, values), Channels.of(stage)
        seen = [self._fitted(part) for part in parts]
        settings = self.settings
        if stage.is_product:
            settings = replace(settings, wait=None)
        if isinstance(stage, Stage) and stage.activation.relative:
            settings = replace(settings, method=replace(settings.method, bias=False))
        shift = np.zeros(channels.count)
        if settings.method.bias:
            shift = channels.mean(self._fitted(z_ann)) - channels.mean(seen[-1])
        if isinstance(stage, OutputStage):
            self.stages.append(replace(stage, bias=stage.bias + channels.per_channel(shift)))
            self.output(stage, z_ann, parts[-1] + _tensor(channels.per_channel(shift)))
            return z_ann, parts[-1]
        name = stage.name
        target = PopulationTarget.of(
            self.graph, stage, settings.largest[name], settings.method, priced=name in settings.costs
        )
        value = activate(stage.activation, z_ann)
        wanted = self._fitted(value)
        pooling = pooling_of(self.graph, stage)
        if pooling is not None:  # only the largest values of its windows go on
            pooled = self._sum(pooling, {})
            seen, wanted = [_by_samples(pooled, {name: part}) for part in seen], _by_samples(pooled, {name: wanted})
        plan, shift = plan_population(target, seen, wanted, shift, settings)
        bias = channels.per_channel(shift) - plan.offset
        self.plans[stage.name], self.offsets[stage.name] = plan, plan.offset
        self.stages.append(replace(stage, bias=stage.bias + bias))
        return value, sent_levels(parts, bias, plan)

    def _fitted(self, values: Any) -> Any:
        """Those of the samples to which the SNN is fitted."""
        return values[: len(values) - self.held] if self.held else values

    def _with_weights(self, stage: AnyStage, z_ann: torch.Tensor, values: Mapping[str, Any]) -> AnyStage:
        """The stage with its final weights: fitted to the ANN, then rounded, as far as `Method` asks for it.

        The sums of a product keep their weights, since most of them are copies of one spike; `quantize` rounds them.
        So do those of scale factors, whose errors do not count absolutely, as a regression weighs them.
        """
        if isinstance(stage, Stage) and (stage.is_product or stage.activation.relative):
            return stage
        method = self.settings.method
        stage = self._with_entries(stage)
        dense = {link.pre for link in stage.links if isinstance(values[link.pre], torch.Tensor)}
        seen = {name: self._in_units(name, values[name]) for name in dense}
        fitting = method.weights and len(dense) == len({link.pre for link in stage.links})
        compensating = method.rounding and method.compensation
        rows = row_inputs_of(stage, seen, self.settings.seed) if fitting or compensating else {}
        if fitting:
            stage = corrected(stage, rows, z_ann - _by_samples(self._sum(stage, {}), seen) - _tensor(stage.bias))
        if not method.rounding:
            return stage
        rounding: Rounding = nearest
        if compensating:
            found = {i: scale for i in rows if (scale := self._gathered_scale(stage.links[i])) is not None}
            rounding = Compensation(rows, found, self._limits(stage, found, values))
        rounded = rounded_stage(stage, self._planned, self.settings.weight_bits, rounding)
        if isinstance(rounding, Compensation):
            for removed in rounding.removed:
                self.pruned(removed)
        return rounded

    def _with_entries(self, stage: AnyStage) -> AnyStage:
        """The stage without the weights of a sparse input that were removed."""
        links = list(stage.links)
        for i, link in enumerate(links):
            found = self.settings.entries.get((stage.name, i))
            if found is not None and found.weight is not None:
                links[i] = replace(link, op=link.op.with_weight(found.weight))
                self.pruned(found.removed)
        return replace(stage, links=tuple(links))

    def _limits(
        self, stage: AnyStage, scales: Mapping[int, Float], values: Mapping[str, Any]
    ) -> dict[int, SynapseLimits]:
        """Errors below which synapses of a stage are removed, by number of the link.

        Args:
            stage: stage whose weights are rounded.
            scales: λ of the inputs of the links whose rounding is compensated.
            values: values of the SNN that it reads.
        """
        prices = self.settings.synapses
        if prices is None or not self.settings.method.pruning:
            return {}
        found: dict[int, SynapseLimits | None] = {}
        for i, link in enumerate(stage.links):
            if i in scales:
                of_input = link.pre == self.graph.input.name
                rates = np.full(1, prices.input_spikes) if of_input else spike_rates(link, values[link.pre])
                found[i] = prices.limits(stage, i, rates)
        return {i: limits for i, limits in found.items() if limits is not None}

    def _gathered_scale(self, link: Link) -> Float | None:
        """λ of the inputs of a link's map."""
        return gathered_scale(link, self._planned.scale_of(link.pre), self.graph.by_name[link.pre].shape)

    def _in_units(self, name: str, values: torch.Tensor) -> torch.Tensor:
        """Values of a stage in the units of the ANN, offset included."""
        if name not in self.plans:
            return values
        return values * _tensor(self.plans[name].scale) + _tensor(self.offsets.get(name, np.zeros(())))

    def _parts(self, stage: Stage | OutputStage, values: Mapping[str, Any]) -> list[torch.Tensor]:
        """Pre-activations of the SNN after steps wait + 1 … T_in, (N, *shape) each."""
        steps = self._planned.input_steps(stage)
        whole = self.settings.wait is None or isinstance(stage, OutputStage) or stage.is_product
        wait = steps if whole else min(self.settings.wait or 0, steps)
        total = self._sum(stage, {name: plan.scale for name, plan in self.plans.items()})
        bias = _tensor(stage.bias)
        return [
            _by_samples(total, {k.pre: self._arrived(k.pre, values[k.pre], t, steps) for k in stage.links}).add_(bias)
            for t in range(min(wait + 1, steps), steps + 1)
        ]

    def _arrived(self, name: str, values: Any, t: int, steps: int) -> Any:
        """The part of a stage's values that has been sent by phase t."""
        if t == steps:
            return values
        if name != self.graph.input.name:
            return levels_received_by_phase(values, self.plans[name], t)
        assert self.graph.input_plan is not None
        return input_received_by_phase(values, self.graph.input_plan, t)

    def _sum(self, stage: Stage | OutputStage, in_front: Mapping[str, Float]) -> StageSum:
        """Sum of a stage without its bias, in the units of the ANN; `in_front` are factors on the values it reads."""
        shapes, one = {s.name: s.shape for s in self.graph.stages}, np.ones(())
        return StageSum(stage, shapes, in_front, one, self.graph.input.name, torch.float32, torch.device("cpu"))


def _by_samples(function: Callable[[Mapping[str, Any]], torch.Tensor], values: Mapping[str, Any]) -> torch.Tensor:
    """function(values) for values (N, …) of stages, SHARE samples at a time, on several threads."""
    if not all(isinstance(value, torch.Tensor) for value in values.values()):
        return function(values)
    starts = range(0, len(next(iter(values.values()))), SHARE)
    return torch.cat(over_shares(function, [{k: v[i : i + SHARE] for k, v in values.items()} for i in starts]))


def _power(values: torch.Tensor, channels: Channels) -> float:
    """Sum of squares about the mean of every channel."""
    shared = [0, *(axis + 1 for axis in channels.shared)]
    return float((values - values.mean(dim=shared, keepdim=True, dtype=torch.float64)).square().sum())


def _tensor(values: Float) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()


def levels_received_by_phase(levels: torch.Tensor, plan: StagePlan, t: int) -> torch.Tensor:
    """Levels that a population has sent by phase t, in units of λ; 0 where the spike comes later.

    Args:
        levels: (N, *shape) levels that are sent in the whole window.
        plan: plan of the population.
        t: last phase that has passed.
    """
    last = min(t, plan.code.timesteps) * plan.code.words_per_phase
    return F.hardshrink(levels, plan.code.levels()[last - 1] * ALMOST)


def input_received_by_phase(values: Any, plan: InputPlan, t: int) -> Any:
    """Part of the input that has been sent by phase t, in its own units: its first t bits, or the spikes so far.

    Args:
        values: values of the whole window, a tensor or one sparse sample.
        plan: plan of the input.
        t: last phase that has passed.
    """
    if isinstance(values, SparseSample):
        data = torch.from_numpy(values.matrix.data)
        return values.with_data(_of_input(data, values.at_entries(plan.scale), plan, t).numpy())
    return _of_input(values, np.asarray(plan.scale), plan, t)


def _of_input(values: torch.Tensor, scale: NDArray[np.floating], plan: InputPlan, t: int) -> torch.Tensor:
    one = torch.from_numpy(np.ascontiguousarray(scale)).to(values.dtype)
    return tensor_code(plan.code).arrived(values, one, t)
