"""Codes on torch tensors: one registered class per code."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch

from loihi_onespike.core.codes import Code, PositionalCode, SingleSpikeCode
from loihi_onespike.core.registry import EntryRegistry
from loihi_onespike.executors.float.quantizer import first_word

ALMOST = 1 - 1e-4
"""Factor on a level that allows for the rounding of float32."""


class TensorCode(ABC):
    """Operations of a code on code words and values in tensors of any shape and device.

    Values are in units of the scale λ unless said otherwise.
    """

    @abstractmethod
    def rounded(self, relative: torch.Tensor) -> torch.Tensor:
        """Value of the code word of each value."""

    @abstractmethod
    def values(self, words: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Value of each code word."""

    @abstractmethod
    def spikes(self, words: torch.Tensor, dtype: torch.dtype, *, signed: bool) -> torch.Tensor:
        """(T, *shape) messages of every phase: 0 for no spike, 1 without payload, negative ones for signed populations.

        Args:
            words: encoded values.
            dtype: type of the result.
            signed: whether spikes may be negative.
        """

    @abstractmethod
    def arrived(self, values: torch.Tensor, scale: torch.Tensor, phase: int) -> torch.Tensor:
        """Part of `values` that the spikes of phases 1..phase have transmitted.

        Args:
            values: values of code words, in the units of `scale`.
            scale: λ, broadcastable to `values`.
            phase: last phase that has passed.
        """


TENSOR_CODES: EntryRegistry[type] = EntryRegistry("codes on torch tensors", __name__)
"""Entries are subclasses of `TensorCode` with the code as the argument of their constructor."""


def tensor_code(code: Code) -> TensorCode:
    """The code on tensors; raises MissingEntryError for a code without an entry."""
    made: TensorCode = TENSOR_CODES[code](code)
    return made


@TENSOR_CODES.register(PositionalCode)
class PositionalTensorCode(TensorCode):
    """Integers, a spike for each digit that is not zero."""

    def __init__(self, code: PositionalCode) -> None:
        self.code = code

    def rounded(self, relative: torch.Tensor) -> torch.Tensor:
        """Nearest multiple of 1 / unit, saturated to the range of the code."""
        unit = self.code.unit
        return torch.clamp(torch.round(relative * unit), 0, 2**self.code.bits - 1) / unit

    def values(self, words: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Integers divided by the unit."""
        return words.to(dtype) / self.code.unit

    def spikes(self, words: torch.Tensor, dtype: torch.dtype, *, signed: bool) -> torch.Tensor:
        """(T, *shape) digits, most significant first."""
        steps, digit = self.code.timesteps, self.code.digit
        return ((words[None] >> (digit * (steps - _phases(steps, words)))) & ((1 << digit) - 1)).to(dtype)

    def arrived(self, values: torch.Tensor, scale: torch.Tensor, phase: int) -> torch.Tensor:
        """The most significant digits."""
        passed = 2 ** (self.code.digit * phase)
        return torch.floor(values / scale * passed + (1 - ALMOST)) / passed * scale


@TENSOR_CODES.register(SingleSpikeCode)
class SingleSpikeTensorCode(TensorCode):
    """Code words of one spike each."""

    def __init__(self, code: SingleSpikeCode) -> None:
        self.code = code

    def rounded(self, relative: torch.Tensor) -> torch.Tensor:
        """Level of the first threshold that is reached, 0 where none is."""
        return self.values(first_word(relative, self.code.thresholds(), None), relative.dtype)

    def values(self, words: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Level of each word, sign kept."""
        levels = torch.from_numpy(np.concatenate([[0.0], self.code.levels()])).to(words.device, dtype)
        return torch.sign(words) * levels[words.abs().long()]

    def spikes(self, words: torch.Tensor, dtype: torch.dtype, *, signed: bool) -> torch.Tensor:
        """(T, *shape) the message at the phase of the spike, its negative for a negative one."""
        phases = _phases(self.code.timesteps, words)
        if self.code.payload_bits:
            message = torch.tensor((0, *self.code.messages), device=words.device, dtype=dtype)[words.abs().long()]
            phase = -torch.div(-words.abs(), self.code.words_per_phase, rounding_mode="floor")
            return (phase[None] == phases).to(dtype) * (torch.sign(words) * message)
        spikes = (words[None] == phases).to(dtype)
        if signed:
            spikes -= (words[None] == -phases).to(dtype)
        return spikes

    def arrived(self, values: torch.Tensor, scale: torch.Tensor, phase: int) -> torch.Tensor:
        """Values of at least the smallest level of the phase."""
        smallest = float(self.code.levels()[phase * self.code.words_per_phase - 1])
        return torch.where(values >= scale * smallest * ALMOST, values, 0.0)


def _phases(timesteps: int, words: torch.Tensor) -> torch.Tensor:
    """Phases 1..T along a new first axis."""
    phases = torch.arange(1, timesteps + 1, device=words.device, dtype=torch.int32)
    return phases.reshape(-1, *(1,) * words.ndim)
