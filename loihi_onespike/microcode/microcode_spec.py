"""Widths that the programs rely on and that are not public: stated here, checked by the interpreter."""

from __future__ import annotations

from dataclasses import dataclass

from loihi_onespike.errors import ConfigurationError

SMALLEST_REGISTER = 28
"""Least width of a register: v times a gain of 4 takes 26 bits, with an input of that size added 27.

Larger gains, which codes with payload may have, take more; a program for them says how many.
"""
WIDEST_REGISTER = 32
"""Largest width of a register: the interpreter computes in 64 bits, in which wider products would not be exact."""


@dataclass(frozen=True)
class MicrocodeSpec:
    """Widths in bits, sign included. None of these values is public [NF]; every one is an assumption.

    Attributes:
        register_bits: Working registers, 28 to 32.
        product_bits: Product inside MUL_SHR before the shift; 24 × 24 bits by default, of which 39 are needed (a
            threshold
            of 24 bits times a table entry of 16).
        accumulator_bits: Synaptic input of one step; public models declare 16 (LIF, Dense) and 24 (Conv) [C].
        constant_bits: Shared constants of a population.
        immediate_bits: Numbers written in an instruction.
        message_bits: Message of a spike, sign included: of signed populations and of codes with payload.

    Raises:
        ConfigurationError: register_bits is outside 28 to 32.
    """

    register_bits: int = 32
    product_bits: int = 48
    accumulator_bits: int = 24
    constant_bits: int = 24
    immediate_bits: int = 8
    message_bits: int = 8

    def __post_init__(self) -> None:
        if not SMALLEST_REGISTER <= self.register_bits <= WIDEST_REGISTER:
            raise ConfigurationError(
                f"register_bits: must be in [{SMALLEST_REGISTER}, {WIDEST_REGISTER}], got {self.register_bits}; "
                "a potential of 24 bits times a gain has to fit before it saturates"
            )


DEFAULT_SPEC = MicrocodeSpec()


def fits(low: int, high: int, bits: int) -> bool:
    """Whether a range of integers fits into two's complement.

        -2^(bits-1) ≤ low,  high < 2^(bits-1)

    Args:
        low: Smallest value.
        high: Largest value.
        bits: Width, sign included.
    """
    return -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)
