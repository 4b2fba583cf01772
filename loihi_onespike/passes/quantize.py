"""Pass planned stages → integer network (contract section 3).

Weights become symmetric integers per output channel. Scale of the channel, batch-norm gain and λ go into the threshold
of the neuron, so they cost no precision. Stage by stage, the calibration images are sent through the integer network
so far; the largest potential they reach decides how many fraction bits v gets (`input_shift`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.coding import LEAK_SHIFT, V_BITS, V_MAX, BinaryCode, SingleSpikeCode, ThresholdTable, signed_bits
from loihi_onespike.errors import GraphError, HeadroomError
from loihi_onespike.ir.linear import Pool, weight_values
from loihi_onespike.ir.network import InputPopulation, Membrane, Network, Population, Readout, Synapse
from loihi_onespike.ir.stage import OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.ir.verify import MAX_INPUT_SHIFT, MAX_WEIGHT_EXP, verify
from loihi_onespike.passes.align import align
from loihi_onespike.passes.calibrate import input_steps, stage_scale
from loihi_onespike.passes.headroom import worst_case_bits
from loihi_onespike.passes.integer_weights import integer_links, largest_where_shared
from loihi_onespike.sim.decode import Codes, dense_codes
from loihi_onespike.sim.dense_layer import DenseLayer
from loihi_onespike.sim.event_layer import EventLayer
from loihi_onespike.sim.graph_layer import GraphLayer
from loihi_onespike.sim.trace import LayerTrace

WIDEST_BITS = V_BITS - 2
"""Width of the largest magnitude that calibration may reach: sign and one bit of head-room stay free."""
ENOUGH_BITS = 6
"""Fraction bits of v beyond which the rounding of the leak no longer matters beside that of the weights."""
SPARE_WEIGHT_BITS = 3
"""Bits that the weights of a whole layer may give up so that v fits into 24 bits."""
BUDGET_BYTES = 2**29
"""Memory for one layer on calibration images, which are run in parts that keep to it."""
COARSE_SHARE = 0.1
"""Share of channels that may give up weight precision for the fraction bits of the others."""


@dataclass(frozen=True)
class Headroom:
    """Widths in bits, sign included: reached on calibration data, and the worst case that the weights allow.

    Attributes:
        saturating: the worst case does not fit; v is then pinned at its limit.
        given_up_bits: bits that all weights of the layer gave up so that v fits.
    """

    v_bits: int
    v_worst_bits: int
    input_bits: int
    input_worst_bits: int
    saturating: bool
    given_up_bits: int


def quantize(
    graph: StageGraph,
    codes: Codes,
    weight_bits: int = 8,
    progress: Callable[[str], None] | None = None,
    graph_layers: bool = False,
) -> Network:
    """Integer network of a planned stage graph.

    Args:
        codes: input codes of calibration images, for the head-room.
        weight_bits: 2..8, sign included.
        progress: called with the name of each stage when it is done.
        graph_layers: the stages stand for the nodes of one graph, and run in the kernels for graphs.

    Raises:
        HeadroomError: where a potential, bias or threshold needs more than 24 bits even without fraction bits.
    """
    assert graph.input_plan is not None
    plan = graph.input_plan
    source = InputPopulation(graph.input.name, graph.input.shape, plan.code, plan.scale, plan.offset)
    populations: dict[str, InputPopulation | Population | Readout] = {source.name: source}
    synapses: list[Synapse] = []
    headroom: dict[str, Headroom] = {}
    phases: dict[str, Codes] = {source.name: codes}
    for stage in graph.stages[1:]:
        assert isinstance(stage, Stage | OutputStage)
        population, onto, trace = _fitted(graph, stage, populations, phases, weight_bits, graph_layers)
        populations[stage.name] = population
        synapses += onto
        headroom[stage.name] = _headroom(population, onto, populations, trace, weight_bits)
        if trace.phases is not None:
            phases[stage.name] = trace.phases
        if progress is not None:
            progress(stage.name)
    facts = {"headroom": {name: vars(h) for name, h in headroom.items()}, "ann_macs": _macs(graph, synapses)}
    return verify(align(Network(graph.name, tuple(populations.values()), tuple(synapses), facts)))


def _fitted(
    graph: StageGraph,
    stage: Stage | OutputStage,
    populations: Mapping[str, InputPopulation | Population | Readout],
    phases: Mapping[str, Codes],
    weight_bits: int,
    graph_layers: bool,
) -> tuple[Population | Readout, list[Synapse], LayerTrace]:
    """Population, its synapses and their run on the calibration images, with as many fraction bits as that run bears.

    The fraction bits are chosen for v at the end of the input, where the gain is largest. Should v be pinned on its
    way there, a bit is given up.
    """
    most = MAX_INPUT_SHIFT
    while True:
        population, onto = _population(graph, stage, populations, phases, weight_bits, graph_layers, most)
        trace = _run(population, onto, populations, phases, graph_layers)
        shift = population.membrane.input_shift
        if trace.peak < V_MAX or shift == 0:
            return population, onto, trace
        most = shift - 1


def _run(
    population: Population | Readout,
    synapses: list[Synapse],
    populations: Mapping[str, InputPopulation | Population | Readout],
    phases: Mapping[str, Codes],
    graph_layers: bool,
) -> LayerTrace:
    inputs = [(s, populations[s.pre]) for s in synapses]
    if graph_layers:
        graph_layer = GraphLayer.of(population, inputs)  # type: ignore[arg-type]
        if graph_layer is not None:
            return graph_layer.run_batch({s.pre: phases[s.pre] for s in synapses})
    layer = EventLayer.of(population, inputs) or DenseLayer(population, inputs, torch.device("cpu"))  # type: ignore[arg-type]
    return LayerTrace.joined([layer.run_batch(part) for part in _parts(synapses, phases, layer.bytes_per_image)])


def _parts(
    synapses: list[Synapse], phases: Mapping[str, Codes], bytes_per_image: int
) -> Iterator[dict[str, NDArray[np.integer]]]:
    """What the synapses read, a few images at a time."""
    read = {s.pre: dense_codes(phases[s.pre], s.name) for s in synapses}
    images, step = len(next(iter(read.values()))), max(1, BUDGET_BYTES // bytes_per_image)
    return ({pre: p[i : i + step] for pre, p in read.items()} for i in range(0, images, step))


def _population(
    graph: StageGraph,
    stage: Stage | OutputStage,
    populations: Mapping[str, InputPopulation | Population | Readout],
    phases: Mapping[str, Codes],
    weight_bits: int,
    graph_layers: bool,
    most_fraction_bits: int,
) -> tuple[Population | Readout, list[Synapse]]:
    pres = [populations[link.pre] for link in stage.links]
    leak = _leak(stage, [(p.name, p.code) for p in pres])  # type: ignore[union-attr]
    if isinstance(stage, Stage) and stage.kind == "max_pool":
        return _first_spike(graph, stage)
    scales = [stage_scale(graph, link.pre) for link in stage.links]

    def built(finest: NDArray[np.float64], most_exp: int) -> tuple[list[Synapse], Membrane]:
        """Synapses and membrane without fraction bits, in units no finer than `finest`."""
        integers, unit = integer_links(stage, scales, weight_bits, finest, most_exp)
        onto = [
            Synapse(_synapse_name(stage, i), link.pre, stage.name, op, link.index, weight_exp)
            for i, (link, (op, weight_exp)) in enumerate(zip(stage.links, integers, strict=True))
        ]
        return onto, Membrane(leak, 0, np.rint(stage.bias / unit).astype(np.int64), unit)

    # A shortcut far stronger than the layer beside it shares the layer's unit through its exponent. Where v then grows
    # too wide the exponent gives way, and the weights of the layer lose bits that matter little beside the shortcut.
    for most_exp in range(MAX_WEIGHT_EXP, -1, -1) if len(stage.links) > 1 else (0,):
        synapses, membrane = built(np.zeros(()), most_exp)
        ranges = _ranges(graph, stage, synapses, membrane, populations, phases, graph_layers)
        if _free_bits(ranges) >= 0:
            break
    shift = min(_input_shift(stage.name, ranges), most_fraction_bits)
    too_wide = ranges * 2.0**shift > 2**WIDEST_BITS
    if too_wide.any():
        finest = np.where(too_wide, membrane.unit * ranges * 2.0**shift / 2**WIDEST_BITS, 0.0)
        synapses, membrane = built(finest, most_exp)
    membrane = replace(membrane, input_shift=shift, unit=membrane.unit / 2**shift)
    membrane = replace(membrane, bias=np.rint(stage.bias / membrane.unit).astype(np.int64))
    if isinstance(stage, OutputStage):
        return Readout(stage.name, stage.shape, membrane, stage.finish, stage.order), synapses
    plan = graph.plans[stage.name]
    threshold, table, negative = _thresholds(plan, membrane)
    wait = _wait(plan, membrane)
    return (
        Population(
            stage.name,
            stage.shape,
            stage.kind,
            membrane,
            wait,
            plan.code,
            threshold,
            table,
            negative,
            plan.scale,
            plan.offset,
        ),
        synapses,
    )


def _leak(stage: Stage | OutputStage, codes: list[tuple[str, BinaryCode | SingleSpikeCode]]) -> tuple[int, ...]:
    """Gains of the input steps: those of the code that all inputs share, or of the longest where others begin it."""
    longest = max((code.gains for _, code in codes), key=len)
    for name, code in codes:
        if code.gains != longest[: code.timesteps]:
            raise GraphError(
                f"{stage.name}: reads {name} with base {code} beside base {codes[0][1]} of {codes[0][0]}; one leak "
                "serves one code: give both the same"
            )
    return longest


def _first_spike(graph: StageGraph, stage: Stage) -> tuple[Population, list[Synapse]]:
    """Max pooling: no leak, no wait, and the first input spike reaches the threshold."""
    plan = graph.plans[stage.name]
    synapses = []
    for i, link in enumerate(stage.links):
        assert isinstance(link.op, Pool)
        op = Pool(link.op.window, np.array(2, np.int16))
        synapses.append(Synapse(_synapse_name(stage, i), link.pre, stage.name, op, link.index))
    zero, one = np.zeros((), np.int64), np.ones(())
    membrane = Membrane((2**LEAK_SHIFT,) * input_steps(graph, stage), 0, zero, one)
    table = ThresholdTable.constant(plan.code.timesteps)
    threshold = np.array(2, np.int64)
    return Population(
        stage.name, stage.shape, "max_pool", membrane, 0, plan.code, threshold, table, None, plan.scale
    ), synapses


def _synapse_name(stage: Stage | OutputStage, i: int) -> str:
    return stage.name if len(stage.links) == 1 else f"{stage.name}.{i}"


def _ranges(
    graph: StageGraph,
    stage: Stage | OutputStage,
    synapses: list[Synapse],
    membrane: Membrane,
    populations: Mapping[str, InputPopulation | Population | Readout],
    phases: Mapping[str, Codes],
    graph_layers: bool,
) -> NDArray[np.float64]:
    """Largest final |v|, bias and threshold of each neuron in units of v, largest over neurons that share a unit."""
    probe = Readout(stage.name, stage.shape, membrane)
    inputs = [(s, populations[s.pre]) for s in synapses]
    graph_layer = GraphLayer.of(probe, inputs) if graph_layers else None  # type: ignore[arg-type]
    if graph_layer is not None:
        reached = graph_layer.ranges({s.pre: phases[s.pre] for s in synapses})
    else:
        layer = DenseLayer(probe, inputs, torch.device("cpu"))
        finals = (layer.final(part) for part in _parts(synapses, phases, layer.bytes_of_levels))
        reached = reduce(np.maximum, (np.abs(final).max(axis=0) for final in finals))
    reached = np.maximum(reached, np.abs(stage.bias) / membrane.unit * membrane.gain)
    if isinstance(stage, Stage):
        largest = _gained(graph.plans[stage.name], membrane).largest
        reached = np.maximum(reached, graph.plans[stage.name].threshold * largest / membrane.unit)
    return largest_where_shared(reached, membrane.unit.shape)


def _free_bits(ranges: NDArray[np.float64]) -> float:
    """Bits that all but COARSE_SHARE of the channels leave free below WIDEST_BITS; negative where they are too wide."""
    return float(np.quantile(_free(ranges), COARSE_SHARE, method="higher"))


def _free(ranges: NDArray[np.float64]) -> NDArray[np.float64]:
    return WIDEST_BITS - np.ceil(np.log2(np.maximum(ranges, 1.0)))


def _input_shift(layer: str, ranges: NDArray[np.float64]) -> int:
    """Fraction bits of v: as many as fit for every channel, or ENOUGH_BITS where all but a few channels allow them.

    The few (batch-norm gain near zero: weights negligible beside bias or λ) get a coarser unit instead, which rounds
    weights that hardly matter. A whole layer gives up at most SPARE_WEIGHT_BITS that way, which the facts tell;
    HeadroomError when that is not enough.
    """
    for_most = _free_bits(ranges)
    if for_most < -SPARE_WEIGHT_BITS:
        raise HeadroomError(
            layer,
            "the membrane potential that calibration reaches",
            V_BITS - int(for_most),
            V_BITS,
            "use fewer weight_bits, input_bits or timesteps, or a smaller base (the gain is base^timesteps)",
        )
    return int(np.clip(max(_free(ranges).min(), min(for_most, ENOUGH_BITS)), 0, MAX_INPUT_SHIFT))


@dataclass(frozen=True, eq=False)
class _Gained:
    """Threshold factors per phase for v with its gain: table_k · gain of v at step min(wait + k, T_in), (T,) each."""

    positive: NDArray[np.float64]
    negative: NDArray[np.float64] | None

    @property
    def largest(self) -> float:
        """Largest finite magnitude of both."""
        both = np.abs(self.positive if self.negative is None else np.concatenate([self.positive, self.negative]))
        return float(both[np.isfinite(both)].max(initial=0.0)) or 1.0


def _wait(plan: StagePlan, membrane: Membrane) -> int:
    return membrane.input_steps if plan.wait is None else min(plan.wait, membrane.input_steps)


def _gained(plan: StagePlan, membrane: Membrane) -> _Gained:
    steps = np.minimum(_wait(plan, membrane) + np.arange(1, plan.code.timesteps + 1), membrane.input_steps)
    gain = membrane.gains[steps]
    return _Gained(plan.table * gain, None if plan.negative is None else plan.negative * gain)


def _thresholds(plan: StagePlan, membrane: Membrane) -> tuple[NDArray[np.int64], ThresholdTable, ThresholdTable | None]:
    """Factor per neuron and tables per phase: θ(k) = threshold · table_k · gain / unit."""
    gained = _gained(plan, membrane)
    threshold = np.rint(plan.threshold * gained.largest / membrane.unit)
    tables = [
        None if gains is None else ThresholdTable.from_gains(gains / gained.largest)
        for gains in (gained.positive, gained.negative)
    ]
    assert tables[0] is not None
    return np.maximum(threshold, ThresholdTable.SMALLEST).astype(np.int64), tables[0], tables[1]


def _headroom(
    population: Population | Readout,
    synapses: list[Synapse],
    populations: Mapping[str, InputPopulation | Population | Readout],
    trace: LayerTrace,
    weight_bits: int,
) -> Headroom:
    v_worst, input_worst = worst_case_bits(population, synapses, populations)
    widest = max(
        (int(np.abs(weight_values(s.op)).max(initial=0)) for s in synapses if not isinstance(s.op, Pool)), default=0
    )
    full = 2 * (2 ** (weight_bits - 1) - 1)
    given_up = int(np.log2(full / widest)) if widest else 0
    peak, input_peak = signed_bits(trace.peak), signed_bits(trace.input_peak)
    return Headroom(peak, v_worst, input_peak, input_worst, v_worst > V_BITS, given_up)


def _macs(graph: StageGraph, synapses: list[Synapse]) -> dict[str, int]:
    """MACs of the ANN layer that each synapse group stands for."""
    macs = [link.macs for stage in graph.stages[1:] for link in stage.links]  # type: ignore[union-attr]
    return {synapse.name: count for synapse, count in zip(synapses, macs, strict=True)}
