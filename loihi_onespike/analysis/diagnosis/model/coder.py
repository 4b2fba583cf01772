"""The code of one population with single errors switched off: from pre-activation and code word to the value sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.analysis.diagnosis.model import kernel
from loihi_onespike.conversion.calibration.channels import Channels
from loihi_onespike.core.activations import Activation
from loihi_onespike.core.codes import LEAK_SHIFT, SingleSpikeCode
from loihi_onespike.core.maps import Shape, broadcasts_to
from loihi_onespike.executors.float.quantizer import by_place, dense_layout, parameters_by_place
from loihi_onespike.executors.tensors.activation_functions import activate

Float = NDArray[np.float64]

NEVER = 2.0
"""Limit of a factor in a threshold table; a word with a larger factor is never sent, since others are at most 1."""
FLAGS = {
    Cause.UNDERFLOW: kernel.UNDERFLOW_OFF,
    Cause.CLIPPING: kernel.CLIPPING_OFF,
    Cause.ROUNDING: kernel.ROUNDING_OFF,
}


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Thresholds of a population.

    A spike has the first word w with z ≥ factor · up[w-1], or with the negative sign -z ≥ factor · down[w-1], in a
    population with a dip also -z ≤ factor · far[w-1].

    Attributes:
        factor: factor per neuron, broadcastable to the shape.
        up, down: (L,) factor per word; `down` is None for unsigned codes.
        far: (L,) factor per word; None without a dip.
    """

    factor: Float
    up: Float
    down: Float | None
    far: Float | None = None


