"""Plots of the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.paper_tables.layers import LayerValues
from benchmarks.paper_tables.table import Table
from loihi_onespike.analysis.plots.style import FAINT, PALETTE, style
from loihi_onespike.errors import DataError
from loihi_onespike.evaluation import Accuracy

SCATTER_POINTS = 2000
"""Largest number of points per layer and network."""


def plot_layers(values: LayerValues, path: Path) -> None:
    """Draw Fig. 7: encoded values over those of the ANN in four layers, with the shift above and without it below."""
    names = list(values.ann)
    chosen = [names[i] for i in sorted({round(k * (len(names) - 1) / 3) for k in range(4)})]
    with style():
        figure = Figure(figsize=(2.6 * len(chosen), 5.4), layout="constrained")
        grid = figure.subplots(2, len(chosen), squeeze=False)
        kinds = (("with the shift", values.shifted, PALETTE[0]), ("without", values.floored, PALETTE[1]))
        for axes, (label, found, color) in zip(grid, kinds, strict=True):
            for ax, name in zip(axes, chosen, strict=True):
                _scatter(ax, values.ann[name].ravel(), found[name].ravel(), color)
                ax.set_title(f"{name}, {label}")
                ax.set_xlabel("ANN")
            axes[0].set_ylabel("one-spike network")
        _save(figure, path)


def _scatter(ax: Axes, ann: np.ndarray, found: np.ndarray, color: str) -> None:
    some = np.linspace(0, len(ann) - 1, min(len(ann), SCATTER_POINTS)).astype(int)
    low, high = float(ann.min()), float(ann.max())
    ax.plot((low, high), (low, high), color=FAINT, linewidth=0.8)
    ax.scatter(ann[some], found[some], s=3, color=color, linewidths=0, alpha=0.6)


def plot_curves(table: Table, x: str, ys: tuple[str, ...], by: str | None, path: Path) -> None:
    """Draw columns of a table over another column; accuracies are drawn with their intervals.

    Args:
        table: the table.
        x: column of the horizontal axis.
        ys: columns to draw, one plot each.
        by: column whose values get a line each; None for a single line.
        path: file to write.
    """
    groups = list(dict.fromkeys(row[by] for row in table.rows)) if by else [None]
    with style():
        figure = Figure(figsize=(4.2 * len(ys), 3.4), layout="constrained")
        for ax, y in zip(figure.subplots(1, len(ys), squeeze=False)[0], ys, strict=True):
            for i, group in enumerate(groups):
                rows = [r for r in table.rows if by is None or r[by] == group]
                _line(ax, [r[x] for r in rows], [r[y] for r in rows], group, PALETTE[i % len(PALETTE)], by)
            ax.set_xlabel(x)
            ax.set_ylabel(f"{y} %" if isinstance(table.rows[0][y], Accuracy) else y)
            if by:
                ax.legend()
        _save(figure, path)


def _line(ax: Axes, x: list, values: list, group: object, color: str, by: str | None) -> None:
    label = f"{by} {group}" if by else None
    if isinstance(values[0], Accuracy):
        ends = 100 * np.array([v.interval for v in values])
        middle = 100 * np.array([v.value for v in values])
        ax.errorbar(x, middle, np.abs(ends.T - middle), color=color, marker="o", markersize=3, capsize=2, label=label)
    else:
        ax.plot(x, values, color=color, marker="o", markersize=3, label=label)


def _save(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path, dpi=150)
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be written ({error})") from error
