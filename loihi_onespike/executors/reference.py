"""The oracle: a clocked simulation of the network, with the equations of `core.graphs.network` written line by line.

In every step of the clock each population makes one step of its window:

    v = saturate( (v · leak_t >> 12) + (a_in << input_shift) )       while input arrives, then v is held
    spike at phase k = t - wait, for the first k with v ≥ θ(w) for a word w of phase k

and each spike reaches its targets 1 + axon_delay steps later. In a product v is the product of two such integrations.
A stream of images flows through the pipeline, one image every `network.period_steps` steps. The oracle is slow and is
meant to be read. It shares with the faster executors only the network, the fixed-point rules and the explicit synapse
matrices.
"""

from __future__ import annotations

from collections import defaultdict
from math import prod

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loihi_onespike.core.codes import WORD_DTYPE, largest_digit, leak, saturate_v
from loihi_onespike.core.encoding import check_codes, decode_outputs
from loihi_onespike.core.graphs.network import AnyPopulation, InputPopulation, Network, Population, Readout
from loihi_onespike.core.maps.connectivity import synapse_matrix
from loihi_onespike.core.step_trace import StepTrace
from loihi_onespike.core.trace import LayerTrace, Trace, v_of_layers


class _Source:
    """The input population, which sends the spikes of its code: codes (N, neurons)."""

    def __init__(self, population: InputPopulation, codes: NDArray[np.integer]) -> None:
        self.code, self.codes = population.code, codes.reshape(len(codes), -1)

    def step(self, image: int, t: int, a_in: NDArray[np.int64]) -> NDArray[np.int64]:
        codes = self.codes[image]
        if t > self.code.timesteps:
            return np.zeros(codes.shape, np.int64)
        return self.code.spikes(codes, t)


class _Neurons:
    """A population of spiking neurons, or a readout; arrays over neurons are flat.

    `step` is the update of docs/arithmetic.md, The neuron: it takes the number of the image, the step t = 1, 2, … of
    its window and the synaptic input of each factor (1 or 2, neurons), and returns messages: 0 for no spike, ±1 without
    payload.
    """

    def __init__(self, population: Population | Readout, images: int) -> None:
        self.p, self.m = population, population.membrane
        size = prod(population.shape)
        flat = lambda a: np.broadcast_to(a, population.shape).ravel().astype(np.int64)  # noqa: E731
        self.bias = [flat(m.bias) for m in population.membranes]
        self.product_bias = flat(np.zeros(()))
        self.spiking = isinstance(population, Population)
        if isinstance(population, Population):
            self.theta = population.table.thresholds(flat(population.threshold))
            negative = population.negative_thresholds(population.shape)
            self.theta_negative = None if negative is None else negative.reshape(len(negative), -1)
            self.theta_far = population.far.thresholds(flat(population.threshold)) if population.far else None
            self.product_bias = flat(population.product.bias) if population.product else self.product_bias
        self.sums = [bias.copy() for bias in self.bias]
        self.v = self._v()
        self.words = np.zeros((images, size), WORD_DTYPE)
        self.v_end = np.zeros((images, size), np.int64)
        self.peak = self.input_peak = 0

    def step(self, image: int, t: int, a_in: NDArray[np.int64]) -> NDArray[np.int64]:
        if t == 1:
            self.sums = [bias.copy() for bias in self.bias]
        for i, membrane in enumerate(self.p.membranes):
            if t <= membrane.input_steps:
                u = leak(self.sums[i], membrane.leak[t - 1]) + (a_in[i] << membrane.input_shift)
                self.sums[i] = saturate_v(u)
        self.v = self._v()
        self.peak = max(self.peak, *(int(np.abs(x).max()) for x in self.sums))
        if t >= self.p.input_steps:  # a product of sums that are not complete decides nothing
            self.peak = max(self.peak, int(np.abs(self.v).max()))
        self.input_peak = max(self.input_peak, int(np.abs(a_in).max()))
        self.v_end[image] = self.v
        if isinstance(self.p, Population):
            k = t - self.p.wait
            if 1 <= k <= self.p.timesteps:
                sent = self._decide(k) * (self.words[image] == 0)
                self.words[image] += sent.astype(WORD_DTYPE)
                return self.p.code.spikes(sent, k)
        return np.zeros_like(self.v)

    def _v(self) -> NDArray[np.int64]:
        """v: the sum itself, or the shifted product of the sums of both factors."""
        if isinstance(self.p, Population) and self.p.product is not None:
            u, w = self.sums
            return saturate_v((u * w >> self.p.product.shift) + self.product_bias)
        return self.sums[0]

    def _decide(self, k: int) -> NDArray[np.int64]:
        """Word of the first threshold of phase k that v reaches; negative where only a negative one is; 0 for none.

        In a population with a dip v reaches a negative one where it lies between it and the far one.
        """
        assert isinstance(self.p, Population)
        v = largest_digit(self.v, self.p.digit_bits) if self.p.digit_bits else self.v
        of_phase = self.p.code.words_per_phase
        sent = np.zeros_like(v)
        for w in range((k - 1) * of_phase + 1, k * of_phase + 1):
            sent = np.where((sent == 0) & (v >= self.theta[w - 1]), w, sent)
        if self.theta_negative is not None:
            for w in range((k - 1) * of_phase + 1, k * of_phase + 1):
                inside = v <= -self.theta_negative[w - 1]
                if self.theta_far is not None:
                    inside &= v >= -self.theta_far[w - 1]
                sent = np.where((sent == 0) & inside, -w, sent)
        return sent


