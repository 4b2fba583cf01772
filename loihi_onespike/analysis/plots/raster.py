"""Raster plot: spikes of one image over the steps of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from loihi_onespike.analysis.plots.style import NEUTRAL, SHADE
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population
from loihi_onespike.core.trace import LayerTrace, Trace

GAP = 0.18
"""Distance between two bands as a fraction of the mean height of a band."""


def spike_steps(
    network: Network, name: str, layer: LayerTrace, image: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps and neuron numbers of all spikes of a population for one image.

    Args:
        network: the network.
        name: name of the population.
        layer: its trace.
        image: index of the image.

    Returns:
        Global step (the first input phase is step 1) and flat neuron index of every spike, in the order of the neurons.
    """
    population = network.by_name[name]
    assert layer.words is not None and isinstance(population, InputPopulation | Population)
    values = np.asarray(layer.words[image]).ravel().astype(np.int64)
    start = network.starts[name] + population.wait
    sent = np.stack([population.code.spikes(values, t) for t in range(1, population.timesteps + 1)], axis=1)
    neuron, phase = np.nonzero(sent)
    return start + phase + 1, neuron


def _described(population: InputPopulation | Population) -> str:
    shape = " × ".join(map(str, population.shape))
    bits = population.code.input_bits
    return shape if bits is None else f"{shape}, {bits}-bit code"


def draw_raster(axes: Axes, network: Network, trace: Trace, image: int, colors: Mapping[str, str]) -> None:
    """Draw a dot per spike, with one band per population in the order of the pipeline from the top.

    Neurons of a band are in the order of the feature map, and its height grows with the square root of their number.
    The pale part of a band is the window in which the population can fire; a thin bar before it shows its wait.

    Args:
        axes: axes to draw into.
        network: the network.
        trace: a run of it.
        image: index of the image in the run.
        colors: colour by population.
    """
    spiking = [p for p in network.populations if isinstance(p, InputPopulation | Population)]
    heights = np.sqrt([prod(p.shape) for p in spiking])
    heights = np.maximum(heights / heights.mean(), 0.35)
    top, ticks, labels = 0.0, [], []
    for population, height in zip(spiking, heights, strict=True):
        steps, neurons = spike_steps(network, population.name, trace.layers[population.name], image)
        size = prod(population.shape)
        start = network.starts[population.name]
        first = start + population.wait + 0.5
        axes.add_patch(Rectangle((first, top), population.timesteps, height, color=SHADE, lw=0, zorder=0))
        if population.wait:
            middle = top + height / 2
            axes.plot([start + 0.5, first], [middle, middle], color=SHADE, lw=4, solid_capstyle="butt", zorder=0)
            axes.text((start + 0.5 + first) / 2, middle, "waits", ha="center", va="center", fontsize=7, color=NEUTRAL)
        at = top + height * (neurons + 0.5) / size
        axes.scatter(steps, at, s=4.0 if size < 600 else 2.5, color=colors[population.name], lw=0, zorder=2)
        sent = len(steps) / size
        ticks.append(top + height / 2)
        labels.append(f"{population.name}\n{_described(population)}\n{sent:.2f} spikes per neuron")
        top += height + GAP
    axes.set_yticks(ticks, labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(top - GAP / 2, -GAP / 2)
    axes.set_xlim(0.5, network.latency_steps + 0.5)
    axes.spines["left"].set_visible(False)
