"""Plot of a mapping: one square per core in the colour of its layer."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from loihi_onespike.analysis.plots.style import NEUTRAL, PALETTE, SHADE
from loihi_onespike.boards.mapping.placement import Placement

GAP = 1.5
"""Distance between chips in widths of a core."""
MAX_CHIPS = 64
"""Largest number of chips that are drawn; the title gives the number of the others."""
FREE_CHIPS = 15
"""Largest number of unused chips that are drawn."""
MAX_NAMES = 24
"""Largest number of layers in the legend."""


def _layout(placement: Placement) -> tuple[int, int, int]:
    """Number of chips drawn, chips per row, and cores per row of a chip.

    The positions of the chips on a board are not public, so they are drawn in rows, with a few unused ones.
    """
    board = placement.board
    assert board.chips.value is not None and board.usable_cores_per_chip.value is not None
    used = max(c.chip for c in placement.cores) + 1
    drawn = min(max(board.chips.value, used), used + FREE_CHIPS, MAX_CHIPS)
    return drawn, ceil(sqrt(drawn * 1.5)), ceil(sqrt(board.usable_cores_per_chip.value))


def board_size(placement: Placement) -> tuple[float, float]:
    """Figure size (width, height) in inches for a board."""
    drawn, columns, side = _layout(placement)
    rows = ceil(drawn / columns)
    inch = 0.12 if drawn > 1 else 0.3
    return max(columns * (side + GAP) * inch + 2.5, 5.0), max(rows * (side + GAP) * inch + 0.8, 3.0)


def draw_board(axes: Axes, placement: Placement, title: str) -> None:
    """Draw every usable core of the board; a darker core is used more.

    The shade shows the largest share of a limit that the core uses; unused cores are pale. The legend names the
    layers; many layers are coloured from dark to light in the order of the pipeline.

    Args:
        axes: axes to draw into.
        placement: assignment of layers to cores.
        title: name of the network, for the title.
    """
    drawn, columns, side = _layout(placement)
    usable, limits = placement.board.usable_cores_per_chip.value or 0, placement.board.chip.core
    colors = _colors(list(placement.shapes))
    step = side + GAP

    def corner(chip: int, core: int) -> tuple[float, float]:
        row, column = divmod(chip, columns)
        y, x = divmod(core, side)
        return column * step + x, row * step + y

    free = [Rectangle(corner(chip, core), 0.86, 0.86) for chip in range(drawn) for core in range(usable)]
    axes.add_collection(PatchCollection(free, facecolor=SHADE, edgecolor="none"))
    shown = [c for c in placement.cores if c.chip < drawn]
    resources = ("neurons", "state_words", "synapse_words", "axon_in_words", "axon_map_words", "total_words")
    known = [(r, getattr(limits, r).value) for r in resources if getattr(limits, r).value]
    shares = [min(max((c.use.of(r) / limit for r, limit in known), default=1.0), 1.0) for c in shown]
    patches = [Rectangle(corner(c.chip, c.core), 0.86, 0.86) for c in shown]
    faces = [(*colors[c.layer], 0.35 + 0.65 * share) for c, share in zip(shown, shares, strict=True)]
    axes.add_collection(PatchCollection(patches, facecolor=faces, edgecolor="none"))
    for chip in range(drawn):
        x, y = corner(chip, 0)
        axes.text(x, y - 0.25, f"chip {chip}", fontsize=6, color=NEUTRAL, va="bottom")
    names = list(placement.shapes)
    handles = [Line2D([], [], marker="s", ls="", color=colors[n], label=n) for n in names[:MAX_NAMES]]
    if len(names) > MAX_NAMES:
        handles.append(Line2D([], [], ls="", label=f"and {len(names) - MAX_NAMES} more"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7)
    rows = int(np.ceil(drawn / columns))
    axes.set_xlim(-0.5, columns * step)
    axes.set_ylim(rows * step, -1.5)
    axes.set_aspect("equal")
    axes.set_axis_off()
    hidden = (placement.board.chips.value or 0) - drawn
    more = f" ({hidden} more chips are not drawn)" if hidden > 0 else ""
    count = f"{_counted(len(placement.cores), 'core')}, {_counted(placement.chips, 'chip')}"
    axes.set_title(f"{title} on {placement.board.name}: {count}{more}")


def _colors(names: list[str]) -> dict[str, tuple[float, float, float]]:
    if len(names) <= len(PALETTE):
        return {name: to_rgb(color) for name, color in zip(names, PALETTE, strict=False)}
    return {name: to_rgb(colormaps["plasma"](0.95 * i / (len(names) - 1))) for i, name in enumerate(names)}


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
