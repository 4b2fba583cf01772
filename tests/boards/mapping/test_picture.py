"""The picture of a board, read back from the axes."""

from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure

from loihi_onespike.analysis.plots.board import board_size, draw_board
from loihi_onespike.boards.mapping import map_layers
from tests.boards.mapping.published import YOLO_KP, mnist


def drawn(mapping):
    axes = Figure(figsize=board_size(mapping.placement)).add_subplot()
    draw_board(axes, mapping.placement, "net")
    free, used = (c for c in axes.collections if isinstance(c, PatchCollection))
    return axes, len(free.get_paths()), len(used.get_paths())


def test_a_square_per_core():
    axes, free, used = drawn(map_layers(mnist(), "oheo_gulch"))
    assert (free, used) == (120, 5)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["layer0", "layer1", "layer2"]
    assert "5 cores" in axes.get_title()


def test_large_boards_show_the_chips_that_are_used():
    axes, free, used = drawn(map_layers(YOLO_KP, "hala_point"))
    assert used == 574 and free == 122 * 20  # 5 chips and 15 free ones
    assert "1132 more chips" in axes.get_title()


def test_chips_beyond_the_board_are_shown():
    _, free, used = drawn(map_layers(YOLO_KP, "oheo_gulch"))
    assert used == 574 and free == 120 * 5
