"""State of one neuron on a core: fields of 8, 16 or 24 bits packed into rows of 64 bits.

    v          24 bits, signed    membrane potential
    threshold  24 bits, signed    where it differs between neurons
    bias       24 bits, signed    where it differs between neurons
    clock      8 or 16 bits       local step of the window, 0 … period
    fired      8 bits             0 until the neuron's spike of this window

A number that is one for the whole population is a shared constant of the program and takes no state. The widths are
published (Intel technology brief 2021), their place in a row is ours. Fields of 8 and 16 bits use only their
non-negative half (0..127, 0..32767), so it does not matter whether a core reads them signed or unsigned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.errors import ConfigurationError, MicrocodeError

ROW_BITS = 64
FIELD_BITS = (8, 16, 24)
"""Widths of a field of neuron state (Intel technology brief 2021)."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class StateField:
    """One field: `bits` wide, `offset` bits above bit 0 of row `row`."""

    name: str
    bits: int
    row: int
    offset: int

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value: signed for 24 bits, 0 and more for 8 and 16 bits."""
        half = 2 ** (self.bits - 1)
        return (-half if self.bits == 24 else 0), half - 1


@dataclass(frozen=True)
class StateLayout:
    """Where the fields of a neuron stand; made by `StateLayout.of` and, for a population, `state_layout`."""

    fields: tuple[StateField, ...]

    @classmethod
    def of(cls, widths: Mapping[str, int]) -> StateLayout:
        """First fit, the widest first; a field never straddles two rows. Raises ConfigurationError for other widths."""
        used: list[int] = []
        places: dict[str, tuple[int, int]] = {}
        for name, bits in sorted(widths.items(), key=lambda item: -item[1]):
            if bits not in FIELD_BITS:
                raise ConfigurationError(f"state field {name}: found {bits} bits, supported {FIELD_BITS}")
            row = next((r for r, full in enumerate(used) if full + bits <= ROW_BITS), len(used))
            if row == len(used):
                used.append(0)
            places[name] = (row, used[row])
            used[row] += bits
        return cls(tuple(StateField(name, bits, *places[name]) for name, bits in widths.items()))

    @cached_property
    def by_name(self) -> dict[str, StateField]:
        return {f.name: f for f in self.fields}

    @property
    def rows(self) -> int:
        """Rows of 64 bits per neuron."""
        return 1 + max(f.row for f in self.fields)

    @property
    def bits(self) -> int:
        """Bits in use per neuron."""
        return sum(f.bits for f in self.fields)

    def in_row(self, row: int) -> Sequence[StateField]:
        return [f for f in self.fields if f.row == row]

    def pack_row(self, row: int, values: Mapping[str, IntArray]) -> NDArray[np.uint64]:
        """(neurons,) row made of the values (neurons,) of its fields; raises MicrocodeError where one does not fit."""
        packed = np.zeros_like(next(iter(values.values())))
        for f in self.in_row(row):
            low, high = f.limits
            value = values[f.name]
            if value.min() < low or value.max() > high:
                found = f"{value.min()}..{value.max()}"
                raise MicrocodeError(f"state field {f.name}: found {found}, its {f.bits} bits hold {low}..{high}")
            packed |= (value & ((1 << f.bits) - 1)) << f.offset
        return packed.view(np.uint64)

    def unpack_row(self, row: int, packed: NDArray[np.uint64]) -> dict[str, IntArray]:
        """Values of the fields of a row, (neurons,) int64 each."""
        signed = packed.view(np.int64)
        # Up to the top of the row and down again: the arithmetic shift carries the sign.
        return {f.name: signed << (ROW_BITS - f.bits - f.offset) >> (ROW_BITS - f.bits) for f in self.in_row(row)}


def one_number(values: NDArray[np.integer]) -> bool:
    """True where one number serves the whole population."""
    return bool(np.all(values == values.flat[0]))


def own_window(population: Population | Readout) -> int:
    """Steps that a population needs for one image, the shortest period it can live with."""
    decided = population.wait + population.timesteps if isinstance(population, Population) else 0
    return max(decided, population.membrane.input_steps)


def clock_bits(period: int) -> int:
    """Width of the field that counts local steps 0 … period. Raises ConfigurationError beyond 16 bits."""
    for bits in (8, 16):
        if period < 2 ** (bits - 1):
            return bits
    raise ConfigurationError(f"period: found {period} steps, supported 1 to {2**15 - 1}; use fewer timesteps")


def state_layout(population: Population | Readout, period: int | None = None) -> StateLayout:
    """Layout of one neuron of a population.

    Args:
        period: steps between two images; by default the population's own window.
    """
    widths = {"v": 24}
    if isinstance(population, Population) and not one_number(population.threshold):
        widths["threshold"] = 24
    if not one_number(population.membrane.bias):
        widths["bias"] = 24
    widths["clock"] = clock_bits(own_window(population) if period is None else period)
    if isinstance(population, Population):
        widths["fired"] = 8
    return StateLayout.of(widths)


def state_rows(population: Population | Readout, period: int | None = None) -> int:
    """Rows of 64 bits per neuron: 1 for up to two fields of 24 bits, 2 with threshold and bias of each neuron's own.

    A 16-bit clock (periods above 127 steps) beside two such fields needs the second row too.
    """
    return state_layout(population, period).rows
