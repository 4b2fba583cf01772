"""Pass integer network → stages whose real weights are the integers times their units.

With it the `float` executor runs a network that was loaded from a file and has integer weights only: in real
arithmetic, with full wait and the values of the INT8 weights.
"""

from __future__ import annotations

import numpy as np

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
from loihi_onespike.core.maps.pool import as_pool
from loihi_onespike.errors import GraphError


def dequantize(network: Network) -> StageGraph:
    """Stages with weight = w_int · 2^(weight_exp + input_shift) · unit / λ_in and bias = bias_int · unit."""
    stages: list[AnyStage] = [InputStage(network.input.name, network.input.shape)]
    plans: dict[str, StagePlan] = {}
    for population in network.populations[1:]:
        if isinstance(population, InputPopulation) or population.kind == "relay":
            continue
        membrane = population.membrane
        bias = membrane.bias * membrane.unit
        links = tuple(_link(network, s, population) for s in network.synapses_onto(population.name))
        if isinstance(population, Readout):
            stages.append(
                OutputStage(population.name, population.shape, links, bias, population.finish, population.order)
            )
            continue
        plans[population.name] = _plan(population)
        stages.append(
            Stage(
                population.name,
                population.shape,
                population.kind,
                links,
                bias,
                IDENTITY if population.signed else RELU,
                (),
            )
        )
    source = network.input
    plan = InputPlan(source.code, source.scale, source.offset)
    return verify_stage(StageGraph(network.name, tuple(stages), (), plan, plans))


def _plan(population: Population) -> StagePlan:
    """Plan with the integer thresholds in real units, for decisions on the whole input."""
    membrane = population.membrane
    phases = population.code.phase_of(population.code.words()[1:])
    gain = membrane.gains[np.minimum(population.wait + phases, membrane.input_steps)]
    positive, negative = (None if t is None else t.gains() / gain for t in (population.table, population.negative))
    assert positive is not None
    threshold = population.threshold * membrane.unit
    return StagePlan(population.code, population.scale, population.wait, threshold, positive, negative)


def _behind_relays(network: Network, name: str) -> InputPopulation | Population:
    """The population whose spikes a relay repeats."""
    population = network.by_name[name]
    while isinstance(population, Population) and population.kind == "relay":
        (synapse,) = network.synapses_onto(population.name)
        population = network.by_name[synapse.pre]
    assert not isinstance(population, Readout)
    return population


def _link(network: Network, synapse: Synapse, post: Population | Readout) -> Link:
    pre = _behind_relays(network, synapse.pre)
    if post.kind == "max_pool":
        pool = as_pool(synapse.op, post.name).with_weight(np.ones(()))
        return Link(pre.name, pool, synapse.index, np.ones(()))
    link = Link(pre.name, synapse.op, synapse.index, np.ones(()))
    seen = gathered_scale(link, pre.scale, pre.shape)
    if seen is None:
        raise GraphError(f"{synapse.name}: reads {pre.name} through shared weights, whose λ differ between places")
    unit = 2.0 ** (synapse.weight_exp + post.membrane.input_shift) * post.membrane.unit
    return real_link(pre.name, synapse.op, synapse.index, seen, unit, len(post.shape))
