"""The board that CONTRIBUTING.md shows is a board: it loads, and a network is mapped onto it."""

import re
from pathlib import Path

from loihi_onespike.boards.mapping import check_placement, map_network
from loihi_onespike.boards.specification import load_board, load_chip
from tests.support.networks import chain

PAGE = Path(__file__).parents[3] / "CONTRIBUTING.md"


def test_the_board_of_contributing(tmp_path):
    section = PAGE.read_text(encoding="utf-8").split("## Add a board\n")[1].split("\n## ")[0]
    (text,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    path = tmp_path / "desk_board.toml"
    path.write_text(text, encoding="utf-8")
    board = load_board(path)
    assert (board.id, board.name, board.cores) == ("desk_board", "Desk Board", 240)
    assert board.chip == load_chip("loihi_2")
    assert not board.power_max_w.known and board.chips.source

    network = chain()
    mapping = map_network(network, str(path))
    assert mapping.fits and mapping.placement.board == board
    assert check_placement(network, mapping.placement) == []
