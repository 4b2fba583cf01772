"""Widths that are assumed, and whether a range fits."""

from __future__ import annotations

import pytest

from loihi_onespike.errors import ConfigurationError
from loihi_onespike.microcode import DEFAULT_SPEC, MicrocodeSpec
from loihi_onespike.microcode.microcode_spec import fits


def test_a_range_fits_by_its_ends() -> None:
    assert fits(-128, 127, 8) and not fits(-129, 0, 8) and not fits(0, 128, 8)


@pytest.mark.parametrize("bits", [27, 33])
def test_registers(bits: int) -> None:
    assert MicrocodeSpec(register_bits=28).register_bits == 28 and DEFAULT_SPEC.register_bits == 32
    with pytest.raises(ConfigurationError, match=rf"register_bits: must be in \[28, 32\], got {bits}"):
        MicrocodeSpec(register_bits=bits)
