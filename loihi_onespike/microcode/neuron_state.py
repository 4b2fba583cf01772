"""State of one neuron on a core: fields of 8, 16 or 24 bits packed into rows of 64 bits.

    v          24 bits, signed    membrane potential
    threshold  24 bits, signed    where it differs between neurons
    bias       24 bits, signed    where it differs between neurons
    first, second                 24 bits, signed, the two sums of a product, in place of v, which follows from them;
                                  each with a bias (bias_first, bias_second), while bias is added to the product
    clock      8 or 16 bits       local step of the window, 0 … period
    fired      8 bits             0 until the neuron's spike of this window, then 1. Where one-sided neurons stand
                                  beside others: ONE_SIDED in those, 0 in the others, plus SILENT from the spike on

A number that all neurons of a population share is a constant of the program and takes no state. The widths are
published (Intel technology brief 2021); the position of a field in a row is our choice. Fields of 8 and 16 bits use
only their non-negative half (0..127, 0..32767), so it does not matter whether a core reads them as signed or unsigned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import saturate_v
from loihi_onespike.core.graphs.network import Population, Readout
from loihi_onespike.errors import ConfigurationError, MicrocodeError

ROW_BITS = 64
FIELD_BITS = (8, 16, 24)
"""Widths in bits of a field of neuron state (Intel technology brief 2021)."""

ONE_SIDED, SILENT = 1, 2
"""Bits of the field `fired` where one-sided neurons stand beside others."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class StateField:
    """One field of the state.

    Attributes:
        name: Name of the field.
        bits: Width.
        row: Number of its row, from 0.
        offset: Position of its lowest bit in the row.
    """

    name: str
    bits: int
    row: int
    offset: int

    @property
    def limits(self) -> tuple[int, int]:
        """(smallest, largest) value: signed for 24 bits, non-negative for 8 and 16 bits."""
        half = 2 ** (self.bits - 1)
        return (-half if self.bits == 24 else 0), half - 1


@dataclass(frozen=True)
class StateLayout:
    """Positions of all fields of a neuron, made by `StateLayout.of` or, for a population, by `state_layout`.

    Attributes:
        fields: The fields.
    """

    fields: tuple[StateField, ...]

    @classmethod
    def of(cls, widths: Mapping[str, int]) -> StateLayout:
        """Place fields into rows by first fit, the widest first; a field never straddles two rows.

        Args:
            widths: Width in bits of every field, by name.

        Raises:
            ConfigurationError: a width that is not in `FIELD_BITS`.
        """
        used: list[int] = []
        places: dict[str, tuple[int, int]] = {}
        for name, bits in sorted(widths.items(), key=lambda item: -item[1]):
            if bits not in FIELD_BITS:
                raise ConfigurationError(f"state field {name}: must be one of {FIELD_BITS} bits, got {bits}")
            row = next((r for r, full in enumerate(used) if full + bits <= ROW_BITS), len(used))
            if row == len(used):
                used.append(0)
            places[name] = (row, used[row])
            used[row] += bits
        return cls(tuple(StateField(name, bits, *places[name]) for name, bits in widths.items()))

    @cached_property
    def by_name(self) -> dict[str, StateField]:
        """The fields by name."""
        return {f.name: f for f in self.fields}

    @property
    def rows(self) -> int:
        """Number of rows of 64 bits per neuron."""
        return 1 + max(f.row for f in self.fields)

    @property
    def bits(self) -> int:
        """Number of bits in use per neuron."""
        return sum(f.bits for f in self.fields)

    def in_row(self, row: int) -> Sequence[StateField]:
        """The fields of one row."""
        return [f for f in self.fields if f.row == row]

    def pack_row(self, row: int, values: Mapping[str, IntArray], cut: bool = False) -> NDArray[np.uint64]:
        """Pack the fields of one row.

        Args:
            row: Number of the row.
            values: (neurons,) values of its fields, by name.
            cut: Keep the low bits of a value that does not fit, in place of an error.

        Returns:
            (neurons,) packed rows.

        Raises:
            MicrocodeError: a value does not fit into its field.
        """
        packed = np.zeros_like(next(iter(values.values())))
        for f in self.in_row(row):
            low, high = f.limits
            value = values[f.name]
            if not cut and (value.min() < low or value.max() > high):
                found = f"{value.min()}..{value.max()}"
                raise MicrocodeError(f"state field {f.name}: must be in {low}..{high} ({f.bits} bits), got {found}")
            packed |= (value & ((1 << f.bits) - 1)) << f.offset
        return packed.view(np.uint64)

    def unpack_row(self, row: int, packed: NDArray[np.uint64], signed: bool = True) -> dict[str, IntArray]:
        """Unpack one row.

        Args:
            row: Number of the row.
            packed: (neurons,) packed rows.
            signed: Read the fields with their sign, as they are stored.

        Returns:
            (neurons,) int64 values of its fields, by name.
        """
        if not signed:
            return {f.name: (packed.view(np.int64) >> f.offset) & ((1 << f.bits) - 1) for f in self.in_row(row)}
        # Up to the top of the row and down again: the arithmetic shift carries the sign.
        top = packed.view(np.int64)
        return {f.name: top << (ROW_BITS - f.bits - f.offset) >> (ROW_BITS - f.bits) for f in self.in_row(row)}


