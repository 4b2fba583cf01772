"""Widths that the programs rely on and that are not public: assumptions, stated once, checked by the interpreter."""

from __future__ import annotations

from dataclasses import dataclass

from loihi_onespike.errors import ConfigurationError

SMALLEST_REGISTER = 28
"""v times the largest gain (4) is 26 bits wide; an input of the same size on top and a sign leave it below 28."""
WIDEST_REGISTER = 32
"""The interpreter computes in 64 bits; products of wider registers would not be exact in it."""


@dataclass(frozen=True)
class MicrocodeSpec:
    """Widths in bits, sign included; no value of this class is public [NF], every one is an assumption.

    Attributes:
        register_bits: working registers; 28 to 32.
        product_bits: product inside MUL_SHR before the shift; 24 x 24 bits by default, 39 are needed (a threshold
            of 24 bits times a table entry of 16).
        accumulator_bits: synaptic input of one step; public models declare 16 (LIF, Dense) and 24 (Conv) [C].
        constant_bits: shared constants of a population.
        immediate_bits: numbers written in an instruction.
        message_bits: payload of the spikes of a signed population.
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
                f"register_bits: found {self.register_bits}, supported {SMALLEST_REGISTER} to {WIDEST_REGISTER}; "
                "a potential of 24 bits times a gain has to fit before it saturates"
            )


DEFAULT_SPEC = MicrocodeSpec()


def fits(low: int, high: int, bits: int) -> bool:
    """Do low and high fit into a two's complement integer of this width?"""
    return -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)
