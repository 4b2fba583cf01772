"""Rows of neuron state: places, packing, and the number of rows of each kind of population."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from loihi_onespike.errors import ConfigurationError, MicrocodeError
from loihi_onespike.microcode.examples import example
from loihi_onespike.microcode.neuron_state import StateLayout, state_layout, state_rows


def test_two_rows_by_hand() -> None:
    """24 + 24 leave 16 bits in row 0; the third field of 24 opens row 1, the small ones go back to row 0."""
    layout = StateLayout.of({"v": 24, "threshold": 24, "bias": 24, "clock": 8, "fired": 8})
    places = {f.name: (f.row, f.offset) for f in layout.fields}
    assert places == {"v": (0, 0), "threshold": (0, 24), "bias": (1, 0), "clock": (0, 48), "fired": (0, 56)}
    values = {"v": -2, "threshold": 5, "clock": 3, "fired": 1}
    (row,) = layout.pack_row(0, {n: np.array([v], np.int64) for n, v in values.items()})
    assert int(row) == 0x01_03_000005_FFFFFE


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([8, 16, 24]), min_size=1), st.integers(0, 2**32))
def test_rows_give_back_what_was_packed(widths: dict[str, int], seed: int) -> None:
    layout = StateLayout.of(widths)
    rng = np.random.default_rng(seed)
    for row in range(layout.rows):
        fields = layout.in_row(row)
        taken = sorted((f.offset, f.offset + f.bits) for f in fields)
        assert taken[-1][1] <= 64
        assert all(end <= begin for (_, end), (begin, _) in pairwise(taken))
        values: dict[str, NDArray[np.int64]] = {}
        for f in fields:
            low, high = f.limits
            values[f.name] = np.asarray(rng.integers(low, high, 5, endpoint=True), np.int64)
        for f in fields:
            values[f.name][:2] = f.limits
        found = layout.unpack_row(row, layout.pack_row(row, values))
        for name, value in values.items():
            assert np.array_equal(found[name], value), name


@pytest.mark.parametrize(("bits", "value"), [(24, 2**23), (24, -(2**23) - 1), (8, 128), (8, -1), (16, 2**15)])
def test_a_value_that_does_not_fit_is_refused(bits: int, value: int) -> None:
    layout = StateLayout.of({"x": bits})
    with pytest.raises(MicrocodeError, match=rf"state field x: must be in .* \({bits} bits\), got {value}\.\.{value}"):
        layout.pack_row(0, {"x": np.array([value])})


def test_other_widths_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"state field x: must be one of \(8, 16, 24\) bits, got 12"):
        StateLayout.of({"x": 12})


def test_rows_of_populations() -> None:
    """v 24 + threshold 24 + clock 8 + fired 8 = 64: one row, until the clock needs 16 bits or the bias 24."""
    network = example("ReLU, full wait", 8)
    hidden, relay = network.hidden
    biased = example("ReLU, full wait, a bias per neuron", 8).hidden[0]
    assert (state_rows(hidden), state_layout(hidden).bits) == (1, 64)
    assert (state_rows(biased), state_layout(biased).bits) == (2, 88)
    assert state_rows(replace(biased, threshold=np.array(7))) == 1
    assert (state_layout(relay).bits, state_layout(network.readout).bits) == (40, 32)
    assert state_rows(hidden, 127) == 1 and state_rows(hidden, 128) == 2
    assert state_rows(relay, 128) == 1
    with pytest.raises(ConfigurationError, match=r"period: must be in \[1, 32767\] steps, got 32768"):
        state_rows(hidden, 2**15)
