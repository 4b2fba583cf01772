"""The picture of the demo: the spikes of one digit, and the phases in which the neurons of each layer fire."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from loihi_onespike.analysis.plots import draw_phases, draw_raster, draw_readout, layer_colors, style
from loihi_onespike.analysis.plots.style import FAINT, NEUTRAL, PALETTE
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Trace

SIZE_INCHES = (12.0, 9.6)
DPI = 150


def draw_demo(
    path: Path,
    network: Network,
    trace: Trace,
    images: NDArray[np.floating],
    labels: NDArray[np.integer],
    ann_output: NDArray[np.float64],
    classes: Sequence[str],
    image: int = 0,
) -> Path:
    """Write the picture as a PNG file.

    Args:
        path: file to write.
        network: network that ran.
        trace: trace of `images` by an integer executor.
        images: (N, 1, 8, 8) in 0..1.
        labels: (N,) class numbers.
        ann_output: (N, classes), outputs of the ANN for the same images.
        classes: names of the classes.
        image: number of the image whose spikes are shown; the statistics are those of all images.

    Returns:
        The path.
    """
    with style():
        figure = Figure(figsize=SIZE_INCHES, layout=ConstrainedLayoutEngine(h_pad=0.07, w_pad=0.07))
        colors = layer_colors(p.name for p in network.populations)
        top, bottom = figure.subfigures(2, 1, height_ratios=(3.2, 1))
        grid = top.add_gridspec(2, 2, width_ratios=(4.6, 1), height_ratios=(3.3, 1))
        raster = top.add_subplot(grid[0, 0])
        draw_raster(raster, network, trace, image, colors)
        raster.set_title(
            f"Spikes of one image: at most one per neuron behind the input, in one of T = {network.timesteps} phases"
        )
        raster.tick_params(labelbottom=False)
        for label, population in zip(raster.get_yticklabels(), network.populations, strict=False):
            label.set_color(colors[population.name])
        course = top.add_subplot(grid[1, 0], sharex=raster)
        draw_readout(course, network, trace, image, classes)
        course.set_title("Output layer: potential in units of the ANN's output")
        course.set_xlabel("time step (1 = first input phase)")
        course.set_ylabel("potential")
        _digit(top.add_subplot(grid[0, 1]), images[image, 0], int(labels[image]))
        _logits(top.add_subplot(grid[1, 1]), trace.output[image], ann_output[image], classes)
        _phases(bottom.subplots(1, len(network.hidden), sharey=True, squeeze=False)[0], network, trace, colors)
        bottom.suptitle(
            f"When the neurons of each layer fire ({len(images)} images; phase k stands for the level base⁻ᵏ)",
            x=0.008,
            ha="left",
            fontsize=10,
            fontweight="bold",
        )
        figure.savefig(path, dpi=DPI)
    return path


def _digit(axes: Axes, pixels: NDArray[np.floating], label: int) -> None:
    axes.imshow(pixels, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    axes.set_anchor("N")
    axes.set_title(f"Test image: a {label}")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("8 × 8 pixels, 17 grey levels")
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT)


def _logits(axes: Axes, snn: NDArray[np.float64], ann: NDArray[np.float64], classes: Sequence[str]) -> None:
    places = np.arange(len(classes))
    chosen = int(np.argmax(snn))
    axes.bar(places, snn, color=[PALETTE[0] if i == chosen else FAINT for i in places], label="one-spike INT8")
    axes.plot(places, ann, "o", ms=4, mfc="white", mec="black", label="ANN")
    axes.axhline(0, color=NEUTRAL, lw=0.6)
    axes.set_xticks(places, classes)
    axes.set_xlabel("class")
    axes.set_title("Output")
    axes.legend(fontsize=7, loc="best", handlelength=1.2)


def _phases(axes: Sequence[Axes], network: Network, trace: Trace, colors: dict[str, str]) -> None:
    largest = 0.0
    for one, population in zip(axes, network.hidden, strict=True):
        phases = trace.layers[population.name].words
        assert phases is not None
        largest = max(largest, draw_phases(one, population, phases, colors[population.name]))
        one.set_xlabel("phase")
    axes[0].set_ylabel("neurons (%)")
    axes[0].set_ylim(0, 1.15 * largest)
    axes[0].yaxis.set_major_locator(MaxNLocator(4, integer=True))
