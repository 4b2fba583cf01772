"""Colours and fonts of all plots."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import matplotlib as mpl

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of Okabe and Ito, distinguishable with every kind of colour vision; without yellow, too light for dots."""
NEUTRAL = "#666666"
FAINT = "#B8B8B8"
SHADE = "#F1F1F1"


def layer_colors(names: Iterable[str]) -> dict[str, str]:
    """Colour by layer: dark grey for the first (the input), then the palette, repeated after six layers."""
    first, *others = names
    return {first: "#444444"} | {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(others)}


def style() -> AbstractContextManager[None]:
    """Context manager with the style of all plots; settings outside it do not change."""
    return mpl.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.linewidth": 0.8,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.frameon": False,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
        }
    )
