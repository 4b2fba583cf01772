"""The codes that options ask for, and their record in the network file."""

from __future__ import annotations

from loihi_onespike.conversion.codes_of_options import (
    EnoughBits,
    code_of_digits,
    hidden_code,
    input_code,
    levels_are_fitted,
    options_record,
    payload_ratio,
)
from loihi_onespike.conversion.method import Method
from loihi_onespike.conversion.options import option_infos
from loihi_onespike.conversion.resolved_options import ResolvedOptions
from loihi_onespike.core.codes import BinaryCode, DigitCode, PositionalCode, best_base


def test_the_record_holds_every_option_with_what_auto_came_to() -> None:
    record = options_record(ResolvedOptions(payload_bits=0), BinaryCode(8))
    assert tuple(record) == tuple(option_infos())
    assert record["base"] == "fitted" and record["input_bits"] == 8 and record["objective"] == "balanced"
    assert record["method"] == dict.fromkeys(Method.names(), True)
    given = options_record(ResolvedOptions(base=1.5, input_bits=4, payload_bits=2), BinaryCode(4))
    assert given["base"] == 1.5 and given["input_bits"] == 4 and given["payload_bits"] == 2
    paper = options_record(ResolvedOptions(method="paper", payload_bits=0), BinaryCode(8))
    assert paper["objective"] == "accuracy" and paper["payload_bits"] == 0


def test_codes_follow_from_the_options() -> None:
    auto = ResolvedOptions(timesteps=4, payload_bits=0)
    given = ResolvedOptions(timesteps=4, base=2.0, input_code="single", payload_bits=0)
    assert levels_are_fitted(auto) and not levels_are_fitted(given)
    assert hidden_code(given).levels().tolist() == [0.5, 0.25, 0.125, 0.0625]
    assert input_code(auto) == EnoughBits() and input_code(given) == hidden_code(given)
    assert input_code(ResolvedOptions(input_bits=3, payload_bits=0)) == BinaryCode(3)


def test_the_input_sends_digits_where_spikes_carry_payload() -> None:
    found = [input_code(ResolvedOptions(payload_bits=bits, input_bits=8)) for bits in range(5)]
    assert found == [BinaryCode(8), BinaryCode(8), DigitCode(8, 2), DigitCode(8, 3), DigitCode(8, 4)]
    assert [code.timesteps for code in found if isinstance(code, PositionalCode)] == [8, 8, 4, 3, 2]
    assert input_code(ResolvedOptions(payload_bits=4)) == EnoughBits(4)
    assert code_of_digits(1, 4) == BinaryCode(1)


def test_the_ratio_of_phases_with_payload() -> None:
    """A given base, or for "auto" a whole phase of the levels of the best base for T · M phases (Eq. 5)."""
    assert payload_ratio(ResolvedOptions(payload_bits=2, base=3.0)) == 3.0
    best = best_base(4 * 8).value
    assert payload_ratio(ResolvedOptions(timesteps=4, payload_bits=3)) == best**8
