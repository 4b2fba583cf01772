"""A one-spike network as a torch module that really makes every step, for tools that watch modules at work.

Each group of synapses is a module that maps the spikes of one phase to sums, and each population has a module that maps
v to the spikes of one phase, so that hooks see what a chip would do. All values are integers and equal those of the
oracle; the arithmetic is that of `core.graphs.network`. Simulation with `fast` is much quicker.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from loihi_onespike.core.codes import V_MAX, V_MIN, WORD_DTYPE, ThresholdTable
from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT
from loihi_onespike.core.encoding import check_codes, decode_outputs
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population, Readout, Synapse
from loihi_onespike.core.trace import LayerTrace, Trace, v_of_layers
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.tensors.tensor_maps import tensor_map

Phases = list[torch.Tensor]
"""Spikes of a population at phase 1, 2, …, each (B, *shape) of 0, 1 and -1 in float64."""
SUFFIXES = ("", "_second")
"""Ends of the names of buffers, for the membrane of every factor."""


class SynapseGroup(nn.Linear):
    """Sums of one group of synapses in units of two: y = op(gather(s)) with halved weights.

    Weights are even integers of at most ±254 (docs/netx_format.md), so their halves are stored in 8 bits. The class
    derives from `nn.Linear` because tools recognise layers with weights by their class; the map may be any.

    Args:
        synapse: the group.
    """

    def __init__(self, synapse: Synapse) -> None:
        nn.Module.__init__(self)
        halves = np.asarray(synapse.op.weight_values, np.int64) // 2
        self.op, self.gather = synapse.op, synapse.index
        self.weight = nn.Parameter(torch.from_numpy(np.asarray(halves, np.int8)), requires_grad=False)
        self.register_parameter("bias", None)
        self.shift = 1 + synapse.weight_exp
        if synapse.index is not None:
            self.register_buffer("index", torch.from_numpy(np.asarray(synapse.index, np.int32)))

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """(B, *pre shape) spikes → (B, *post shape) sums of halved weights, exact in float64."""
        # The weights are read here: tools count with copies that have others.
        op = self.op.with_weight_values(self.weight.detach().numpy().astype(np.float64))
        return tensor_map(op, self.gather, torch.float64)(spikes)


class OneSpikeNeurons(nn.Module):
    """The decision of a population: spikes of one phase from v, at most one per neuron and window.

    Args:
        population: the population.
    """

    threshold: torch.Tensor
    one_sided: torch.Tensor | None

    def __init__(self, population: Population) -> None:
        super().__init__()
        self.register_buffer("threshold", torch.from_numpy(np.asarray(population.threshold, np.int32)))
        self.positive, self.negative, self.far = population.table, population.negative, population.far
        names = {"table": "table", "negative": "negative_table", "far": "far_table"}
        for name, table in population.tables.items():
            self.register_buffer(f"{names[name]}_mant", torch.tensor(table.mant, dtype=torch.int16))
            self.register_buffer(f"{names[name]}_shift", torch.tensor(table.shift, dtype=torch.int8))
        sides = population.one_sided
        self.register_buffer("one_sided", None if sides is None else torch.from_numpy(np.array(sides)))
        self.silent: torch.Tensor | None = None

    def start(self) -> None:
        """Begin a window: no neuron has fired."""
        self.silent = None

    def forward(self, v: torch.Tensor, phase: int) -> torch.Tensor:
        """Spikes 0, 1 and -1 of a phase, float64.

        Args:
            v: (B, *shape) int64 potentials.
            phase: the phase, from 1.
        """
        spikes = (v >= self._theta(self.positive, phase)).long()
        if self.negative is not None:
            below = v <= -self._theta(self.negative, phase)
            if self.far is not None:
                below &= v >= -self._theta(self.far, phase)
            if self.one_sided is not None:
                below &= ~self.one_sided
            spikes -= ((spikes == 0) & below).long()
        if self.silent is not None:
            spikes = torch.where(self.silent, 0, spikes)
        fired = spikes != 0
        self.silent = fired if self.silent is None else self.silent | fired
        return spikes.double()

    def _theta(self, table: ThresholdTable, phase: int) -> torch.Tensor:
        """θ(k) = threshold · mant_k >> shift_k."""
        return (self.threshold.long() * table.mant[phase - 1]) >> table.shift[phase - 1]


class OneSpikeLayer(nn.Module):
    """One population with the synapses onto it.

    Args:
        network: the network.
        population: the population.
    """

    product_bias: torch.Tensor

    def __init__(self, network: Network, population: Population | Readout) -> None:
        super().__init__()
        groups = tuple(network.synapses_onto(population.name))
        self.population, self.sources = population, tuple(s.pre for s in groups)
        self.factors = tuple(s.factor for s in groups)
        self.groups = nn.ModuleList(SynapseGroup(s) for s in groups)
        self.neurons = OneSpikeNeurons(population) if isinstance(population, Population) else None
        for membrane, suffix in zip(population.membranes, SUFFIXES, strict=False):
            self.register_buffer(f"bias{suffix}", torch.from_numpy(np.asarray(membrane.bias, np.int32)))
            # Gains above 8, which codes without payload never need, take more than 16 bits.
            narrow = max(membrane.leak) < 2**15
            leak = torch.tensor(membrane.leak, dtype=torch.int16 if narrow else torch.int32)
            self.register_buffer(f"leak{suffix}", leak)
        if isinstance(population, Population) and population.product is not None:
            self.register_buffer("product_bias", torch.from_numpy(np.asarray(population.product.bias, np.int32)))

    def forward(self, spikes: Mapping[str, Phases]) -> tuple[Phases, torch.Tensor]:
        """Spikes of every phase, none for a readout, and v at the end of the window.

        Args:
            spikes: spikes of the populations before it, by name.
        """
        p = self.population
        batch = len(spikes[self.sources[0]][0])
        sums = [
            getattr(self, f"bias{suffix}").long().broadcast_to((batch, *p.shape))
            for _, suffix in zip(p.membranes, SUFFIXES, strict=False)
        ]
        v = self._v(sums)
        if self.neurons is not None:
            self.neurons.start()
        sent: Phases = []
        last = p.wait + p.timesteps if isinstance(p, Population) else 0
        for t in range(1, max(last, p.input_steps) + 1):
            for i, membrane in enumerate(p.membranes):
                if t <= membrane.input_steps:
                    a_in = self._input(spikes, t, i) << membrane.input_shift
                    sums[i] = (((sums[i] * membrane.leak[t - 1]) >> LEAK_SHIFT) + a_in).clamp(V_MIN, V_MAX)
            if t <= p.input_steps:
                v = self._v(sums)
            if self.neurons is not None and p.wait < t <= last:
                sent.append(self.neurons(v, t - p.wait))
        return sent, v

    def _v(self, sums: list[torch.Tensor]) -> torch.Tensor:
        """v of the sums: the only one, or the product of both factors."""
        product = self.population.product if isinstance(self.population, Population) else None
        if product is None:
            return sums[0]
        return (((sums[0] * sums[1]) >> product.shift) + self.product_bias.long()).clamp(V_MIN, V_MAX)

    def _input(self, spikes: Mapping[str, Phases], t: int, factor: int) -> torch.Tensor:
        """a_in of step t: spikes of phase t of every group of a factor, which delays bring together."""
        arriving = [
            group(spikes[name][t - 1]).long() << group.shift
            for group, name, onto in zip(self.groups, self.sources, self.factors, strict=True)
            if onto == factor and t <= len(spikes[name])
        ]
        return torch.stack(arriving).sum(0)


class StepModule(nn.Module):
    """The whole network, layer by layer and step by step.

    Args:
        network: the network.

    Raises:
        ConfigurationError: spikes carry a payload.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        for p in network.populations:
            if not isinstance(p, Readout) and p.code.payload_bits:
                raise ConfigurationError(
                    f"{p.name}: must send no payload, got {p.code.payload_bits} bits; convert with payload_bits=0"
                )
        self.network = network
        populations = (p for p in network.populations if not isinstance(p, InputPopulation))
        self.layers = nn.ModuleList(OneSpikeLayer(network, p) for p in populations)

    def forward(self, codes: NDArray[np.integer]) -> Trace:
        """Run (N, *input shape) codes of the input.

        Returns:
            Code words and v of every population, and the output in the units of the ANN.
        """
        source = self.network.input
        check_codes(source, codes)
        phases = range(1, source.timesteps + 1)
        spikes = {source.name: [torch.from_numpy(source.code.spikes(codes, k).astype(np.float64)) for k in phases]}
        layers = {source.name: LayerTrace.of_input(codes)}
        for layer in self.layers:
            assert isinstance(layer, OneSpikeLayer)
            p = layer.population
            spikes[p.name], v = layer(spikes)
            words = None
            if isinstance(p, Population):
                by_phase = (k * s.numpy() for k, s in enumerate(spikes[p.name], start=1))
                words = sum(by_phase, np.zeros((len(codes), *p.shape))).astype(WORD_DTYPE)
            layers[p.name] = LayerTrace(words, v.numpy())
        return Trace(layers, decode_outputs(self.network, v_of_layers(layers)))