def one_number(values: NDArray[np.integer] | NDArray[np.bool_]) -> bool:
    """True when all neurons of a population share one value."""
    return bool(np.all(values == values.flat[0]))


def mixes_sides(population: Population | Readout) -> bool:
    """True when one-sided neurons stand beside others, so that each neuron has to know which it is."""
    one_sided = population.one_sided if isinstance(population, Population) else None
    return one_sided is not None and not one_number(one_sided)


def sum_fields(population: Population | Readout) -> tuple[str, ...]:
    """Names of the state fields of the sums: v, or one for each factor of a product."""
    return ("v",) if len(population.membranes) == 1 else ("first", "second")


def bias_fields(population: Population | Readout) -> dict[str, NDArray[np.int64]]:
    """Biases by the names of their fields or constants: of every membrane, and what is added to a product."""
    names = ("bias",) if len(population.membranes) == 1 else ("bias_first", "bias_second")
    biases = {name: m.bias for name, m in zip(names, population.membranes, strict=True)}
    if isinstance(population, Population) and population.product is not None:
        biases["bias"] = population.product.bias
    return biases


def potential(population: Population | Readout, sums: Sequence[IntArray]) -> IntArray:
    """v from the sums in the state, by the equation of `core.graphs.network`.

    Args:
        population: The population.
        sums: (neurons,) values of every field of `sum_fields`.
    """
    product = population.product if isinstance(population, Population) else None
    if product is None:
        return sums[0]
    bias = np.broadcast_to(product.bias, population.shape).ravel()
    return saturate_v((sums[0] * sums[1] >> product.shift) + bias)


def own_window(population: Population | Readout) -> int:
    """Steps that a population needs for one image, which is the shortest possible period."""
    decided = population.wait + population.timesteps if isinstance(population, Population) else 0
    return max(decided, population.input_steps)


def clock_bits(period: int) -> int:
    """Width in bits of the field that counts local steps 0 … period.

    Raises:
        ConfigurationError: the period does not fit into 16 bits.
    """
    for bits in (8, 16):
        if period < 2 ** (bits - 1):
            return bits
    raise ConfigurationError(f"period: must be in [1, {2**15 - 1}] steps, got {period}; use fewer timesteps")


def state_layout(population: Population | Readout, period: int | None = None) -> StateLayout:
    """Layout of the state of one neuron of a population.

    The neurons of a product keep both sums, `first` and `second`; v follows from them and is not stored.

    Args:
        population: The population.
        period: Steps between two images; by default the population's own window.

    Raises:
        ConfigurationError: the period does not fit into the clock.
    """
    widths = dict.fromkeys(sum_fields(population), 24)
    if isinstance(population, Population) and not one_number(population.threshold):
        widths["threshold"] = 24
    widths |= {name: 24 for name, values in bias_fields(population).items() if not one_number(values)}
    widths["clock"] = clock_bits(own_window(population) if period is None else period)
    if isinstance(population, Population):
        widths["fired"] = 8
    return StateLayout.of(widths)


def state_rows(population: Population | Readout, period: int | None = None) -> int:
    """Rows of 64 bits per neuron: 1 for up to two fields of 24 bits, 2 where both threshold and bias vary.

    A clock of 16 bits (periods above 127 steps) beside two fields of 24 bits needs the second row too.

    Args:
        population: The population.
        period: Steps between two images; by default the population's own window.
    """
    return state_layout(population, period).rows
