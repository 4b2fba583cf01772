"""What is known of chips and boards. The unit of a number ends its name; a number that is not public has no value.

The same classes check the files: pydantic refuses unknown keys and wrong types, `Quantity` missing sources.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import ConfigDict, model_validator
from pydantic.dataclasses import dataclass

T = TypeVar("T")

Status = Literal["P", "C", "I", "U", "NF"]
"""Of a number: P published, C seen in public code or stored notebook output, I inferred, U commonly quoted and not
verified, NF not found in public."""

# An infinite or negative number is never meant.
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, config=_STRICT)
class Quantity(Generic[T]):
    """A number with its status and source.

    Attributes:
        status: P published, C seen in public code or output, I inferred, U quoted and not verified, NF not found.
        value: None exactly when the status is NF.
        source: where it stands; needed for every value.
    """

    status: Status
    value: T | None = None
    source: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Quantity[T]:
        if self.status == "NF" and self.value is not None:
            raise ValueError(f"value {self.value!r} with status NF; a value needs the status P, C, I or U")
        if self.status != "NF" and self.value is None:
            raise ValueError(f"no value with status {self.status}; what is not known has the status NF")
        if self.status != "NF" and not self.source.strip():
            raise ValueError("a value without a source")
        if isinstance(self.value, int | float) and self.value < 0:
            raise ValueError(f"value {self.value}, must not be negative")
        return self

    @property
    def known(self) -> bool:
        return self.value is not None

    def __str__(self) -> str:
        return "unknown" if self.value is None else str(self.value)


@dataclass(frozen=True, config=_STRICT)
class CoreLimits:
    """What one core holds. A limit without a value is not checked; reports say so.

    total_words bounds AxonIn + neuron state + synapses + AxonMap + AxonMem.
    """

    cores_per_chip: Quantity[int]
    neurons: Quantity[int]
    neuron_groups: Quantity[int]
    state_words: Quantity[int]
    synapse_words: Quantity[int]
    axon_in_words: Quantity[int]
    axon_map_words: Quantity[int]
    axon_mem_words: Quantity[int]
    total_words: Quantity[int]
    memory_kib: Quantity[int]


@dataclass(frozen=True, config=_STRICT)
class Accounting:
    """How synapses turn into words of `word_bits`: a list of n targets of w bits takes
    ceil((n (w + synapse_index_bits) + synapse_header_bits) / word_bits) words."""

    word_bits: Quantity[int]
    synapse_index_bits: Quantity[int]
    synapse_header_bits: Quantity[int]
    shared_convolution: Quantity[bool]


@dataclass(frozen=True, config=_STRICT)
class NeuronModel:
    """The neuron of the chip."""

    programmable: Quantity[bool]
    state_bytes: Quantity[int]
    membrane_bits: Quantity[int]
    accumulator_bits: Quantity[int]
    weight_bits: Quantity[int]
    delay_steps: Quantity[int]
    payload_bits: Quantity[int]
    microcode_words: Quantity[int]


@dataclass(frozen=True, config=_STRICT)
class Mesh:
    """Tiles of a chip; core n of a chip belongs to tile n // cores_per_tile, tiles are numbered row by row."""

    tile_columns: Quantity[int]
    tile_rows: Quantity[int]
    cores_per_tile: Quantity[int]

    @property
    def known(self) -> bool:
        return self.tile_columns.known and self.tile_rows.known and self.cores_per_tile.known


@dataclass(frozen=True, config=_STRICT)
class EnergyTable:
    """Energy of one operation, in picojoule."""

    synaptic_operation_pj: Quantity[float]
    neuron_update_active_pj: Quantity[float]
    neuron_update_inactive_pj: Quantity[float]
    spike_within_tile_pj: Quantity[float]
    hop_east_west_pj: Quantity[float]
    hop_north_south_pj: Quantity[float]
    hop_between_chips_pj: Quantity[float]


@dataclass(frozen=True, config=_STRICT)
class PowerTable:
    """Power of one chip that does nothing, in milliwatt."""

    static_mw: Quantity[float]
    idle_min_mw: Quantity[float]
    idle_max_mw: Quantity[float]


@dataclass(frozen=True, config=_STRICT)
class TimingTable:
    """Time of one operation, in nanoseconds."""

    synaptic_operation_ns: Quantity[float]
    neuron_update_active_ns: Quantity[float]
    neuron_update_inactive_ns: Quantity[float]
    microcode_pass_ns: Quantity[float]
    spike_within_tile_ns: Quantity[float]
    hop_east_west_ns: Quantity[float]
    hop_north_south_ns: Quantity[float]
    hop_between_chips_ns: Quantity[float]
    barrier_min_ns: Quantity[float]
    barrier_max_ns: Quantity[float]
    barrier_between_chips_ns: Quantity[float]


@dataclass(frozen=True, config=_STRICT)
class Chip:
    """One kind of chip."""

    name: str
    generation: Literal[1, 2]
    core: CoreLimits
    accounting: Accounting
    neuron: NeuronModel
    mesh: Mesh
    energy: EnergyTable
    power: PowerTable
    timing: TimingTable


@dataclass(frozen=True, config=_STRICT)
class BoardFile:
    """What stands in a board's file; `chip` names a chip of hw_configs/chips or a file beside this one."""

    name: str
    chip: str
    chips: Quantity[int]
    usable_cores_per_chip: Quantity[int]
    power_max_w: Quantity[float]
    steppings: Quantity[list[str]]
    chip_columns: Quantity[int]
    chip_rows: Quantity[int]


@dataclass(frozen=True)
class Board:
    """A board: chips of one kind.

    Attributes:
        id: name of its file without the suffix, what `--board` takes.
        usable_cores_per_chip: cores that a network may occupy.
        chip_columns, chip_rows: how the chips lie; unknown for all boards so far.
    """

    id: str
    name: str
    chip: Chip
    chips: Quantity[int]
    usable_cores_per_chip: Quantity[int]
    power_max_w: Quantity[float]
    steppings: Quantity[list[str]]
    chip_columns: Quantity[int]
    chip_rows: Quantity[int]

    @property
    def cores(self) -> int:
        """Cores of the whole board that a network may occupy."""
        assert self.chips.value is not None and self.usable_cores_per_chip.value is not None
        return self.chips.value * self.usable_cores_per_chip.value
