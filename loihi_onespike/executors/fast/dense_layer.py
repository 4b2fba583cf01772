"""A population and its synapses as dense maps over the spikes of all phases; torch, so it also runs on a GPU.

The synaptic inputs of all phases are one batch of a linear map over messages, which are 0 or ±1 without payload. Sums
of integers are exact in float32 below 2^24 and in float64 below 2^53; the recursion of v runs in float64, where every
product is exact.

This holds for sums in any order, but not for all algorithms that a GPU library may choose for a convolution: the
transforms of Winograd and Fourier compute with fractions, and TF32 shortens mantissas. On a GPU the maps therefore run
in float64, where the error of such an algorithm is far below one half, and their sums are rounded to integers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.codes import LEAK_SHIFT, V_BITS, V_MAX, V_MIN, WORD_DTYPE
from loihi_onespike.core.graphs.network import InputPopulation, Membrane, Population, Readout, Synapse
from loihi_onespike.core.trace import LayerTrace
from loihi_onespike.executors.float.tensor_codes import tensor_code
from loihi_onespike.executors.tensors.tensor_maps import TensorMap, exact_dtype, tensor_map

EXACT = torch.float64


class DenseLayer:
    """One population with the synapses onto it.

    Args:
        population: population or readout of the layer.
        synapses: groups of synapses and the populations that they read.
        device: torch device.
        rounded: run the maps in float64 and round their sums; by default on every device but the CPU.
    """

    def __init__(
        self,
        population: Population | Readout,
        synapses: list[tuple[Synapse, InputPopulation | Population]],
        device: torch.device,
        rounded: bool | None = None,
    ) -> None:
        self.population, self.membrane = population, population.membrane
        rounded = device.type != "cpu" if rounded is None else rounded
        self.inputs = [_SynapticInput(synapse, pre, device, rounded) for synapse, pre in synapses]
        shape = (1, *population.shape)
        self.bias = _exact(np.broadcast_to(self.membrane.bias, population.shape), device).reshape(shape)
        if isinstance(population, Population):
            threshold = population.threshold.reshape(
                (1,) * (len(shape) - population.threshold.ndim) + population.threshold.shape
            )
            self._of_phase, self._digit_bits = population.code.words_per_phase, population.digit_bits
            self.theta = _exact(population.table.thresholds(threshold), device)
            negative = population.negative_thresholds(population.shape)
            self.theta_negative = None if negative is None else _exact(-negative[:, None], device)
            far = population.far
            self.theta_far = None if far is None else _exact(-far.thresholds(threshold), device)

    @property
    def bytes_per_image(self) -> int:
        """Peak bytes per image: spikes and sums of all phases in float, and the state of the recursion."""
        neurons = int(np.prod(self.population.shape))
        inputs = sum(i.bytes_per_image for i in self.inputs)
        return inputs + neurons * (8 * self.membrane.input_steps + 40)

    @property
    def bytes_of_levels(self) -> int:
        """Bytes per image of `final`: levels, sums and v."""
        return sum(i.bytes_per_image // i.pre.timesteps for i in self.inputs) + 24 * int(np.prod(self.population.shape))

    @torch.no_grad()
    def run_batch(self, words: Mapping[str, NDArray[np.integer]], keep: bool = True) -> LayerTrace:
        """Words and v of a batch, (B, *shape), from the words of the presynaptic populations.

        Args:
            words: code words of the presynaptic populations, (B, *shape) each.
            keep: ignored; v and the peaks are always recorded.
        """
        device = self.bias.device
        needed = {i.synapse.pre for i in self.inputs}
        sent, v, peak, input_peak = self.run(
            {name: torch.from_numpy(words[name].astype(np.int32)).to(device) for name in needed}
        )
        kept = None if sent is None else sent.cpu().numpy().astype(WORD_DTYPE)
        return LayerTrace(kept, v.cpu().numpy().astype(np.int32), peak, input_peak)

    def run(self, words: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor | None, torch.Tensor, int, int]:
        """Code words (None for a readout), v at the window's end, largest |v| and |a_in| over the steps."""
        a_in = self._synaptic_input(words)
        images = a_in.shape[1]
        v = self.bias.expand(images, *self.population.shape).clone()
        input_peak = int(a_in.abs().max())
        peak = 0
        population = self.population
        sent = torch.zeros(v.shape, dtype=torch.int32, device=v.device) if isinstance(population, Population) else None
        window = self.membrane.input_steps
        if isinstance(population, Population):
            window = max(window, population.wait + population.timesteps)
        for t in range(1, window + 1):
            if t <= self.membrane.input_steps:
                v = integrate(v, a_in[t - 1], self.membrane, t)
                peak = max(peak, int(v.abs().max()))
            if sent is not None:
                self._fire(sent, v, t)
        return sent, v, peak, input_peak

    @torch.no_grad()
    def final(self, words: Mapping[str, NDArray[np.integer]]) -> NDArray[np.float64]:
        """v at the end of the input, (B, *shape), neither rounded nor saturated: Q^T (bias + Σ w level).

        One map of the levels for all phases together.
        """
        total = self.bias
        for source in self.inputs:
            total = total + source.of_levels(torch.from_numpy(np.asarray(words[source.synapse.pre], np.int32)))
        return (total * self.membrane.gain).numpy()

    def _synaptic_input(self, words: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """a_in of every input step, (input_steps, B, *shape), float64."""
        total: torch.Tensor | None = None
        for source in self.inputs:
            part = source.sums(words[source.synapse.pre])
            if total is None:
                total = part
            else:
                short, long = sorted((total, part), key=len)
                long[: len(short)] += short
                total = long
        assert total is not None
        return total

    def _fire(self, sent: torch.Tensor, v: torch.Tensor, t: int) -> None:
        """Decide output phase k = t - wait for every neuron that has not sent its spike."""
        assert isinstance(self.population, Population)
        k = t - self.population.wait
        if not 1 <= k <= self.population.timesteps:
            return
        words = range((k - 1) * self._of_phase + 1, k * self._of_phase + 1)
        decided = v if self._digit_bits == 0 else largest_digit(v, self._digit_bits)
        for w in words:
            sent.masked_fill_((sent == 0) & (decided >= self.theta[w - 1]), w)
        if self.theta_negative is not None:
            for w in words:
                inside = (sent == 0) & (decided <= self.theta_negative[w - 1])
                if self.theta_far is not None:
                    inside &= decided >= self.theta_far[w - 1]
                sent.masked_fill_(inside, -w)


class _SynapticInput:
    """Sums of one synapse group over all phases."""

    def __init__(
        self, synapse: Synapse, pre: InputPopulation | Population, device: torch.device, rounded: bool
    ) -> None:
        self.synapse, self.pre, self.rounded = synapse, pre, rounded
        self.dtype = EXACT if rounded else exact_dtype(synapse.op, pre.code.largest_message)
        self.map: TensorMap = tensor_map(synapse.op, synapse.index, self.dtype, device)

    @property
    def bytes_per_image(self) -> int:
        size = 4 if self.dtype == torch.float32 else 8
        seen = self.pre.shape if self.synapse.index is None else self.synapse.index.shape
        return int(np.prod(seen)) * size * self.pre.timesteps * 2

    def sums(self, words: torch.Tensor) -> torch.Tensor:
        """(T, B, *post shape) float64, weight exponent applied."""
        spikes = self._spikes(words)
        sums = self.map(spikes.reshape(-1, *spikes.shape[2:]))
        if self.rounded:
            sums = sums.round()
        return sums.reshape(*spikes.shape[:2], *sums.shape[1:]).to(EXACT) * 2.0**self.synapse.weight_exp

    def of_levels(self, words: torch.Tensor) -> torch.Tensor:
        """Σ weight · level onto each neuron, (B, *post shape) float64."""
        levels = tensor_code(self.pre.code).values(words, self.dtype)
        return self.map(levels).to(EXACT) * 2.0**self.synapse.weight_exp

    def _spikes(self, words: torch.Tensor) -> torch.Tensor:
        """(T, B, *pre shape) messages."""
        signed = isinstance(self.pre, Population) and self.pre.signed
        return tensor_code(self.pre.code).spikes(words, self.dtype, signed=signed)


def integrate(v: torch.Tensor, a_in: torch.Tensor, membrane: Membrane, t: int) -> torch.Tensor:
    """saturate( (v · leak_t >> 12) + (a_in << input_shift) ), every intermediate exact in float64.

    Args:
        v: potentials.
        a_in: input sums.
        membrane: leak and input shift.
        t: window-local step, from 1.
    """
    leaked = torch.floor(v * (membrane.leak[t - 1] / 2**LEAK_SHIFT))
    return torch.clamp(leaked + a_in * 2.0**membrane.input_shift, V_MIN, V_MAX)


def largest_digit(v: torch.Tensor, bits: int) -> torch.Tensor:
    """`core.codes.largest_digit` of integer potentials in float64."""
    whole = v.to(torch.int64)
    digits = [(whole >> low) & (2**bits - 1) for low in range(1, V_BITS - 1, bits)]
    return torch.stack(digits).amax(dim=0).to(v.dtype)


def _exact(values: NDArray[np.integer], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64)).to(device)
