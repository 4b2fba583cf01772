"""The prices of a board for the account of energy that conversion and evaluation use."""

from __future__ import annotations

from loihi_onespike.boards.energy.account import BORROWED, OWN
from loihi_onespike.boards.specification import Board, load_chip
from loihi_onespike.boards.specification.spec import EnergyTable
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.errors import BoardError, BoardProblem

TABLE_CHIP = "loihi_1"
"""The only chip whose energies per operation are published."""


def operation_prices(board: Board) -> OperationPrices:
    """Prices of a board's operations: those of its chip, or those of Loihi 1 where the chip's are not public.

    What a table does not state costs nothing, as in `account.accounts`.

    Args:
        board: the board.

    Raises:
        BoardError: neither the chip nor Loihi 1 states energies of synaptic operations and updates.
    """
    for chip, name in ((board.chip, OWN), (load_chip(TABLE_CHIP), BORROWED)):
        found = _of_table(board, name.format(chip=board.chip.name), chip.energy)
        if found is not None:
            return found
    raise BoardError([BoardProblem(board.id, "energy", "must state the energy of synaptic operations and updates")])


def _of_table(board: Board, source: str, table: EnergyTable) -> OperationPrices | None:
    synaptic, active, inactive, message = (
        price.value
        for price in (
            table.synaptic_operation_pj,
            table.neuron_update_active_pj,
            table.neuron_update_inactive_pj,
            table.spike_within_tile_pj,
        )
    )
    if synaptic is None or (active is None and inactive is None):
        return None
    sends_payload = board.chip.neuron.sends_payload  # of the board's own chip, also where prices are borrowed
    updates = (active or 0.0, inactive or 0.0)
    return OperationPrices(board.name, source, synaptic, *updates, message or 0.0, sends_payload)
