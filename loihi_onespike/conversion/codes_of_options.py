"""The codes that the options of a conversion ask for, and the record of the options in the network file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypeAlias

from loihi_onespike.conversion.options import ConversionOptions, option_fields
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.core.codes import Base, BinaryCode, Code, DigitCode, PhaseCode, PositionalCode, best_base


@dataclass(frozen=True)
class EnoughBits:
    """Code of the input with as many bits as the data needs.

    Attributes:
        digit_bits: payload of its spikes; below 2 for a binary code.
    """

    digit_bits: int = 0


InputCode: TypeAlias = Code | EnoughBits
"""Code of the input, or what is to be decided on the data."""


def payload_ratio(options: ResolvedOptions) -> float:
    """Factor between successive phases of codes with payload where no levels are fitted.

    For "auto" it is that of the levels of the best base (Eq. 5) for as many phases as there are words.
    """
    if not isinstance(options.base, str):
        return float(options.base)
    of_phase = 2**options.payload_bits
    return best_base(options.timesteps * of_phase, options.threshold_shift).value ** of_phase


def hidden_code(options: ConversionOptions) -> PhaseCode:
    """The paper's code of the hidden populations: the given base, or for "auto" the best one for T (Eq. 5)."""
    auto = isinstance(options.base, str)
    base = best_base(options.timesteps, options.threshold_shift) if auto else Base.nearest(float(options.base))
    return PhaseCode(base, options.timesteps, options.threshold_shift)


def levels_are_fitted(options: ConversionOptions) -> bool:
    """Whether a codebook fitted to the activations takes the place of the paper's code."""
    return options.parts.levels and options.base == "auto" and options.threshold_shift


def input_code(options: ResolvedOptions) -> InputCode:
    """Code of the input population; the number of bits of "auto" is decided on the data."""
    if options.input_code == "single":
        return hidden_code(options)
    if isinstance(options.input_bits, str):
        return EnoughBits(options.payload_bits)
    return code_of_digits(options.input_bits, options.payload_bits)


def code_of_digits(bits: int, digit_bits: int) -> PositionalCode:
    """Code of data of so many bits, in digits of `digit_bits` bits; binary where that is less than 2."""
    return DigitCode(bits, digit_bits) if min(bits, digit_bits) > 1 else BinaryCode(bits)


def options_record(options: ResolvedOptions, chosen: Code) -> dict[str, object]:
    """The options as the network file records them, with what "auto" came to.

    Args:
        options: options for the network.
        chosen: the code that the input got.
    """
    given = {f.name: getattr(options, f.name) for f in option_fields()}
    base = "fitted" if levels_are_fitted(options) else hidden_code(options).base.value
    bits = options.input_bits if chosen.input_bits is None else chosen.input_bits
    kind = "binary" if chosen.multi_spike else "single"
    found = {"base": base, "input_bits": bits, "input_code": kind, "objective": options.chosen_objective}
    return {**given, "method": asdict(options.parts), **found}
