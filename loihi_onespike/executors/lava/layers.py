"""From an integer network to connected Lava Processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import loihi_onespike.executors.lava.processes  # noqa: F401  # isort: skip  (before Lava, see there)
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess

from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout, Synapse
from loihi_onespike.errors import ConfigurationError, HeadroomError
from loihi_onespike.executors.lava.kernels import largest_sum
from loihi_onespike.executors.lava.processes import process as processes
from loihi_onespike.executors.lava.recording import Record
from loihi_onespike.executors.lava.stock import stock_synapse
from loihi_onespike.executors.lava_options import SYNAPSE_KINDS, SynapseKind

MESSAGE_BITS = 32
"""Width of the integers in Lava's channels."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One population with everything that leads to it.

    Attributes:
        population: what the network says about it.
        neuron: its process.
        synapses: processes of the synapses onto it, by name.
    """

    population: Population | Readout
    neuron: processes.OneSpike | processes.OneSpikeReadout
    synapses: Mapping[str, AbstractProcess]

    @property
    def name(self) -> str:
        """Name of the population."""
        return self.population.name


def build_layers(
    network: Network,
    inp: InPort | OutPort,
    *,
    synapses: SynapseKind = "own",
    period: int | None = None,
    records: Mapping[str, Record] | None = None,
) -> tuple[Layer, ...]:
    """Make and connect the processes of every population but the input.

    Args:
        network: network whose populations are made.
        inp: port of the input population's shape that the spikes come from.
        synapses: which processes carry the synapses.
        period: steps between two images, `network.period_steps` by default and at least.
        records: what to record, by population.

    Raises:
        ConfigurationError: synapses or period outside their range.
        HeadroomError: a sum that does not fit Lava's messages.
    """
    if synapses not in SYNAPSE_KINDS:
        raise ConfigurationError(f"synapses: must be {' or '.join(SYNAPSE_KINDS)}, got {synapses!r}")
    period = checked_period(network, period)
    outputs: dict[str, InPort | OutPort] = {network.input.name: inp}
    layers = []
    for population in network.populations:
        if isinstance(population, InputPopulation):
            continue
        check_messages(network, population)
        neuron = _neuron(population, network.starts[population.name], period, (records or {}).get(population.name))
        made = {}
        for synapse in network.synapses_onto(population.name):
            made[synapse.name] = _connect(network, synapse, outputs[synapse.pre], neuron, synapses)
        outputs[population.name] = neuron.s_out
        layers.append(Layer(population, neuron, made))
    return tuple(layers)


def checked_period(network: Network, period: int | None) -> int:
    """Steps between two images, the network's own by default; raises ConfigurationError where windows would overlap."""
    if period is None:
        return network.period_steps
    if period < network.period_steps:
        raise ConfigurationError(
            f"period: must be at least {network.period_steps} steps, got {period}; windows would overlap"
        )
    return period


def check_messages(network: Network, population: Population | Readout) -> None:
    """Raise HeadroomError when the synaptic input of one step may not fit an integer of Lava's channels."""
    largest = [0] * len(population.membranes)
    for s in network.synapses_onto(population.name):
        pre = network.by_name[s.pre]
        assert not isinstance(pre, Readout)
        largest[s.factor] += largest_sum(s.op) * pre.code.largest_message << s.weight_exp
    bits = max(largest).bit_length() + 1
    if bits > MESSAGE_BITS:
        raise HeadroomError(
            population.name,
            "the synaptic input of one step, at worst,",
            bits,
            MESSAGE_BITS,
            "lower its synapses' weight_exp and raise input_shift by as much",
        )


def _neuron(
    population: Population | Readout, start: int, period: int, record: Record | None
) -> processes.OneSpike | processes.OneSpikeReadout:
    if isinstance(population, Readout):
        return processes.OneSpikeReadout(
            shape=population.shape,
            membrane=population.membrane,
            start=start,
            period=period,
            record=record,
            name=population.name,
        )
    kind: type[processes.OneSpike] = processes.OneSpike
    more: dict[str, Any] = {}
    if population.product is not None:
        kind, more = processes.OneSpikeProduct, {"product": population.product}
    elif population.kind == "max_pool":
        kind = processes.OneSpikeMaxPool
    return kind(
        shape=population.shape,
        membrane=population.membrane,
        wait=population.wait,
        threshold=population.threshold,
        table=population.table,
        negative=population.negative,
        messages=np.array(population.code.messages).reshape(population.timesteps, -1),
        digit_bits=population.digit_bits,
        far=population.far,
        one_sided=population.one_sided,
        start=start,
        period=period,
        record=record,
        name=population.name,
        **more,
    )


def _connect(
    network: Network, synapse: Synapse, spikes: InPort | OutPort, neuron: AbstractProcess, kind: SynapseKind
) -> AbstractProcess:
    pre, post = network.by_name[synapse.pre], network.by_name[synapse.post]
    assert not isinstance(pre, Readout)
    a_in = neuron.a_in2 if synapse.factor else neuron.a_in
    stock = stock_synapse(synapse, pre, post.shape) if kind == "stock" else None
    if stock is not None:
        stock.connect_input(spikes)
        stock.output().connect(a_in)
        return stock.process
    own = processes.OneSpikeSynapse(
        op=synapse.op,
        pre_shape=pre.shape,
        index=synapse.index,
        weight_exp=synapse.weight_exp,
        axon_delay=synapse.axon_delay,
        name=f"synapse {synapse.name}",
    )
    spikes.connect(own.s_in)
    own.a_out.connect(a_in)
    return own
