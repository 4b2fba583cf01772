"""Codes of values by spikes, one class per file, and the integer rules of neurons; numpy only.

A new code is a subclass of `Code` (of `SingleSpikeCode` for neurons), a line in `CODES`, and its entries in the
registries of executors and file format.
"""

from loihi_onespike.core.codes.base import BINARY, Base
from loihi_onespike.core.codes.binary_code import BinaryCode
from loihi_onespike.core.codes.code import Code
from loihi_onespike.core.codes.codebook import Codebook
from loihi_onespike.core.codes.digit_code import DigitCode
from loihi_onespike.core.codes.fixed_point import (
    LEAK_SHIFT,
    MAX_GAIN,
    MAX_MESSAGE,
    V_BITS,
    V_MAX,
    V_MIN,
    ThresholdTable,
    largest_digit,
    leak,
    leak_loss,
    saturate_v,
    signed_bits,
)
from loihi_onespike.core.codes.payload_code import PayloadCode
from loihi_onespike.core.codes.phase_code import PhaseCode, best_base, percentage_error
from loihi_onespike.core.codes.positional_code import PositionalCode
from loihi_onespike.core.codes.single_spike_code import MAX_WORDS, WORD_DTYPE, SingleSpikeCode

CODES: tuple[type[Code], ...] = (PhaseCode, Codebook, PayloadCode, BinaryCode, DigitCode)
"""Every code of a population; those of digits are for inputs only."""

__all__ = [
    "BINARY",
    "CODES",
    "LEAK_SHIFT",
    "MAX_GAIN",
    "MAX_MESSAGE",
    "MAX_WORDS",
    "V_BITS",
    "V_MAX",
    "V_MIN",
    "WORD_DTYPE",
    "Base",
    "BinaryCode",
    "Code",
    "Codebook",
    "DigitCode",
    "PayloadCode",
    "PhaseCode",
    "PositionalCode",
    "SingleSpikeCode",
    "ThresholdTable",
    "best_base",
    "largest_digit",
    "leak",
    "leak_loss",
    "percentage_error",
    "saturate_v",
    "signed_bits",
]
