"""Data classes of chips and boards. The unit of a number ends its name; a number that is not public has no value.

The same classes validate the files: pydantic refuses unknown keys and wrong types, `Quantity` refuses missing sources.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, Literal, TypeVar, get_args

from pydantic import ConfigDict, model_validator
from pydantic.dataclasses import dataclass

from loihi_onespike.errors import ConfigurationError

T = TypeVar("T")

Status = Literal["P", "C", "I", "U", "NF"]
"""Status of a number: P published, C seen in public code or stored notebook output, I inferred, U commonly quoted and
not verified, NF not found in public."""

Convolution = Literal["kernels", "lists"]
"""Names of the two ways in which compilers store a convolution."""

# An infinite or negative number is never meant.
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, config=_STRICT)
class Quantity(Generic[T]):
    """A number with its status and source.

    Attributes:
        status: P published, C seen in public code or output, I inferred, U quoted and not verified, NF not found in
            public.
        value: The number; None exactly when the status is NF.
        source: Where the number is stated; required for every value.
        bound: "min" or "max" where the source states the number as the least or the largest one.
        low: Least value that a source gives, where it is another one.
        high: Largest value that a source gives, where it is another one.
        range_source: Where these are stated.
    """

    status: Status
    value: T | None = None
    source: str = ""
    bound: Literal["", "min", "max"] = ""
    low: T | None = None
    high: T | None = None
    range_source: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Quantity[T]:
        if self.status == "NF" and self.value is not None:
            raise ValueError(f"value {self.value!r} with status NF; the status of a value must be P, C, I or U")
        if self.status != "NF" and self.value is None:
            raise ValueError(f"no value with status {self.status}; the status of an unknown number must be NF")
        if self.status != "NF" and not self.source.strip():
            raise ValueError("a value without a source")
        if isinstance(self.value, int | float) and self.value < 0:
            raise ValueError(f"value {self.value}, must not be negative")
        self._range()
        return self

    def _range(self) -> None:
        ends = [end for end in (self.low, self.high) if end is not None]
        if ends and (self.value is None or not self.range_source.strip()):
            raise ValueError("a range without a value or without a range_source")
        if isinstance(self.value, int | float):
            low, high = self.least, self.largest
            assert low is not None and high is not None
            if not 0 <= low <= self.value <= high:  # type: ignore[operator]  # numbers, as the value
                raise ValueError(f"range {low} to {high}, must hold the value {self.value}")

    @property
    def least(self) -> T | None:
        """The low end of the range; the value where there is none."""
        return self.value if self.low is None else self.low

    @property
    def largest(self) -> T | None:
        """The high end of the range; the value where there is none."""
        return self.value if self.high is None else self.high

    @property
    def known(self) -> bool:
        """True when there is a value."""
        return self.value is not None

    def __str__(self) -> str:
        bound = f" ({self.bound})" if self.bound else ""
        return "unknown" if self.value is None else f"{self.value}{bound}"


@dataclass(frozen=True, config=_STRICT)
class CoreLimits:
    """Capacity of one core. A limit without a value is not checked, and reports say so.

    Attributes:
        cores_per_chip: Cores of one chip.
        neurons: Neurons per core.
        neuron_groups: Neuron groups per core.
        state_words: Words of neuron state.
        synapse_words: Words of synaptic memory.
        axon_in_words: Words of AxonIn, the incoming axons.
        axon_map_words: Words of AxonMap, the outgoing axons.
        axon_mem_words: Words of AxonMem.
        total_words: Limit of AxonIn + neuron state + synapses + AxonMap + AxonMem, in words.
        input_lists: Lists of targets that incoming axons select, per core.
        fan_out_edges: Edges from the neurons of a core to cores.
        memory_kib: Memory of a core in KiB.
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
    input_lists: Quantity[int]
    fan_out_edges: Quantity[int]
    memory_kib: Quantity[int]


@dataclass(frozen=True, config=_STRICT)
class Accounting:
    """Rules by which synapses turn into words.

        words(list of n targets of w bits) = ceil( (n (w + synapse_index_bits) + synapse_header_bits) / word_bits )

    Attributes:
        word_bits: Width of a word.
        synapse_index_bits: Bits of the index of a target in a list.
        synapse_header_bits: Bits of the header of a list.
        convolution: Name of the accounting of convolutions in use: "kernels", one kernel per core that serves all
            places, or "lists", one list of targets per input axon.
        convolution_as_kernels: A compiler for the chip is known to share kernels.
        convolution_as_lists: A compiler for the chip is known to write convolutions as lists.
    """

    word_bits: Quantity[int]
    synapse_index_bits: Quantity[int]
    synapse_header_bits: Quantity[int]
    convolution: Convolution
    convolution_as_kernels: Quantity[bool]
    convolution_as_lists: Quantity[bool]

    @property
    def kernels(self) -> bool:
        """True when convolutions are stored as kernels."""
        return self.convolution == "kernels"


@dataclass(frozen=True, config=_STRICT)
class NeuronModel:
    """The neuron of a chip.

    Attributes:
        programmable: The neuron is a microcode program.
        state_bytes: Largest neuron state in bytes.
        membrane_bits: Width of the membrane potential.
        accumulator_bits: Width of the synaptic input of one step.
        weight_bits: Largest width of a weight.
        delay_steps: Longest axon delay in steps.
        payload_bits: Width of the payload of a graded spike.
        microcode_words: Words of program memory.
    """

    programmable: Quantity[bool]
    state_bytes: Quantity[int]
    membrane_bits: Quantity[int]
    accumulator_bits: Quantity[int]
    weight_bits: Quantity[int]
    delay_steps: Quantity[int]
    payload_bits: Quantity[int]
    microcode_words: Quantity[int]

    @property
    def sends_payload(self) -> bool:
        """True when spikes carry payload, or when that is not public."""
        return self.payload_bits.value != 0


