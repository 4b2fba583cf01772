"""Mapping of a network onto the cores of a board: split, place, report, and check independently (docs/mapping.md)."""

from loihi_onespike.boards.mapping.accounting import CoreUse
from loihi_onespike.boards.mapping.block import Block
from loihi_onespike.boards.mapping.mapped_layer import Afferent, MappedLayer, layers_of
from loihi_onespike.boards.mapping.mapper import Mapping, Violation, map_layers, map_network, map_to_smallest
from loihi_onespike.boards.mapping.placement import PlacedCore, Placement
from loihi_onespike.boards.mapping.placement_check import check_placement
from loihi_onespike.boards.mapping.traffic import Hops, core_traffic, spike_hops
from loihi_onespike.microcode.neuron_state import state_rows

__all__ = [
    "Afferent",
    "Block",
    "CoreUse",
    "Hops",
    "MappedLayer",
    "Mapping",
    "PlacedCore",
    "Placement",
    "Violation",
    "check_placement",
    "core_traffic",
    "layers_of",
    "map_layers",
    "map_network",
    "map_to_smallest",
    "spike_hops",
    "state_rows",
]
