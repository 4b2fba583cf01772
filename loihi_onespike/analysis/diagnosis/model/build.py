"""Builds the model of a network: the integer network in real numbers together with the ANN that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.model.coder import NEVER, PopulationCoder, Thresholds, first_sent
from loihi_onespike.analysis.diagnosis.model.layer_model import LayerModel
from loihi_onespike.analysis.diagnosis.model.weights import LayerWeights
from loihi_onespike.conversion.calibration.channels import Channels
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.offset_folding import fold_offsets
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.conversion.lowering.recode_mixed_input import recode_mixed_input
from loihi_onespike.conversion.lowering.separate_pooling import separate_pooling
from loihi_onespike.conversion.quantization.dequantize import dequantize
from loihi_onespike.conversion.quantization.integer_weights import integer_links
from loihi_onespike.conversion.quantization.rounded_stage import rounded_stage
from loihi_onespike.core.graphs.network import Network, Population, Readout
from loihi_onespike.core.graphs.stage import InputStage, OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.float.quantizer import Quantizer
from loihi_onespike.executors.tensors.stage_sum import StageSum
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.ann_output import traced_sample
from loihi_onespike.frontend.tracing.joined_inputs import JoinedInputs

Float = NDArray[np.float64]
AnySum = Stage | OutputStage


@dataclass(frozen=True)
class RecordedBits:
    """Widths in bits that a network was converted with.

    Attributes:
        weights: of weights; 8 where the file of the network does not record it.
        payload: most bits of payload of a spike; 0 where the file does not record it.
    """

    weights: int
    payload: int

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> RecordedBits:
        """Those of the record in a network file."""
        options = facts.get("options")
        weights, payload = (
            options.get(name) if isinstance(options, Mapping) else None for name in ("weight_bits", "payload_bits")
        )
        return cls(
            int(weights) if isinstance(weights, int | float) else 8,
            int(payload) if isinstance(payload, int | float) else 0,
        )


def ann_stages(model: torch.nn.Module, x: NDArray[np.floating], payload_bits: int) -> StageGraph:
    """Stages of the ANN as `convert` makes them, before calibration.

    Args:
        model: the ANN.
        x: at least one input as the model takes them.
        payload_bits: bits of payload that the network was converted with.
    """
    graph, rewrites = pool_last(trace(model, traced_sample(model, x)))
    stages = recode_mixed_input(lower(graph, rewrites), by_reader=isinstance(model, JoinedInputs))
    return separate_pooling(stages, payload_bits)


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """All populations of a network except its input.

    Attributes:
        layers: populations in topological order, the readout last.
        corrected: True where the calibration changed biases.
    """

    layers: tuple[LayerModel, ...]
    corrected: bool


def build_layers(network: Network, planned: StageGraph, ann: StageGraph, weight_bits: int) -> NetworkModel:
    """Model of a network, one layer per stage.

    Args:
        network: the integer network.
        planned: its stages before quantization, `OneSpikeNetwork.stages`.
        ann: stages of the ANN from `ann_stages`.
        weight_bits: width of the weights that it was converted with.

    Raises:
        ConfigurationError: the ANN is not the one that the network was converted from.
    """
    _check_same(network, ann)
    build = _Build(network, planned, ann, dequantize(network), weight_bits)
    layers = tuple(build.layer(stage) for stage in ann.stages if not isinstance(stage, InputStage))
    return NetworkModel(layers, build.corrected)


def _check_same(network: Network, ann: StageGraph) -> None:
    found = {s.name: tuple(s.shape) for s in ann.stages}
    hidden = (p for p in network.hidden if p.kind != "relay")
    wanted = {p.name: tuple(p.shape) for p in hidden}
    wanted[network.input.name] = tuple(network.input.shape)
    wanted.update({p.name: tuple(p.shape) for p in network.readouts})
    different = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
    if different:
        name = different[0]
        raise ConfigurationError(
            f"{name}: must have the shape {wanted.get(name, 'of no population')} of the network, got "
            f"{found.get(name, 'no such layer')} from the model; give the model that {network.name} was converted from"
        )


@dataclass(eq=False)
class _Build:
    network: Network
    planned: StageGraph
    ann: StageGraph
    integer: StageGraph
    weight_bits: int
    corrected: bool = False

    def __post_init__(self) -> None:
        source = self.network.input
        self._shapes = {s.name: s.shape for s in self.ann.stages}
        self._offsets: dict[str, Float] = {source.name: source.offset}
        self._offsets.update({p.name: p.offset for p in self.network.hidden})
        # The plans hold the λ that the integer weights are scaled by.
        self._with_plans = replace(self.ann, input_plan=self.integer.input_plan, plans=self.integer.plans)

    def layer(self, stage: AnySum) -> LayerModel:
        population = self.network.by_name[stage.name]
        assert isinstance(population, Population | Readout)
        pres = tuple(dict.fromkeys(link.pre for link in stage.links))
        unit, gains = _unit_and_gains(population)
        coder = quantizer = None
        pool = self._sum(stage) if stage.kind == "max_pool" else None
        if isinstance(stage, Stage) and isinstance(population, Population) and pool is None:
            coder = self._coder(stage, population)
            code = coder.code
            by = coder.thresholds
            quantizer = Quantizer(by.up, by.down, code.levels(), np.zeros(()), stage.shape, by.far)
        weights = None if pool is not None else self._weights(stage, population)
        return LayerModel(
            population,
            stage.kind,
            pres,
            weights,
            pool,
            coder,
            Channels.of(stage),
            _tensor(unit),
            gains,
            quantizer,
        )

    def _weights(self, stage: AnySum, population: Population | Readout) -> LayerWeights:
        integer, planned = self.integer.by_name[stage.name], self.planned.by_name[stage.name]
        assert isinstance(integer, Stage | OutputStage) and isinstance(planned, Stage | OutputStage)
        unit, _ = _unit_and_gains(population)
        folded = fold_offsets(stage, self._offsets, self.ann)
        exact = folded.bias - self._offsets.get(stage.name, np.zeros(()))
        # Rounding changes a bias by at most half a unit; a larger difference is a correction of the calibration.
        self.corrected |= bool(np.any(np.abs(planned.bias - exact) > unit + 1e-5 * np.abs(exact)))

        def at_bits(bits: int) -> StageSum:
            return self._sum(self._rounded(folded, bits))

        coarser = self._coarseness(stage, population)
        rounded = None
        if coarser > 1 + 1e-6:  # without this the weights are those that the calibration rounded, corrected and pruned
            rounded = at_bits(self.weight_bits) if planned.grid is None else self._sum(planned)
        biases = (_tensor(np.asarray(b, np.float64)) for b in (integer.bias, planned.bias, exact))
        return LayerWeights(self._sum(integer), rounded, self._sum(folded), coarser, at_bits, *biases)

    def _rounded(self, stage: AnySum, bits: int) -> AnySum:
        """The stage with weights of that width; both factors of a product have a grid of their own."""
        if not stage.is_product:
            return rounded_stage(stage, self._with_plans, bits)
        factors = (rounded_stage(each, self._with_plans, bits).links for each in stage.sums)
        return replace(stage, links=tuple(replace(link, factor=i) for i, links in enumerate(factors) for link in links))

    def _coarseness(self, stage: AnySum, population: Population | Readout) -> float:
        """Largest ratio of the unit of v to the finest one of `weight_bits`; above 1 where v would not have fitted.

        Both factors of a product keep all bits: what does not fit is shifted away behind the multiplication.
        """
        if stage.is_product:
            return 1.0
        planned = self._with_plans
        scales = [(planned.scale_of(link.pre), planned.by_name[link.pre].shape) for link in stage.links]
        _, finest = integer_links(stage, scales, self.weight_bits, np.zeros(()))
        unit = population.membrane.unit * 2.0**population.membrane.input_shift
        return float((unit / finest).max())

    def _sum(self, stage: AnySum) -> StageSum:
        source, cpu = self.ann.input.name, torch.device("cpu")
        return StageSum(stage, self._shapes, {}, np.ones(()), source, torch.float32, cpu)

    def _coder(self, stage: Stage, population: Population) -> PopulationCoder:
        plan = self.integer.plans[stage.name]
        nominal = StagePlan.of(stage.activation, population.code, np.asarray(population.scale), None)
        if np.any(population.offset) and plan.negative is not None and population.negative is not None:
            sent = np.abs(population.negative.gains()) < NEVER
            nominal = replace(nominal, negative=np.where(sent, population.code.thresholds(), np.inf))
        own, ideal = (Thresholds(np.asarray(p.threshold), p.table, p.negative, p.far) for p in (plan, nominal))
        down = None if population.negative is None else population.negative.gains()
        first = first_sent(population.table.gains()), first_sent(down)
        scale, offset = np.asarray(population.scale), np.asarray(population.offset)
        return PopulationCoder(
            population.code, stage.shape, scale, offset, stage.activation, own, ideal, first, population.one_sided
        )


def _unit_and_gains(population: Population | Readout) -> tuple[Float, Float]:
    """Real value of v = 1 before any gain, and (steps + 1,) the gain of v after every input step.

    A product is complete with the whole input alone; its unit is that of the end.
    """
    if isinstance(population, Population) and population.product is not None:
        return population.unit_at_end, np.ones(population.input_steps + 1)
    return population.membrane.unit, population.membrane.gains


def _tensor(values: Float) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()
