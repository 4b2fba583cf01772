"""Codes of at most one spike per window (paper sections III-A and III-B)."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.code import Code, FloatArray
from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT

PHASE_DTYPE = np.int16
"""Type of spike phases: 0 is no spike, k a spike at phase k, -k a negative spike at phase k (signed populations)."""


class SingleSpikeCode(Code):
    """At most one spike per window: phase k has the value level(k) · λ, with λ of the channel, and no spike is 0.

    The code word of a value is the phase of its spike. Every decreasing sequence of levels is such a code; the paper's
    levels Q^-k have the same gain Q at every step.

    Attributes:
        timesteps: T, number of phases.
        gains: (T,) mantissas of the gain per input step; 4096 is a gain of 1.
        threshold_shift: whether values round to the nearest level (True) or to the level below (False).
    """

    threshold_shift: bool

    @abstractmethod
    def thresholds(self) -> FloatArray:
        """(T,) smallest relative value that is sent at each phase, decreasing."""

    @property
    def multi_spike(self) -> bool:
        """False: a value causes one spike at most."""
        return False

    @property
    def input_bits(self) -> None:
        """None: the levels are not evenly spaced."""
        return None

    def levels(self) -> FloatArray:
        """(T,) levels relative to λ, decreasing."""
        return 1.0 / np.cumprod(np.array(self.gains) / 2**LEAK_SHIFT)

    def words(self) -> NDArray[np.int64]:
        """(T + 1,) phases 0..T."""
        return np.arange(self.timesteps + 1)

    def encode(self, x: NDArray[np.floating]) -> NDArray[np.int16]:
        """Phase of the first threshold that x (relative to λ, any shape) reaches; 0 where it reaches none."""
        rising = self.thresholds()[::-1]
        reached = np.searchsorted(rising, np.asarray(x, dtype=np.float64), side="right")
        return np.where(reached == 0, 0, self.timesteps + 1 - reached).astype(PHASE_DTYPE)

    def decode(self, words: NDArray[np.integer]) -> FloatArray:
        """Level of each phase, 0 for no spike, negative for a negative spike."""
        table = np.concatenate([[0.0], self.levels()])
        return np.sign(words) * table[np.abs(words)]

    def spikes(self, words: NDArray[np.integer], phase: int) -> NDArray[np.int64]:
        """1 where the spike is at `phase`, -1 where a negative spike is, 0 elsewhere."""
        words = np.asarray(words)
        return (words == phase).astype(np.int64) - (words == -phase)

    def count_spikes(self, words: NDArray[np.integer]) -> NDArray[np.uint8]:
        """1 for every phase but 0."""
        return (np.asarray(words) != 0).view(np.uint8)

    def scale_of_range(self, span: FloatArray) -> FloatArray:
        """Scale λ with which the first level is `span`."""
        return span / self.levels()[0]
