"""Pass integer network → stages whose real weights are the integers times their units.

With it the `float` executor runs a network that was loaded from a file and has integer weights only: in real
arithmetic, with full wait and the values of the INT8 weights.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.lowering.link_scales import gathered_scale
from loihi_onespike.conversion.quantization.rounded_stage import real_link
from loihi_onespike.core.activations import IDENTITY, RELU
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout, Synapse
from loihi_onespike.core.graphs.stage import (
    AnyStage,
    InputPlan,
    InputStage,
    Link,
    OutputStage,
    Stage,
    StageGraph,
    StagePlan,
)
from loihi_onespike.core.graphs.verify_stage import verify_stage
from loihi_onespike.core.maps import Pool, Shape, Window
from loihi_onespike.core.maps.pool import as_pool
from loihi_onespike.errors import GraphError


def dequantize(network: Network) -> StageGraph:
    """Stages with weight = w_int · 2^(weight_exp + input_shift) · unit / λ_in and bias = bias_int · unit."""
    stages: list[AnyStage] = [InputStage(network.input.name, network.input.shape)]
    plans: dict[str, StagePlan] = {}
    for population in network.populations[1:]:
        if isinstance(population, InputPopulation) or population.kind == "relay":
            continue
        bias = population.membrane.bias * population.membrane.unit
        links = _links(network, population)
        if isinstance(population, Readout):
            stages.append(
                OutputStage(population.name, population.shape, links, bias, population.finish, population.order)
            )
            continue
        plans[population.name] = _plan(population)
        factor_biases = None
        if population.product is not None:
            first, second = (m.bias * m.unit for m in population.membranes)
            factor_biases, bias = (first, second), population.product.bias * _unit(population)
        stages.append(
            Stage(
                population.name,
                population.shape,
                population.kind,
                links,
                bias,
                IDENTITY if population.signed else RELU,
                (),
                factor_biases=factor_biases,
            )
        )
    source = network.input
    plan = InputPlan(source.code, source.scale, source.offset, source.dithered)
    return verify_stage(StageGraph(network.name, tuple(stages), (), plan, plans))


def _plan(population: Population) -> StagePlan:
    """Plan with the integer thresholds in real units, for decisions on the whole input."""
    membrane = population.membrane
    phases = population.code.phase_of(population.code.words()[1:])
    gain = membrane.gains[np.minimum(population.wait + phases, membrane.input_steps)]
    if population.product is not None:  # its unit is that at the end of the input
        gain = np.ones(())
    tables = {field: table.gains() / gain for field, table in population.tables.items()}
    threshold = population.threshold * _unit(population)
    return StagePlan(
        population.code, population.scale, population.wait, threshold, tables["table"], tables.get("negative"),
        far=tables.get("far"), one_sided=population.one_sided,
    )  # fmt: skip


def _unit(population: Population) -> NDArray[np.float64]:
    """Real value of v = 1; for a product at the end of the input."""
    if population.product is None:
        return population.membrane.unit
    first, second = (m.unit / m.gain for m in population.membranes)
    return np.asarray(first * second * 2.0**population.product.shift)


def _behind_relays(network: Network, name: str) -> InputPopulation | Population:
    """The population whose spikes a relay repeats."""
    population = network.by_name[name]
    while isinstance(population, Population) and population.kind == "relay":
        (synapse,) = network.synapses_onto(population.name)
        population = network.by_name[synapse.pre]
    assert not isinstance(population, Readout)
    return population


def _links(network: Network, post: Population | Readout) -> tuple[Link, ...]:
    synapses = list(network.synapses_onto(post.name))
    if not isinstance(post, Population) or not post.digit_bits:
        return tuple(_link(network, s, post) for s in synapses)
    # Max pooling of messages has a group of synapses per neuron of a window. Side by side along the last axis the
    # neurons of a window are the places of a pooling window.
    found = []
    for pre in dict.fromkeys(_behind_relays(network, s.pre).name for s in synapses):
        own = [s.index for s in synapses if _behind_relays(network, s.pre).name == pre]
        side_by_side = np.stack([_index(index, post.shape) for index in own], axis=-1).reshape(*post.shape[:-1], -1)
        kernel = (*(1,) * (len(post.shape) - 2), len(own))
        window = replace(Window.plain(kernel), stride=kernel)
        found.append(Link(pre, Pool(window, np.ones(())), side_by_side, np.ones(())))
    return tuple(found)


def _index(index: NDArray[np.int32] | None, shape: Shape) -> NDArray[np.int32]:
    return np.arange(prod(shape), dtype=np.int32).reshape(shape) if index is None else index


def _link(network: Network, synapse: Synapse, post: Population | Readout) -> Link:
    pre = _behind_relays(network, synapse.pre)
    if post.kind == "max_pool":
        pool = as_pool(synapse.op, post.name).with_weight(np.ones(()))
        return Link(pre.name, pool, synapse.index, np.ones(()))
    link = Link(pre.name, synapse.op, synapse.index, np.ones(()), factor=synapse.factor)
    seen = gathered_scale(link, pre.scale, pre.shape)
    if seen is None:
        raise GraphError(f"{synapse.name}: reads {pre.name} through shared weights, whose λ differ between places")
    membrane = post.membranes[synapse.factor]
    unit = 2.0 ** (synapse.weight_exp + membrane.input_shift) * membrane.unit
    return replace(real_link(pre.name, synapse.op, synapse.index, seen, unit, len(post.shape)), factor=synapse.factor)
