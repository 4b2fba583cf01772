"""Pass planned stages → integer network (docs/arithmetic.md, Integers).

Weights become symmetric integers with a unit per output channel (`integer_weights`). The unit of the channel, the
batch-norm gain and λ are part of the threshold of the neuron (`integer_thresholds`), so they cost no precision. Stage
by stage, the calibration images run through the integer network so far (`integer_run`); the largest potential decides
how many fraction bits v gets (`fraction_bits`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.quantization.align import align
from loihi_onespike.conversion.quantization.fraction_bits import WIDEST_BITS, finest_units, fraction_bits, free_bits
from loihi_onespike.conversion.quantization.headroom import Headroom
from loihi_onespike.conversion.quantization.integer_run import IntegerRun
from loihi_onespike.conversion.quantization.integer_thresholds import integer_thresholds, largest_threshold, wait_steps
from loihi_onespike.conversion.quantization.integer_weights import integer_links, largest_where_shared
from loihi_onespike.conversion.quantization.max_pooling import max_pooling, synapse_name
from loihi_onespike.conversion.quantization.whole_numbers import in_units, whole_numbers, whole_numbers_of_v
from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, Code, leak_loss
from loihi_onespike.core.encoding import Codes
from loihi_onespike.core.graphs.network import (
    AnyPopulation,
    InputPopulation,
    Membrane,
    Network,
    Population,
    Product,
    Readout,
    Synapse,
)
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph, StagePlan
from loihi_onespike.core.graphs.verify_network import MAX_INPUT_SHIFT, MAX_PRODUCT_SHIFT, MAX_WEIGHT_EXP, verify
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.errors import GraphError


def quantize(
    graph: StageGraph,
    codes: Codes,
    weight_bits: int = 8,
    progress: Callable[[str, int, int], None] | None = None,
    graph_layers: bool = False,
) -> Network:
    """Integer network of a planned stage graph.

    Args:
        graph: planned stage graph.
        codes: input codes of calibration images, which determine the head-room.
        weight_bits: width of a weight, 2..8, sign included.
        progress: called as progress("quantize", stages done, number of stages).
        graph_layers: the stages have the shape (nodes, features) of one graph; kernels for graph networks run them.

    Raises:
        HeadroomError: a potential, bias or threshold needs more than 24 bits even without fraction bits.
    """
    assert graph.input_plan is not None
    plan = graph.input_plan
    source = InputPopulation(graph.input.name, graph.input.shape, plan.code, plan.scale, plan.offset, plan.dithered)
    run = IntegerRun({source.name: source}, {source.name: codes}, graph_layers)
    populations: list[AnyPopulation] = [source]
    synapses: list[Synapse] = []
    headroom: dict[str, Headroom] = {}
    macs: dict[str, int] = {}
    for done, stage in enumerate(graph.stages[1:], 1):
        assert isinstance(stage, Stage | OutputStage)
        population, onto, trace = _fitted(graph, stage, run, weight_bits)
        populations.append(population)
        synapses += onto
        macs |= _macs(stage, onto)
        headroom[stage.name] = Headroom.of(population, onto, run.populations, trace, weight_bits)
        run.add(population, trace)
        if progress is not None:
            progress("quantize", done, len(graph.stages) - 1)
    facts = {"headroom": {name: vars(h) for name, h in headroom.items()}, "ann_macs": macs}
    return verify(align(Network(graph.name, tuple(populations), tuple(synapses), facts)))


def _fitted(
    graph: StageGraph, stage: Stage | OutputStage, run: IntegerRun, weight_bits: int
) -> tuple[Population | Readout, list[Synapse], LayerTrace]:
    """Population, its synapses and its trace on the calibration images, with as many fraction bits as fit.

    The number of fraction bits is chosen for v at the end of the input, where the gain is largest. It is reduced while
    v saturates at some step of the calibration images.
    """
    if isinstance(stage, Stage) and stage.kind == "max_pool":
        populations = {link.pre: run.populations[link.pre] for link in stage.links}
        pool, onto = max_pooling(stage, graph.plans[stage.name], populations, graph.input_steps(stage))
        return pool, onto, run.trace(pool, onto)
    if isinstance(stage, Stage) and stage.is_product:
        product, onto = _product(graph, stage, run, weight_bits)
        return product, onto, run.trace(product, onto)
    most = MAX_INPUT_SHIFT
    while True:
        membrane, onto = _integration(graph, stage, run, weight_bits, most)
        population = _spiking_or_readout(graph, stage, membrane)
        trace = run.trace(population, onto)
        if trace.peak < V_MAX or membrane.input_shift == 0:
            return population, onto, trace
        most = membrane.input_shift - 1


def _product(graph: StageGraph, stage: Stage, run: IntegerRun, weight_bits: int) -> tuple[Population, list[Synapse]]:
    """Population of a product: both factors as finely as they fit, and the shift with which their product does."""
    membranes: list[Membrane] = []
    synapses: list[Synapse] = []
    for i, factor in enumerate(stage.sums):
        most = MAX_INPUT_SHIFT
        while True:
            membrane, onto = _integration(graph, factor, run, weight_bits, most)
            peak = run.trace(Readout(stage.name, stage.shape, membrane), onto).peak
            if peak < V_MAX or membrane.input_shift == 0:
                break
            most = membrane.input_shift - 1
        membranes.append(membrane)
        synapses += [
            replace(synapse, name=f"{stage.name}.{len(synapses) + k}", factor=i) for k, synapse in enumerate(onto)
        ]
    first, second = membranes
    plan = graph.plans[stage.name]
    unit = (first.unit / first.gain) * (second.unit / second.gain)
    exact = Membrane((2**LEAK_SHIFT,) * max(first.input_steps, second.input_steps), 0, np.zeros((), np.int64), unit)
    probes = [Readout(stage.name, stage.shape, membrane) for membrane in membranes]
    numbers = (run.largest_product(probes, synapses), np.abs(stage.bias) / unit, largest_threshold(plan, exact))
    reached = max(float(np.max(number)) for number in numbers)
    shift = int(np.clip(np.ceil(np.log2(max(reached, 1.0))) - WIDEST_BITS, 0, MAX_PRODUCT_SHIFT))
    v = replace(exact, unit=unit * 2.0**shift)
    bias = whole_numbers_of_v(stage.name, "bias", in_units(stage.bias, v.unit))
    return replace(_spiking(stage, plan, first, v), product=Product(second, shift, bias)), synapses


def _integration(
    graph: StageGraph, stage: Stage | OutputStage, run: IntegerRun, weight_bits: int, most_fraction_bits: int
) -> tuple[Membrane, list[Synapse]]:
    """Integration of a sum, and the synapses onto it."""
    pres = [run.populations[link.pre] for link in stage.links]
    leak = _leak(stage, [(p.name, p.code) for p in pres])
    scales = [(graph.scale_of(link.pre), graph.by_name[link.pre].shape) for link in stage.links]

    def built(finest: NDArray[np.float64], most_exp: int) -> tuple[list[Synapse], Membrane]:
        """Synapses and membrane without fraction bits, in units no finer than `finest`."""
        integers, unit = integer_links(stage, scales, weight_bits, finest, most_exp)
        onto = [
            Synapse(synapse_name(stage, i), link.pre, stage.name, op, link.index, weight_exp)
            for i, (link, (op, weight_exp)) in enumerate(zip(stage.links, integers, strict=True))
        ]
        return onto, Membrane(leak, 0, whole_numbers(f"{stage.name}: bias", in_units(stage.bias, unit)), unit)

    # A shortcut with much larger weights than the layer beside it has the layer's unit and a larger exponent. If v then
    # becomes too wide, the exponent is reduced. This costs weights of the layer that matter little beside the shortcut.
    for most_exp in range(MAX_WEIGHT_EXP, -1, -1) if len(stage.links) > 1 else (0,):
        synapses, membrane = built(np.zeros(()), most_exp)
        ranges = _ranges(graph, stage, run, synapses, membrane)
        if free_bits(ranges) >= 0:
            break
    swings = partial(_swings, stage, run, synapses, membrane)
    shift = min(fraction_bits(stage.name, ranges, swings), most_fraction_bits)
    finest = finest_units(ranges, membrane.unit, shift)
    if finest is not None:
        synapses, membrane = built(finest, most_exp)
    membrane = replace(membrane, input_shift=shift, unit=membrane.unit / 2**shift)
    # The leak rounds v down in every step; with many timesteps the sum of this is a large part of small values of v.
    lost = in_units(stage.bias, membrane.unit) + leak_loss(leak)
    return replace(membrane, bias=whole_numbers_of_v(stage.name, "bias", lost)), synapses


def _spiking_or_readout(graph: StageGraph, stage: Stage | OutputStage, membrane: Membrane) -> Population | Readout:
    if isinstance(stage, OutputStage):
        return Readout(stage.name, stage.shape, membrane, stage.finish, stage.order)
    return _spiking(stage, graph.plans[stage.name], membrane, membrane)


def _spiking(stage: Stage, plan: StagePlan, membrane: Membrane, v: Membrane) -> Population:
    """The population of a planned stage.

    Args:
        stage: the stage.
        plan: its plan.
        membrane: its integration, the first factor in a product.
        v: unit and gain of what the thresholds are compared with; the membrane itself where v is no product.
    """
    threshold, tables = integer_thresholds(plan, v, stage.name)
    return Population(
        name=stage.name,
        shape=stage.shape,
        kind=stage.kind,
        membrane=membrane,
        wait=wait_steps(plan, v),
        code=plan.code,
        threshold=threshold,
        table=tables["table"],
        negative=tables.get("negative"),
        scale=plan.scale,
        offset=plan.offset,
        far=tables.get("far"),
        one_sided=plan.one_sided,
    )


def _leak(stage: Stage | OutputStage, codes: list[tuple[str, Code]]) -> tuple[int, ...]:
    """Gains of the input steps: those of the longest code of the inputs, which must begin with those of all others."""
    longest = max((code.gains for _, code in codes), key=len)
    for name, code in codes:
        if code.gains != longest[: code.timesteps]:
            raise GraphError(
                f"{stage.name}: reads {name} with base {code} beside base {codes[0][1]} of {codes[0][0]}; one leak "
                "serves one code: give both the same"
            )
    return longest


def _ranges(
    graph: StageGraph, stage: Stage | OutputStage, run: IntegerRun, synapses: Sequence[Synapse], membrane: Membrane
) -> NDArray[np.float64]:
    """Largest of final |v|, |bias| and threshold, in units of v, for each group of neurons that share a unit."""
    reached = run.potentials(Readout(stage.name, stage.shape, membrane), synapses)
    reached = np.maximum(reached, np.abs(stage.bias) / membrane.unit * membrane.gain)
    if stage.name in graph.plans and not graph.by_name[stage.name].is_product:  # type: ignore[union-attr]
        reached = np.maximum(reached, largest_threshold(graph.plans[stage.name], membrane))
    return largest_where_shared(reached, membrane.unit.shape)


def _swings(
    stage: Stage | OutputStage, run: IntegerRun, synapses: Sequence[Synapse], membrane: Membrane
) -> NDArray[np.float64]:
    """Largest final |v| without its bias, in units of v, for each group of neurons that share a unit."""
    unbiased = replace(membrane, bias=np.zeros((), np.int64))
    reached = run.potentials(Readout(stage.name, stage.shape, unbiased), synapses)
    return largest_where_shared(reached, membrane.unit.shape)


def _macs(stage: Stage | OutputStage, synapses: Sequence[Synapse]) -> dict[str, int]:
    """Multiply-accumulates of the ANN that each synapse group of a stage computes; none in max pooling."""
    if stage.kind == "max_pool":
        return {synapse.name: 0 for synapse in synapses}
    return {synapse.name: link.macs for synapse, link in zip(synapses, stage.links, strict=True)}
