"""Section on spikes: code words of some images, and the number of spikes at every phase."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.analysis.report.content.measured_spikes import MeasuredSpikes, spiking
from loihi_onespike.analysis.report.content.subject import Section
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population

MOST_NEURONS = 4096
"""Neurons of a population whose spikes are kept; of more, every k-th."""
MOST_PIXELS = 64
"""Pixels along a side of a picture; of more, every k-th."""


def spikes_section(measured: MeasuredSpikes, answers: Sequence[int] | None, classes: Sequence[str]) -> Section:
    """Spikes of the images that are shown, population by population.

    Args:
        measured: the run.
        answers: classes that the ANN chose for these images; None without an ANN.
        classes: names of the classes, empty where unknown.
    """
    network = measured.network
    return {
        "images": [_image(measured, i, answers, classes) for i in range(len(measured.output))],
        "counted_images": measured.activity.images,
        "latency_steps": network.latency_steps,
        "populations": [_population(network, p, measured) for p in spiking(network)],
    }


def _image(measured: MeasuredSpikes, i: int, answers: Sequence[int] | None, classes: Sequence[str]) -> dict[str, Any]:
    def named(number: int | None) -> str | None:
        return None if number is None else classes[number] if number < len(classes) else str(number)

    output = measured.output[i]
    chosen = int(output.argmax()) if output.ndim == 1 else None
    label = None if measured.labels is None or measured.shown is None else int(measured.labels[i])
    return {
        "label": named(label),
        "chosen": named(chosen),
        "ann": named(None if answers is None else answers[i]),
        "right": None if label is None or chosen is None else chosen == label,
        "picture": None if measured.shown is None else picture(measured.shown[i]),
    }


def picture(values: NDArray[np.floating]) -> dict[str, Any] | None:
    """An input (C, H, W) or (H, W) as bytes of grey or colour, stretched to 0 … 255; None for what is no picture."""
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.shape[0] not in (1, 3) or min(values.shape[1:]) < 4:
        return None
    step = -(-max(values.shape[1:]) // MOST_PIXELS)
    pixels = np.asarray(values[:, ::step, ::step], np.float64)
    low, high = pixels.min(), pixels.max()
    grey = np.rint(255 * (pixels - low) / (high - low if high > low else 1.0)).astype(int)
    return {"height": grey.shape[1], "width": grey.shape[2], "pixels": grey.transpose(1, 2, 0).ravel().tolist()}


def _population(network: Network, p: InputPopulation | Population, measured: MeasuredSpikes) -> dict[str, Any]:
    words = measured.words[p.name].reshape(len(measured.output), -1)
    neurons = prod(p.shape)
    step = -(-neurons // MOST_NEURONS)
    spikes = measured.activity.mean(p.name).reshape(p.timesteps, -1).sum(axis=1)
    return {
        "name": p.name,
        "kind": "input" if isinstance(p, InputPopulation) else p.kind,
        "shape": list(p.shape),
        "neurons": neurons,
        "step": step,
        "timesteps": p.timesteps,
        "first_step": network.starts[p.name] + p.wait + 1,
        "binary": p.code.multi_spike,
        "phases": _phases(p, words[:, ::step]).tolist(),
        "histograms": [_histogram(p, image) for image in words],
        "mean_spikes": spikes.tolist(),
    }


def _phases(p: InputPopulation | Population, words: NDArray[np.integer]) -> NDArray[np.integer]:
    """Phase of the spike of every neuron with its sign; the integer code, whose bits are the spikes, if binary."""
    if p.code.multi_spike:
        return words
    return np.sign(words) * p.code.phase_of(words)  # type: ignore[attr-defined]


def _histogram(p: InputPopulation | Population, words: NDArray[np.integer]) -> list[int]:
    """Neurons without a spike, then spikes at every phase."""
    sent = [int((p.code.spikes(words, phase) != 0).sum()) for phase in range(1, p.timesteps + 1)]
    return [int((words == 0).sum()), *sent]
