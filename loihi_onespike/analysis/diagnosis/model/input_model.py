"""Model of the input population, whose errors can be switched off."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.causes import OF_CODE, Cause
from loihi_onespike.analysis.diagnosis.model.coder import PopulationCoder, Thresholds
from loihi_onespike.analysis.diagnosis.model.sent_values import SentValues
from loihi_onespike.core.activations import RELU
from loihi_onespike.core.codes import PositionalCode, SingleSpikeCode
from loihi_onespike.core.graphs.network import InputPopulation
from loihi_onespike.executors.tensors.stage_sum import CHANNELS_LAST


class InputModel:
    """Input population: x ≈ offset + scale · Σ levels; values are relative to the offset.

    A code of digits has no UNDERFLOW of its own: its levels are evenly spaced, so that it is a part of ROUNDING.
    """

    def __init__(self, population: InputPopulation) -> None:
        self.population, self.name = population, population.name
        self._scale = torch.from_numpy(np.ascontiguousarray(population.scale, np.float64))
        self._offset = torch.from_numpy(np.ascontiguousarray(population.offset))
        self._coder: PopulationCoder | None = None
        code = population.code
        if isinstance(code, SingleSpikeCode):
            by = Thresholds(population.scale, code.thresholds(), None)
            self._coder = PopulationCoder(code, population.shape, population.scale, np.zeros(()), RELU, by, by, (1, 1))

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Errors that the code can make."""
        return (Cause.CLIPPING, Cause.ROUNDING) if self._coder is None else tuple(c for c in Cause if c in OF_CODE)

    def wrong(self, x: NDArray[np.floating]) -> dict[Cause, int]:
        """Number of values of x (B, *shape) that each cause changes."""
        exact = self._relative(x)
        if self._coder is not None:
            words = self._coder.words(exact)
            clipped, silent = self._coder.clipped(exact, words), (words == 0) & (exact != 0)
            rounded = ~clipped & ~silent & (exact != 0)
            return {
                Cause.UNDERFLOW: int(silent.sum()),
                Cause.CLIPPING: int(clipped.sum()),
                Cause.ROUNDING: int(rounded.sum()),
            }
        outside = exact != self._inside(exact)
        off = (exact - self._rounded(exact)).abs() > 1e-4 * self._step
        return {Cause.CLIPPING: int(outside.sum()), Cause.ROUNDING: int((off & ~outside).sum())}

    def sent(self, x: NDArray[np.floating], off: Collection[Cause]) -> SentValues:
        """Values that are sent for a batch (B, *shape) with some errors switched off."""
        exact = self._relative(x)
        if self._coder is not None:
            words = self._coder.words(exact)
            values = self._coder.value(exact, words, off)
            return SentValues(_laid_out(values), _laid_out(self._coder.phases(words)), self.population.timesteps)
        values = exact if Cause.CLIPPING in off else self._inside(exact)
        if Cause.ROUNDING not in off:
            values = torch.round(values / self._step) * self._step
        codes = torch.round(self._inside(exact) / self._step).int()
        return SentValues(
            _laid_out(values), None, self.population.timesteps, _laid_out(codes), self._step.float(), self._digits.digit
        )

    @property
    def _step(self) -> torch.Tensor:
        return self._scale / self._digits.unit

    @property
    def _digits(self) -> PositionalCode:
        assert isinstance(self.population.code, PositionalCode)
        return self.population.code

    def _relative(self, x: NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(np.asarray(x, np.float64)) - self._offset

    def _inside(self, exact: torch.Tensor) -> torch.Tensor:
        """Values limited to the range of the digits; up to half a step outside, they are left as they are."""
        most = (2**self._digits.bits - 1) * self._step
        low, high = -self._step / 2, most + self._step / 2
        outside = (exact < low) | (exact > high)
        return torch.where(outside, torch.minimum(exact.clamp(min=0), most), exact)

    def _rounded(self, exact: torch.Tensor) -> torch.Tensor:
        return torch.round(exact / self._step) * self._step


def _laid_out(values: torch.Tensor) -> torch.Tensor:
    """Values in float32 (integers as they are), with feature maps in the memory order that the sums are fastest in."""
    values = values.float() if values.is_floating_point() else values
    if values.dim() in CHANNELS_LAST:
        return values.contiguous(memory_format=CHANNELS_LAST[values.dim()])
    return values.contiguous()
