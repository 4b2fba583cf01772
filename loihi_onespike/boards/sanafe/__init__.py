"""SANA-FE, an independent simulator of neuromorphic chips: a mapped network with its spikes on its model of Loihi.

    run = simulate(network, mapping, net.trace(images))

SANA-FE (Boyle et al., IEEE TCAD 2025; package `sanafe`, extra `sanafe`) counts messages and prices them by an
architecture file of its own, so its figures are a second opinion on those of `boards.energy`.
"""

from loihi_onespike.boards.sanafe.availability import require
from loihi_onespike.boards.sanafe.comparison import SanafeComparison, compare
from loihi_onespike.boards.sanafe.export_network import MAX_CONNECTIONS, check_board, export
from loihi_onespike.boards.sanafe.placed_network import PlacedNetwork
from loihi_onespike.boards.sanafe.plugin import library
from loihi_onespike.boards.sanafe.simulation import SanafeRun, simulate

__all__ = [
    "MAX_CONNECTIONS",
    "PlacedNetwork",
    "SanafeComparison",
    "SanafeRun",
    "check_board",
    "compare",
    "export",
    "library",
    "require",
    "simulate",
]
