"""Codes in the fields of a file.

An input says by its field `code` whether it sends bits, larger digits or one spike each. A code of one spike stores
either the mantissa of its base or the gains between its levels, and a code with payload also the messages of its words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loihi_onespike.core.codes import (
    LEAK_SHIFT,
    MAX_GAIN,
    MAX_MESSAGE,
    Base,
    BinaryCode,
    Code,
    Codebook,
    DigitCode,
    PayloadCode,
    PhaseCode,
    SingleSpikeCode,
)
from loihi_onespike.core.codes.digit_code import MAX_DIGIT
from loihi_onespike.core.codes.positional_code import MAX_INPUT_BITS
from loihi_onespike.core.registry import EntryRegistry
from loihi_onespike.errors import ConfigurationError
from netx_export.fields import Fields
from netx_export.values import FieldMap, gains, integer, messages

MAX_STEPS = 2**15 - 1
"""Largest phase that a spike trace holds."""
ONE = 2**LEAK_SHIFT

CODE_FIELDS: EntryRegistry[Callable[[Any], FieldMap]] = EntryRegistry("the NetX file format", __name__)
"""Entries fields(code): what a file says of a code."""

INPUT_KINDS: EntryRegistry[str] = EntryRegistry("the kinds of input codes in NetX files", __name__)
"""Entries are the texts of the field `code` of an input."""
INPUT_KINDS.add(BinaryCode, "binary")
INPUT_KINDS.add(DigitCode, "digits")
INPUT_KINDS.add(SingleSpikeCode, "phase")


def code_fields(code: Code) -> FieldMap:
    """Fields of a code.

    Raises:
        MissingEntryError: the code has no entry in `CODE_FIELDS`.
    """
    return CODE_FIELDS[code](code)


@CODE_FIELDS.register(BinaryCode)
def _binary_fields(code: BinaryCode) -> FieldMap:
    return {"bits": integer(code.bits)}


@CODE_FIELDS.register(DigitCode)
def _digit_fields(code: DigitCode) -> FieldMap:
    return {"bits": integer(code.bits), "digitBits": integer(code.digit_bits)}


@CODE_FIELDS.register(PhaseCode)
def _phase_fields(code: PhaseCode) -> FieldMap:
    return {"base": integer(code.base.mant)} | _window_fields(code)


@CODE_FIELDS.register(Codebook)
def _codebook_fields(code: Codebook) -> FieldMap:
    return {"levelGains": gains(code.gains)} | _window_fields(code)


@CODE_FIELDS.register(PayloadCode)
def _payload_fields(code: PayloadCode) -> FieldMap:
    return {"levelGains": gains(code.gains), "messages": messages(code.messages)} | _window_fields(code)


def _window_fields(code: SingleSpikeCode) -> FieldMap:
    return {"timesteps": integer(code.timesteps), "thresholdShift": integer(int(code.threshold_shift))}


def read_input_code(fields: Fields) -> Code:
    """Code of an input.

    Raises:
        FormatError: a field is missing or outside its range.
    """
    kind = fields.choice("code", ("binary", "digits", "phase"))
    if kind == "binary":
        return BinaryCode(fields.integer("bits", 1, MAX_INPUT_BITS))
    if kind == "digits":
        return DigitCode(fields.integer("bits", 1, MAX_INPUT_BITS), fields.integer("digitBits", 2, MAX_DIGIT))
    return read_single_spike_code(fields)


def read_single_spike_code(fields: Fields) -> SingleSpikeCode:
    """Code of spiking neurons, or of an input that sends one spike per value.

    Raises:
        FormatError: a field is missing or outside its range.
    """
    timesteps, shift = fields.integer("timesteps", 1, MAX_STEPS), bool(fields.integer("thresholdShift", 0, 1))
    if fields.has("messages"):
        return _read_payload_code(fields, timesteps, shift)
    if fields.has("levelGains"):
        return Codebook(fields.integers("levelGains", ONE, 4 * ONE, timesteps), shift)
    return PhaseCode(Base(fields.integer("base", ONE + 1, 4 * ONE)), timesteps, shift)


def _read_payload_code(fields: Fields, timesteps: int, shift: bool) -> PayloadCode:
    gains = fields.integers("levelGains", ONE, MAX_GAIN, timesteps)
    sent = fields.integers("messages", 1, MAX_MESSAGE)
    try:
        return PayloadCode(gains, sent, shift)
    except ConfigurationError as error:
        raise fields.fail("messages", str(error)) from error
