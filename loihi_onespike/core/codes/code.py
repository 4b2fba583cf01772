"""What every code of a population has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Code(ABC):
    """A code of real values by spikes in a window of T timesteps.

    A code word is one integer per neuron, from which the spikes of each timestep follow. The neuron that reads the
    spikes multiplies its potential by gain_t at input step t, so a spike at phase k is worth

        message · level(k),   level(k) = 1 / (gain_1 · … · gain_k),   gain_t = gains[t-1] / 4096

    of the channel's scale λ, and a code word is worth the sum over its spikes. The message of a spike is ±1, or a small
    integer with graded payload (`payload_code`).

    Attributes:
        timesteps: T, number of phases.
        gains: (T,) mantissas of the gain per input step; 4096 is a gain of 1.
    """

    timesteps: int
    gains: tuple[int, ...]

    @property
    @abstractmethod
    def multi_spike(self) -> bool:
        """Whether a value may cause more than one spike."""

    @property
    @abstractmethod
    def input_bits(self) -> int | None:
        """Bits of the input data that the code holds exactly; None for codes that round to uneven levels."""

    @property
    def payload_bits(self) -> int:
        """b, the bits by which the message of a spike refines its phase; 0 where every message is ±1."""
        return 0

    @property
    def largest_message(self) -> int:
        """The largest |message| of a spike."""
        return 1

    @property
    def additions_per_spike(self) -> int:
        """Shifted additions that a weight times a message takes at most: the price of a spike in α (Eq. 6)."""
        return 1

    @property
    def even_steps(self) -> int | None:
        """Number of steps of equal size between the smallest and the largest value; None for uneven levels."""
        return None if self.input_bits is None else 2**self.input_bits - 1

    @abstractmethod
    def words(self) -> NDArray[np.int64]:
        """All code words of values that are not negative, in ascending order, 0 included."""

    @abstractmethod
    def encode(self, x: NDArray[np.floating]) -> NDArray[np.integer]:
        """Code word of each value of x (relative to λ, any shape)."""

    @abstractmethod
    def decode(self, words: NDArray[np.integer]) -> FloatArray:
        """Value of each code word relative to λ."""

    @abstractmethod
    def spikes(self, words: NDArray[np.integer], phase: int) -> NDArray[np.int64]:
        """Message of each code word (any shape) at `phase` in 1..T: 0 for no spike, 1 for a spike without payload.

        Negative spikes have the negative of their message.
        """

    @abstractmethod
    def count_spikes(self, words: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Number of spikes of each code word (any shape), one byte each."""

    @abstractmethod
    def scale_of_range(self, span: FloatArray) -> FloatArray:
        """Scale λ with which the largest value of the code is `span`."""