@dataclass(frozen=True, eq=False)
class PopulationCoder:
    """The code of one population; all values are relative to the value of no spike.

        exact(z) = f(z + offset) - offset
        coded(w) = sign(w) · λ · level(|w|), 0 for no spike

    Attributes:
        code: levels and thresholds.
        shape: shape of one sample; scale and offset broadcast to it.
        scale: λ.
        offset: value of no spike.
        activation: f.
        thresholds: thresholds of the network.
        nominal: thresholds for a decision on the whole input; they differ where `thresholds` fit a short wait.
        first: first word that is ever sent, for positive and for negative spikes.
        one_sided: neurons that send no negative spike, broadcastable to the shape; None where all may. What they would
            have to say below 0 is silence, and so an error of underflow.
    """

    code: SingleSpikeCode
    shape: Shape
    scale: Float
    offset: Float
    activation: Activation
    thresholds: Thresholds
    nominal: Thresholds
    first: tuple[int, int]
    one_sided: NDArray[np.bool_] | None = None
    _laid_out: dict[tuple[str, bool], NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def of_samples(self, channels: Channels) -> PopulationCoder:
        """The same code for samples (n, channels) of the population."""

        def each(values: Float) -> Float:
            if not broadcasts_to(values.shape, channels.parameter_shape):
                # Thresholds of places whose weights have units of their own differ by the rounding to integers alone.
                values = np.broadcast_to(values, channels.shape).mean(axis=channels.shared, keepdims=True)
            return np.broadcast_to(values, channels.parameter_shape).reshape(-1)

        own, ideal = (replace(t, factor=each(t.factor)) for t in (self.thresholds, self.nominal))
        scale, offset = each(self.scale), each(self.offset)
        one_sided = None if self.one_sided is None else each(self.one_sided.astype(np.float64)) > 0.5
        return replace(
            self, shape=(channels.count,), scale=scale, offset=offset, thresholds=own, nominal=ideal,
            one_sided=one_sided, _laid_out={},
        )  # fmt: skip

    def exact(self, z: torch.Tensor) -> torch.Tensor:
        """Exact value g of pre-activations."""
        if not np.any(self.offset):
            return activate(self.activation, z)
        offset = torch.tensor(self.offset).to(z.dtype)
        return activate(self.activation, z + offset) - offset

    def words(self, z: torch.Tensor, nominal: bool = False) -> torch.Tensor:
        """Code words (int16) decided on the whole input: w, -w for a negative spike, 0 for no spike."""
        by = self.nominal if nominal else self.thresholds
        z = dense_layout(z)
        out = torch.empty_like(z, dtype=torch.int16)
        values, last = by_place(z)
        factor = self._by_place("nominal" if nominal else "own", by.factor, last)
        down = np.zeros(0) if by.down is None else np.minimum.accumulate(by.down)
        up, sent = np.minimum.accumulate(by.up), by_place(out)[0].numpy()
        if by.far is not None and by.down is not None:
            kernel.find_words_of_dip(values.numpy(), factor, up, by.down, by.far, sent)
        else:
            kernel.find_words(values.numpy(), factor, up, down, sent)
        # A positive word goes before a negative one, so that a negative one has taken the place of silence.
        return self.without_negative(out)

    def without_negative(self, sent: torch.Tensor) -> torch.Tensor:
        """Words or values with 0 in the place of negative ones in one-sided neurons; the tensor is overwritten."""
        if self.one_sided is None:
            return sent
        return sent.masked_fill_((sent < 0) & torch.tensor(self.one_sided), 0)

    def phases(self, words: torch.Tensor) -> torch.Tensor:
        """Phases of the spikes of code words, 0 for no spike; the sign does not matter."""
        of_phase = self.code.words_per_phase
        return words.abs() if of_phase == 1 else -torch.div(-words.abs(), of_phase, rounding_mode="floor")

    def coded(self, words: torch.Tensor) -> torch.Tensor:
        """Values of the spikes of these words."""
        return self.value(torch.zeros_like(words, dtype=torch.float32), words, ())

    def value(self, exact: torch.Tensor, words: torch.Tensor, off: Collection[Cause]) -> torch.Tensor:
        """Values that are sent, with some errors of the code switched off.

        Args:
            exact: exact values g.
            words: code words decided on the whole input.
            off: causes that are switched off; only UNDERFLOW, CLIPPING and ROUNDING have an effect.
        """
        exact = dense_layout(exact)
        # by_place recognises single places and channels by the strides, so both arrays need the same ones.
        words = words if words.stride() == exact.stride() else torch.empty_like(exact, dtype=torch.int16).copy_(words)
        out = torch.empty_like(exact)
        values, last = by_place(exact)
        ratio = self._ratios
        rounds = (1 + 1 / ratio) / 2 if getattr(self.code, "threshold_shift", True) else np.ones(2)
        kernel.find_values(
            values.numpy(), by_place(words)[0].numpy(), self._by_place("scale", self.scale, last), self.code.levels(),
            self.first, ratio, rounds, sum(FLAGS.get(cause, 0) for cause in off), by_place(out)[0].numpy(),
        )  # fmt: skip
        return out

    def clipped(self, exact: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """True where |g| lies above the first level of its sign."""
        outermost = (words == self.first[0]) | (words == -self.first[1])
        return outermost & (exact.abs() > self.coded(words).abs() * kernel.BEYOND)

    @property
    def _ratios(self) -> Float:
        """Ratios of the first two and of the last two levels; with a single phase, the gain before it."""
        gains, levels = self.code.gains, self.code.levels()
        ends = np.array([gains[min(1, len(gains) - 1)], gains[-1]]) / 2**LEAK_SHIFT
        if self.code.payload_bits:
            ends = levels[[0, -2]] / levels[[1, -1]]
        return np.maximum(ends, 1 + 2.0**-LEAK_SHIFT)

    def _by_place(self, name: str, values: Float, channels_last: bool) -> NDArray[np.float32]:
        key = name, channels_last
        if key not in self._laid_out:
            self._laid_out[key] = parameters_by_place(np.asarray(values), self.shape, channels_last)
        return self._laid_out[key]


def first_sent(table: Float | None) -> int:
    """First word whose threshold can be reached; 1 where there is no table."""
    if table is None:
        return 1
    return int(np.argmax(np.isfinite(table) & (np.abs(table) < NEVER))) + 1