def run(network: Network, codes: NDArray[np.integer], steps: StepTrace | None = None) -> Trace:
    """Run input codes (N, *input shape) as one stream of N images, one every `network.period_steps` steps.

    Args:
        network: the network.
        codes: input codes of N images.
        steps: a `StepTrace.silent` of the network, which is filled with the spikes and v of every step.

    Returns:
        Code words and v at the end of the window of every population, (N, *shape), and the output of the readout.
    """
    check_codes(network.input, codes)
    images = len(codes)
    matrices = {s.name: _matrix(network, s.name) for s in network.synapses}
    units: dict[str, _Source | _Neurons] = {}
    for p in network.populations:
        units[p.name] = _Source(p, codes) if isinstance(p, InputPopulation) else _Neurons(p, images)
    in_flight: dict[int, dict[str, NDArray[np.int64]]] = defaultdict(dict)
    last = max(network.starts.values()) + network.period_steps * images
    for step in range(1, last + 1):
        arriving = in_flight.pop(step, {})
        for p in network.populations:
            image, t = divmod(step - network.starts[p.name] - 1, network.period_steps)
            if not 0 <= image < images:
                continue
            a_in = arriving.get(p.name, _no_input(p))
            unit = units[p.name]
            spikes = unit.step(image, t + 1, a_in)
            if steps is not None and p.name in steps.spikes:
                steps.spikes[p.name][image, t] = spikes.reshape(p.shape)
            if steps is not None and p.name in steps.v and isinstance(unit, _Neurons):
                steps.v[p.name][image, t] = unit.v.reshape(p.shape)
            if not spikes.any():
                continue
            for synapse in (s for s in network.synapses if s.pre == p.name):
                queue = in_flight[step + 1 + synapse.axon_delay]
                sums = (matrices[synapse.name] @ spikes) << synapse.weight_exp
                onto = network.by_name[synapse.post]
                queue.setdefault(onto.name, _no_input(onto))[synapse.factor] += sums
    return _trace(network, codes, units)


def _no_input(p: AnyPopulation) -> NDArray[np.int64]:
    factors = 1 if isinstance(p, InputPopulation) else len(p.membranes)
    return np.zeros((factors, prod(p.shape)), np.int64)


def _matrix(network: Network, name: str) -> sp.csr_matrix:
    (synapse,) = (s for s in network.synapses if s.name == name)
    return synapse_matrix(synapse.op, network.by_name[synapse.pre].shape, synapse.index).astype(np.int64)


def _trace(network: Network, codes: NDArray[np.integer], units: dict[str, _Source | _Neurons]) -> Trace:
    layers = {p.name: _layer(p, codes, units[p.name]) for p in network.populations}
    return Trace(layers, decode_outputs(network, v_of_layers(layers)))


def _layer(p: AnyPopulation, codes: NDArray[np.integer], unit: _Source | _Neurons) -> LayerTrace:
    if isinstance(unit, _Source):
        return LayerTrace(codes, None)
    shape = (len(codes), *p.shape)
    words = unit.words.reshape(shape) if isinstance(p, Population) else None
    return LayerTrace(words, unit.v_end.reshape(shape), unit.peak, unit.input_peak)