@dataclass(frozen=True, config=_STRICT)
class Mesh:
    """Tiles of a chip; core n belongs to tile n // cores_per_tile, and tiles are numbered row by row.

    Attributes:
        tile_columns: Columns of tiles.
        tile_rows: Rows of tiles.
        cores_per_tile: Cores of one tile.
    """

    tile_columns: Quantity[int]
    tile_rows: Quantity[int]
    cores_per_tile: Quantity[int]

    @property
    def known(self) -> bool:
        """True when all three numbers are known."""
        return self.tile_columns.known and self.tile_rows.known and self.cores_per_tile.known


@dataclass(frozen=True, config=_STRICT)
class EnergyTable:
    """Energy of one operation in pJ.

    Attributes:
        synaptic_operation_pj: One spike at one synapse.
        neuron_update_active_pj: Update of a neuron that is active.
        neuron_update_inactive_pj: Update of a neuron that is inactive.
        spike_within_tile_pj: One spike sent within a tile.
        message_from_core_pj: One message that leaves a core, whatever its way, by the reading that includes the look-up
            of its targets.
        hop_east_west_pj: One spike across one tile, along a row.
        hop_north_south_pj: One spike across one tile, along a column.
        hop_between_chips_pj: One spike from chip to chip.
    """

    synaptic_operation_pj: Quantity[float]
    neuron_update_active_pj: Quantity[float]
    neuron_update_inactive_pj: Quantity[float]
    spike_within_tile_pj: Quantity[float]
    message_from_core_pj: Quantity[float]
    hop_east_west_pj: Quantity[float]
    hop_north_south_pj: Quantity[float]
    hop_between_chips_pj: Quantity[float]


@dataclass(frozen=True, config=_STRICT)
class PowerTable:
    """Power in mW of one chip that computes nothing.

    Attributes:
        static_mw: Static power, where a single number is known.
        idle_min_mw: Least idle power observed.
        idle_max_mw: Largest idle power observed.
    """

    static_mw: Quantity[float]
    idle_min_mw: Quantity[float]
    idle_max_mw: Quantity[float]


@dataclass(frozen=True, config=_STRICT)
class TimingTable:
    """Time of one operation in ns.

    Attributes:
        step: How a step follows from its parts: "sum", the longest part of the work and then the barrier; "max", the
            longest of all, a lower bound.
        synaptic_operation_ns: One spike at one synapse.
        neuron_update_active_ns: Update of a neuron that is active.
        neuron_update_inactive_ns: Update of a neuron that is inactive.
        microcode_pass_ns: One pass of a neuron's program.
        spike_within_tile_ns: One spike sent within a tile.
        hop_east_west_ns: One spike across one tile, along a row.
        hop_north_south_ns: One spike across one tile, along a column.
        hop_between_chips_ns: One spike from chip to chip.
        barrier_min_ns: Shortest synchronization of all cores at the end of a step.
        barrier_max_ns: Longest synchronization of all cores at the end of a step.
        barrier_chips: Numbers of chips for which a synchronization over several chips is known, ascending.
        barrier_of_chips_ns: Its longest time for each of these.
    """

    step: Literal["sum", "max"]
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
    barrier_chips: Quantity[list[int]]
    barrier_of_chips_ns: Quantity[list[float]]


@dataclass(frozen=True, config=_STRICT)
class Chip:
    """One kind of chip.

    Attributes:
        name: Name of the chip.
        generation: 1 for Loihi, 2 for Loihi 2.
        core: Limits of one core.
        accounting: Rules by which synapses turn into words.
        neuron: The neuron.
        mesh: The tiles.
        energy: Energy per operation in pJ.
        power: Power without computation in mW.
        timing: Time per operation in ns.
    """

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
    """Content of a board's file.

    Attributes:
        name: Name of the board.
        chip: Name of a chip of hw_configs/chips, or of a `.toml` file beside this one.
        chips: Number of chips.
        usable_cores_per_chip: Cores per chip that a network may occupy.
        power_max_w: Largest power of the board in W.
        steppings: Steppings of its chips.
        chip_columns: Columns of chips.
        chip_rows: Rows of chips.
    """

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
        id: Name of its file without the suffix, as `--board` takes it.
        name: Name of the board.
        chip: Its chip.
        chips: Number of chips.
        usable_cores_per_chip: Cores per chip that a network may occupy.
        power_max_w: Largest power of the board in W.
        steppings: Steppings of its chips.
        chip_columns: Columns of chips; unknown for all boards so far.
        chip_rows: Rows of chips; unknown for all boards so far.
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

    def with_convolution(self, convolution: str) -> Board:
        """The same board with the accounting of convolutions of another compiler.

        Args:
            convolution: "kernels" or "lists".

        Raises:
            ConfigurationError: there is no such accounting, or no compiler for the chip is known that works like this.
        """
        rules = self.chip.accounting
        known: dict[str, Convolution] = {
            name: name for name in get_args(Convolution) if getattr(rules, f"convolution_as_{name}").value
        }
        if convolution not in known:
            names = ", ".join(known)
            raise ConfigurationError(f"convolution: must be one of {names} on {self.chip.name}, got {convolution!r}")
        return replace(self, chip=replace(self.chip, accounting=replace(rules, convolution=known[convolution])))
