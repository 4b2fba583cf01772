"""The paper's own arithmetic: real weights, full wait, a layer is one linear map and one logarithmic quantizer.

Without plans (`coded=False`) the same graph computes the ANN exactly, which is how scales are calibrated and how the
lowering is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from loihi_onespike.coding import PHASE_DTYPE, BinaryCode, SingleSpikeCode
from loihi_onespike.ir.activation import Activation
from loihi_onespike.ir.linear import Pool
from loihi_onespike.ir.stage import InputPlan, InputStage, OutputStage, Stage, StageGraph
from loihi_onespike.sim.decode import encode_values, finish_output
from loihi_onespike.sim.maps import TensorMap, max_over_window, tensor_gather, tensor_map
from loihi_onespike.sim.sample_map import SampleMap
from loihi_onespike.sim.sparse_sample import SparseSample
from loihi_onespike.sim.trace import LayerTrace, Trace

Observer: TypeAlias = Callable[[Stage | OutputStage, torch.Tensor], None]


class FloatExecutor:
    """Runs a stage graph on batches.

    Args:
        graph: stages; with plans where coded values are wanted.
        coded: send every value through its code (the SNN), or not (the ANN).
        device: torch device.
        dtype: float32, or float64 for checks.
    """

    def __init__(
        self, graph: StageGraph, coded: bool = True, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        self.graph, self.coded, self.device, self.dtype = graph, coded, torch.device(device), dtype
        self._last_reader = _last_readers(graph)
        self._steps = {s.name: self._stage_step(s) for s in graph.stages if not isinstance(s, InputStage)}

    def _tensor(self, values: NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device, self.dtype)

    def _stage_step(self, stage: Stage | OutputStage) -> Callable[[dict[str, Any]], torch.Tensor]:
        """z of a stage (pooled maximum for max pooling) as a function of the values so far."""
        maps: list[tuple[str, TensorMap | SampleMap, torch.Tensor | None]] = []
        for link in stage.links:
            if stage.kind == "max_pool":
                assert isinstance(link.op, Pool)
                maps.append((link.pre, self._max_map(link.op, link.index, stage), None))
            else:
                scale = None if np.all(link.scale == 1) else self._tensor(link.scale)
                apply = tensor_map(link.op, link.index, self.dtype, self.device)
                sample_map = SampleMap(apply, link.op, link.index, self.dtype, self.device)
                maps.append((link.pre, sample_map if link.pre == self.graph.input.name else apply, scale))
        bias = self._tensor(stage.bias) if np.any(stage.bias) else None

        def step(values: dict[str, Any]) -> torch.Tensor:
            total: torch.Tensor | None = None
            for pre, apply, scale in maps:
                part = apply(values[pre])
                part = part if scale is None else part * scale
                total = part if total is None else total + part
            assert total is not None
            return total if bias is None else total + bias

        return step

    def _max_map(self, op: Pool, index: NDArray[np.int32] | None, stage: Stage | OutputStage) -> TensorMap:
        pool = max_over_window(op.window, stage.shape)
        if index is None:
            return pool
        gather = tensor_gather(index, self.device)
        return lambda x: pool(gather(x))

    @torch.no_grad()
    def run(
        self, x: NDArray[np.floating] | torch.Tensor | SparseSample, observe: Observer | None = None
    ) -> NDArray[np.float64]:
        """Output in the units of the ANN for inputs (N, *shape), or for one sparse sample.

        Args:
            observe: called with every stage and its z before activation and coding.
        """
        given = self._sparse_input(x) if isinstance(x, SparseSample) else self._dense_input(x)
        values: dict[str, Any] = {self.graph.input.name: given}
        for stage in self.graph.stages[1:]:
            assert not isinstance(stage, InputStage)
            z = self._steps[stage.name](values)
            if observe is not None:
                observe(stage, z)
            values[stage.name] = self._activate(stage, z)
            for link in stage.links:
                if self._last_reader[link.pre] == stage.name:
                    values.pop(link.pre, None)
        out = self.graph.output
        return finish_output(values[out.name].double().cpu().numpy(), out.order, out.finish)

    def trace(self, x: NDArray[np.floating] | torch.Tensor | SparseSample) -> Trace:
        """Spike phases of every hidden population, and as v the real pre-activations, (N, *shape) per stage."""
        assert self.graph.input_plan is not None
        given = x if isinstance(x, SparseSample) else np.asarray(x)
        layers = {self.graph.input.name: LayerTrace.of_input(encode_values(self.graph.input_plan, given))}

        def observe(stage: Stage | OutputStage, z: torch.Tensor) -> None:
            phases = None
            if isinstance(stage, Stage):
                phases = self._phase_of(stage, z).cpu().numpy().astype(PHASE_DTYPE)
            layers[stage.name] = LayerTrace(phases, z.double().cpu().numpy())

        output = self.run(x, observe)
        return Trace(layers, output)

    def _sparse_input(self, x: SparseSample) -> torch.Tensor | SparseSample:
        plan = self.graph.input_plan
        if plan is not None and np.any(plan.offset):
            return self._dense_input(x.dense("an input that may be negative"))
        if plan is None or not self.coded:
            return x
        at_entries = InputPlan(plan.code, x.at_entries(plan.scale), np.zeros(()))
        return x.with_data(coded_input(torch.from_numpy(x.matrix.data).to(self.dtype), at_entries).numpy())

    def _dense_input(self, x: NDArray[np.floating] | torch.Tensor) -> torch.Tensor:
        x = torch.as_tensor(x).to(self.device, self.dtype)
        plan = self.graph.input_plan
        if plan is None:
            return x
        return coded_input(x, plan) if self.coded else x - self._tensor(plan.offset)

    def _activate(self, stage: Stage | OutputStage, z: torch.Tensor) -> torch.Tensor:
        if isinstance(stage, OutputStage) or stage.kind == "max_pool":  # max pooling passes spikes on as they are
            return z
        if not self.coded:
            return activate(stage.activation, z)
        plan = self.graph.plans[stage.name]
        return level_of(self._phase_of(stage, z), plan.code, plan.scale, z.dtype)

    def _phase_of(self, stage: Stage, z: torch.Tensor) -> torch.Tensor:
        """Spike phase for a pre-activation; for max pooling, of the level that it passes on."""
        plan = self.graph.plans[stage.name]
        if stage.kind == "max_pool":
            middle = np.sqrt(
                plan.code.levels() * plan.code.thresholds()
            )  # levels are met exactly, their rounding is not
            return first_phase(z / self._tensor(plan.scale), middle, None)
        return first_phase(z / self._tensor(plan.threshold), plan.table, plan.negative)


def activate(activation: Activation, z: torch.Tensor) -> torch.Tensor:
    """f(z), see `ir.activation`."""
    match activation.kind:
        case "relu":
            return torch.clamp(z, min=0)
        case "clip":
            return torch.clamp(z, activation.low, activation.high)
        case "leaky_relu":
            return F.leaky_relu(z, activation.slope)
        case "elu":
            return F.elu(z, activation.alpha)
        case "sigmoid":
            return torch.sigmoid(z)
        case "softplus":
            return F.softplus(z, activation.beta)
        case "tanh":
            return torch.tanh(z)
    return z


def first_phase(z: torch.Tensor, table: NDArray[np.float64], negative: NDArray[np.float64] | None) -> torch.Tensor:
    """First phase k with z ≥ table[k-1], or -k with -z ≥ negative[k-1]; 0 for none. int32."""
    phase = _reached(z, table)
    return phase if negative is None else torch.where(phase > 0, phase, -_reached(-z, negative))


def _reached(z: torch.Tensor, table: NDArray[np.float64]) -> torch.Tensor:
    rising = torch.from_numpy(np.ascontiguousarray(table[::-1])).to(z.device, z.dtype)
    reached = torch.bucketize(z.contiguous(), rising, right=True, out_int32=True)
    return torch.where(reached == 0, torch.zeros_like(reached), len(table) + 1 - reached)


def level_of(
    phase: torch.Tensor, code: SingleSpikeCode, scale: NDArray[np.float64], dtype: torch.dtype
) -> torch.Tensor:
    """λ · level(|phase|), sign kept: what the spikes of a population stand for."""
    levels = torch.from_numpy(np.concatenate([[0.0], code.levels()])).to(phase.device, dtype)
    scales = torch.from_numpy(np.ascontiguousarray(scale)).to(phase.device, dtype)
    return torch.sign(phase) * levels[phase.abs().long()] * scales


def coded_input(x: torch.Tensor, plan: InputPlan) -> torch.Tensor:
    """scale · Σ levels of the coded input. The offset is left out: it stands in the biases of the first layers."""
    scale, offset = (torch.from_numpy(np.ascontiguousarray(a)).to(x.device, x.dtype) for a in (plan.scale, plan.offset))
    relative = (x - offset) / scale
    if isinstance(plan.code, BinaryCode):
        steps = 2**plan.code.bits
        return torch.clamp(torch.round(relative * steps), 0, steps - 1) / steps * scale
    return level_of(first_phase(relative, plan.code.thresholds(), None), plan.code, plan.scale, x.dtype)


def _last_readers(graph: StageGraph) -> dict[str, str]:
    readers: dict[str, str] = {}
    for stage in graph.stages:
        if not isinstance(stage, InputStage):
            readers.update({link.pre: stage.name for link in stage.links})
    return readers
