"""Codes of at most one spike per window (paper sections III-A and III-B)."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes.code import Code, FloatArray
from loihi_onespike.core.codes.fixed_point import LEAK_SHIFT

WORD_DTYPE = np.int16
"""Type of code words: 0 is no spike, w a spike of word w, -w a negative spike of word w (signed populations)."""
MAX_WORDS = 2**15 - 1
"""Most code words that the type holds."""


class SingleSpikeCode(Code):
    """At most one spike per window: word w has the value level(w) · λ, with λ of the channel, and no spike is 0.

    Code words count the levels downwards, 1..L: word 1 is the largest level. Without payload the word is the phase of
    the spike. With b bits of payload a phase has M = 2^b words, and a word says phase and message of the spike:

        L = T · M,   phase(w) = (|w| - 1) // M + 1,   level(w) = message(w) / (gain_1 · … · gain_phase(w))

    Every decreasing sequence of levels is such a code; the paper's levels Q^-k have the same gain Q at every step.

    Attributes:
        timesteps: T, number of phases.
        gains: (T,) mantissas of the gain per input step; 4096 is a gain of 1.
        threshold_shift: whether values round to the nearest level (True) or to the level below (False).
    """

    threshold_shift: bool

    @abstractmethod
    def thresholds(self) -> FloatArray:
        """(L,) smallest relative value that is sent as each word, decreasing."""

    @property
    def messages(self) -> tuple[int, ...]:
        """(L,) message of a positive spike of each word: 1 without payload."""
        return (1,) * self.timesteps

    @property
    def words_per_phase(self) -> int:
        """M = 2^b."""
        return 2**self.payload_bits

    def phase_of(self, words: NDArray[np.integer]) -> NDArray[np.int64]:
        """Phase of the spike of each word (any shape), 0 for no spike; the sign does not matter."""
        # Rounded up: |w| = (k-1) · M + 1 … k · M are the words of phase k, and 0 stays 0.
        return -(-np.abs(np.asarray(words, np.int64)) // self.words_per_phase)

    @property
    def multi_spike(self) -> bool:
        """False: a value causes one spike at most."""
        return False

    @property
    def input_bits(self) -> None:
        """None: the levels are not evenly spaced."""
        return None

    def levels(self) -> FloatArray:
        """(L,) levels relative to λ, decreasing."""
        return 1.0 / np.cumprod(np.array(self.gains) / 2**LEAK_SHIFT)

    def words(self) -> NDArray[np.int64]:
        """(L + 1,) words 0..L."""
        return np.arange(len(self.messages) + 1)

    def encode(self, x: NDArray[np.floating]) -> NDArray[np.int16]:
        """Word of the first threshold that x (relative to λ, any shape) reaches; 0 where it reaches none."""
        rising = self.thresholds()[::-1]
        reached = np.searchsorted(rising, np.asarray(x, dtype=np.float64), side="right")
        return np.where(reached == 0, 0, len(rising) + 1 - reached).astype(WORD_DTYPE)

    def decode(self, words: NDArray[np.integer]) -> FloatArray:
        """Level of each word, 0 for no spike, negative for a negative spike."""
        table = np.concatenate([[0.0], self.levels()])
        return np.sign(words) * table[np.abs(words)]

    def spikes(self, words: NDArray[np.integer], phase: int) -> NDArray[np.int64]:
        """Message where the spike is at `phase`, its negative where a negative spike is, 0 elsewhere."""
        words = np.asarray(words)
        if not self.payload_bits:
            return (words == phase).astype(np.int64) - (words == -phase)
        message = np.array((0, *self.messages), np.int64)[np.abs(words)]
        return np.where(self.phase_of(words) == phase, np.sign(words) * message, 0)

    def words_sent(self, messages: NDArray[np.integer], phase: int) -> NDArray[np.int16]:
        """Word of each message (any shape) that was seen at `phase`, the inverse of `spikes`; 0 for no spike.

        Without payload it is the phase with the sign of the message. With payload, a message that the code does not
        have at this phase becomes ±`MAX_WORDS`, which is a word of no such code in use.
        """
        messages = np.asarray(messages)
        if not self.payload_bits:
            return (np.sign(messages) * phase).astype(WORD_DTYPE)
        first = (phase - 1) * self.words_per_phase
        words = np.where(messages == 0, 0, MAX_WORDS)
        if 1 <= phase <= self.timesteps:
            for word in range(first + 1, first + self.words_per_phase + 1):
                words = np.where(np.abs(messages) == self.messages[word - 1], word, words)
        return (np.sign(messages) * words).astype(WORD_DTYPE)

    def count_spikes(self, words: NDArray[np.integer]) -> NDArray[np.uint8]:
        """1 for every word but 0."""
        return (np.asarray(words) != 0).view(np.uint8)

    def scale_of_range(self, span: FloatArray) -> FloatArray:
        """Scale λ with which the first level is `span`."""
        return span / self.levels()[0]
