"""The arithmetic of the paper: real weights and full wait; a layer is a linear map and a logarithmic quantizer.

    level_post = quantize( Σ_links (scale · λ_pre / threshold_post) · op(gather(level_pre)) + bias / threshold_post )

Every population passes on levels without their scale λ, and every sum is in units of the neuron's threshold: all
factors are folded into the weights once (`stage_sum`), and the quantizer is one pass over memory (`quantizer`).

Without plans (`coded=False`) the same graph computes the ANN exactly. The calibration takes its scales from this, and
tests check the lowering by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE, SingleSpikeCode
from loihi_onespike.core.encoding import encode_values, finish_output
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.output_form import joined
from loihi_onespike.core.graphs.stage import InputPlan, InputStage, OutputStage, Stage, StageGraph
from loihi_onespike.core.trace import LayerTrace, Trace
from loihi_onespike.executors.float.quantizer import Quantizer, first_word
from loihi_onespike.executors.float.tensor_codes import ALMOST, tensor_code
from loihi_onespike.executors.tensors.activation_functions import activate
from loihi_onespike.executors.tensors.forked_children import compute_after_fork
from loihi_onespike.executors.tensors.stage_sum import CHANNELS_LAST, StageSum

Observer: TypeAlias = Callable[[Stage | OutputStage, torch.Tensor], None]
Disturbance: TypeAlias = Callable[[Stage, torch.Tensor], torch.Tensor]
ONE = np.ones(())


class FloatExecutor:
    """Runs a stage graph on batches.

    Args:
        graph: stages, with plans if `coded`.
        coded: True rounds every value to its code (the SNN), False does not (the ANN).
        device: torch device.
        dtype: float32, or float64 for checks.
    """

    def __init__(
        self, graph: StageGraph, coded: bool = True, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        compute_after_fork()
        self.graph, self.coded, self.device, self.dtype = graph, coded, torch.device(device), dtype
        self._last_reader = _last_readers(graph)
        self._shapes = {s.name: s.shape for s in graph.stages}
        scales = {name: plan.scale for name, plan in graph.plans.items()} if coded else {}
        summing = [s for s in graph.stages if not isinstance(s, InputStage)]
        self._sums = {s.name: self._sum(s, scales, self._unit(s)) for s in summing}
        self._quantizers = {s.name: self._quantizer(s) for s in graph.hidden if coded and s.kind != "max_pool"}
        self._units = {s.name: self._tensor(self._unit(s)) for s in summing}
        self._biases = {s.name: self._tensor(s.bias) for s in summing if np.any(s.bias)}
        self._plain: dict[str, StageSum] = {}

    def _tensor(self, values: NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device, self.dtype)

    def _unit(self, stage: Any) -> NDArray[np.float64]:
        """Unit of a stage's sum: its threshold, λ for max pooling, and 1 without codes."""
        if not self.coded or not isinstance(stage, Stage):
            return ONE
        plan = self.graph.plans[stage.name]
        return np.asarray(plan.scale if stage.kind == "max_pool" else plan.threshold, np.float64)

    def _sum(self, stage: Any, scales: Mapping[str, NDArray[np.float64]], unit: NDArray[np.float64]) -> StageSum:
        return StageSum(stage, self._shapes, scales, 1 / unit, self.graph.input.name, self.dtype, self.device)

    def _quantizer(self, stage: Stage) -> Quantizer:
        plan = self.graph.plans[stage.name]
        bias = np.asarray(stage.bias / plan.threshold)
        return Quantizer(plan.table, plan.negative, plan.code.levels(), bias, stage.shape, plan.far, plan.one_sided)

    @torch.no_grad()
    def run(
        self,
        x: NDArray[np.floating] | torch.Tensor | SparseSample,
        observe: Observer | None = None,
        disturb: Disturbance = lambda stage, value: value,
    ) -> NDArray[np.float64]:
        """Output in the units of the ANN for inputs (N, *shape), or for one sparse sample; several side by side.

        Args:
            x: the inputs.
            observe: called with every stage and its z in the units of the ANN, before activation and coding.
            disturb: what a hidden stage passes on in place of its value; levels without their λ if `coded`.
        """
        values: dict[str, Any] = {self.graph.input.name: self.input_value(x)}
        for stage in self.graph.stages[1:]:
            assert not isinstance(stage, InputStage)
            y = self._sums[stage.name](values)
            value = self._activate(stage, y, observe)
            values[stage.name] = disturb(stage, value) if isinstance(stage, Stage) else value
            for link in stage.links:
                if self._last_reader[link.pre] == stage.name:
                    values.pop(link.pre, None)
        return joined(
            [
                finish_output(values[out.name].double().cpu().numpy(), out.order, out.finish)
                for out in self.graph.outputs
            ]
        )

    def trace(self, x: NDArray[np.floating] | torch.Tensor | SparseSample) -> Trace:
        """Code words of every hidden population, and as v the real pre-activations, (N, *shape) per stage."""
        assert self.graph.input_plan is not None
        given = x if isinstance(x, SparseSample) else np.asarray(x)
        layers = {self.graph.input.name: LayerTrace.of_input(encode_values(self.graph.input_plan, given))}

        def observe(stage: Stage | OutputStage, z: torch.Tensor) -> None:
            words = None
            if isinstance(stage, Stage):
                words = self._words(stage, z).cpu().numpy().astype(WORD_DTYPE)
            layers[stage.name] = LayerTrace(words, z.double().cpu().numpy())

        output = self.run(x, observe)
        return Trace(layers, output)

    @torch.no_grad()
    def input_value(self, x: NDArray[np.floating] | torch.Tensor | SparseSample) -> torch.Tensor | SparseSample:
        """Value that the input population sends for x; its offset is not included, since it is part of the biases."""
        return self._sparse_input(x) if isinstance(x, SparseSample) else self._dense_input(x)

    @torch.no_grad()
    def stage_input(self, name: str, values: Mapping[str, Any]) -> torch.Tensor:
        """z of one stage, bias included, in the units of the ANN; for max pooling the pooled maximum.

            z = Σ_links scale · op(gather(value of pre)) + bias

        Args:
            name: name of a hidden stage or of the output stage.
            values: values (B, *shape) of the stages that it reads, in the units of the ANN.
        """
        if self.coded and name not in self._plain:
            self._plain[name] = self._sum(self.graph.by_name[name], {}, ONE)
        z = (self._plain if self.coded else self._sums)[name](values)
        return z.add_(self._biases[name]) if name in self._biases else z

    def linear_input(self, name: str, values: Mapping[str, Any]) -> torch.Tensor:
        """z of one stage of the ANN as of `stage_input`, through which gradients pass where torch records them."""
        z = self._sums[name](values)
        return z + self._biases[name] if name in self._biases else z

    def _activate(self, stage: Stage | OutputStage, y: torch.Tensor, observe: Observer | None) -> torch.Tensor:
        """Value that the stage passes on, from its sum without the bias."""
        quantizer = self._quantizers.get(stage.name)
        if quantizer is not None:
            if observe is not None:
                z = y * self._units[stage.name]
                observe(stage, z.add_(self._biases[stage.name]) if stage.name in self._biases else z)
            return quantizer(y)
        if stage.name in self._biases:
            y = y.add_(self._biases[stage.name])
        coded_pool = self.coded and stage.kind == "max_pool"
        if observe is not None:
            observe(stage, y * self._units[stage.name] if coded_pool else y)
        if isinstance(stage, OutputStage) or stage.kind == "max_pool":  # max pooling passes spikes on as they are
            return y
        return activate(stage.activation, y)

    def _words(self, stage: Stage, z: torch.Tensor) -> torch.Tensor:
        """Code word for a pre-activation; for max pooling, of the level that it passes on."""
        plan = self.graph.plans[stage.name]
        relative = z / self._tensor(plan.scale if stage.kind == "max_pool" else plan.threshold)
        if stage.kind == "max_pool":
            # The values are levels up to rounding.
            return first_word(relative, plan.code.levels() * ALMOST, None)
        return first_word(relative, plan.table, plan.negative, plan.far, plan.one_sided)

    def _sparse_input(self, x: SparseSample) -> torch.Tensor | SparseSample:
        plan = self.graph.input_plan
        if plan is not None and np.any(plan.offset):
            return self._dense_input(x.dense("an input that may be negative"))
        if plan is None or not self.coded:
            return x
        if plan.dithered:
            return x.with_data(self._dithered(plan, x).numpy())
        at_entries = InputPlan(plan.code, x.at_entries(plan.scale), np.zeros(()))
        return x.with_data(coded_input(torch.from_numpy(x.matrix.data).to(self.dtype), at_entries).numpy())

    def _dense_input(self, x: NDArray[np.floating] | torch.Tensor) -> torch.Tensor:
        x = torch.as_tensor(x).to(self.device, self.dtype)
        if x.dim() in CHANNELS_LAST:
            x = x.contiguous(memory_format=CHANNELS_LAST[x.dim()])
        plan = self.graph.input_plan
        if plan is None:
            return x
        if self.coded and plan.dithered:
            return self._dithered(plan, x.double().cpu().numpy()).to(self.device)
        return coded_input(x, plan) if self.coded else x - self._tensor(plan.offset)

    def _dithered(self, plan: InputPlan, x: NDArray[np.floating] | SparseSample) -> torch.Tensor:
        """Values of a dithered input in the shape of x, (nonzeros,) of a sparse sample."""
        words = encode_values(plan, x)
        if not isinstance(words, SparseSample):
            return torch.from_numpy(plan.code.decode(words) * plan.scale).to(self.dtype)
        values = plan.code.decode(words.matrix.data) * words.at_entries(plan.scale)
        return torch.from_numpy(np.asarray(values)).to(self.dtype)


def level_of(
    words: torch.Tensor, code: SingleSpikeCode, scale: NDArray[np.float64], dtype: torch.dtype
) -> torch.Tensor:
    """Values of the spikes of a population: λ · level(|word|) with the sign of the word.

    Args:
        words: signed code words, 0 for no spike.
        code: code of the population.
        scale: λ per neuron.
        dtype: type of the result.
    """
    scales = torch.from_numpy(np.ascontiguousarray(scale)).to(words.device, dtype)
    return tensor_code(code).values(words, dtype) * scales


def coded_input(x: torch.Tensor, plan: InputPlan) -> torch.Tensor:
    """scale · Σ levels of the coded input, without the offset, which is part of the biases of the first layers."""
    scale, offset = (torch.from_numpy(np.ascontiguousarray(a)).to(x.device, x.dtype) for a in (plan.scale, plan.offset))
    relative = (x - offset) / scale
    return tensor_code(plan.code).rounded(relative) * scale


def _last_readers(graph: StageGraph) -> dict[str, str]:
    readers: dict[str, str] = {}
    for stage in graph.stages:
        if not isinstance(stage, InputStage):
            readers.update({link.pre: stage.name for link in stage.links})
    return readers
