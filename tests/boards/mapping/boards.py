"""Boards with limits so narrow that networks of a few neurons fill them."""

from dataclasses import replace

from loihi_onespike.boards.specification import load_board


def narrow(name="kapoho_point", *, cores_per_chip=None, **limits):
    """A shipped board with other limits per core."""
    board = load_board(name)
    core = board.chip.core
    for key, value in limits.items():
        core = replace(core, **{key: replace(getattr(core, key), status="U", source="a test", value=value)})
    board = replace(board, chip=replace(board.chip, core=core))
    if cores_per_chip is not None:
        board = replace(board, usable_cores_per_chip=replace(board.usable_cores_per_chip, value=cores_per_chip))
    return board
