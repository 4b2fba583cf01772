"""Boards and chips as data: limits, energies and times from `hw_configs`, every number with its source."""

from loihi_onespike.boards.specification.loader import boards, load_board, load_chip
from loihi_onespike.boards.specification.spec import Board, Chip, Quantity

__all__ = ["Board", "Chip", "Quantity", "boards", "load_board", "load_chip"]
