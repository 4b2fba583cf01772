"""One run of the network over the images that spikes, potentials and the board's work are counted on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.analysis.diagnosis.ann_values import ann_values
from loihi_onespike.analysis.report.content.subject import ReportSubject
from loihi_onespike.analysis.report.content.value_counts import ValueCounts, value_counts_of
from loihi_onespike.boards.energy.activity import Activity
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population
from loihi_onespike.core.trace import Trace

BATCH = 50
"""Images that are run together."""


@dataclass(frozen=True, eq=False)
class MeasuredSpikes:
    """What the run gave.

    Attributes:
        network: the network.
        activity: spikes of every neuron and phase over all images of the run.
        values: distribution of the potentials of every population that decides by thresholds.
        ann_values: distribution of the values of the ANN at the same populations; empty without the ANN.
        words: code words (shown, *shape) of the images that are shown, by population.
        output: outputs (shown, …) of the images that are shown.
        shown: the images that are shown, as floats (shown, *input shape); None for a graph.
        labels: their labels, or None.
    """

    network: Network
    activity: Activity
    values: dict[str, ValueCounts]
    ann_values: dict[str, ValueCounts]
    words: dict[str, NDArray[np.integer]]
    output: NDArray[np.float64]
    shown: NDArray[np.floating] | None
    labels: NDArray[np.integer] | None


def measure(subject: ReportSubject) -> MeasuredSpikes:
    """Run the network over the profiled images; the first ones of them are those that are shown."""
    network = subject.net.network
    x, y = subject.part(subject.profiled_images)
    activity = Activity(network)
    values = {p.name: found for p in network.hidden if (found := value_counts_of(p)) is not None}
    words: dict[str, list[NDArray[np.integer]]] = {p.name: [] for p in spiking(network)}
    output: list[NDArray[np.float64]] = []
    shown = 0
    for trace in _traces(subject, x):
        activity.add(trace.layers)
        for name, counts in values.items():
            v = trace.layers[name].v
            assert v is not None
            counts.add(v)
        room = subject.shown_images - shown
        if room > 0:
            for name, kept in words.items():
                codes = trace.layers[name].codes
                assert codes is not None
                kept.append(np.array(codes[:room]))
            output.append(trace.output[:room])
            shown += len(output[-1])
    pictures = None if subject.is_graph else np.asarray(subject.net.input_values(x[:shown]))
    sent = {name: np.concatenate(kept) for name, kept in words.items()}
    labels = None if y is None else np.asarray(y)[:shown]
    return MeasuredSpikes(
        network, activity, values, _ann_values(subject, x), sent, np.concatenate(output), pictures, labels
    )


def _ann_values(subject: ReportSubject, x: object) -> dict[str, ValueCounts]:
    if subject.model is None or subject.is_graph:
        return {}
    network, images = subject.net.network, np.asarray(x)
    counts = {p.name: found for p in network.hidden if (found := value_counts_of(p)) is not None}
    done = 0
    for values in ann_values(subject.net, subject.model, images):
        for name, count in counts.items():
            count.add_values(values[name])
        done += len(values[network.readouts[0].name])
        subject.progress("values of the ANN", done, len(images))
    return counts


def spiking(network: Network) -> tuple[InputPopulation | Population, ...]:
    """Populations that send spikes, in the order of the network."""
    return (network.input, *network.hidden)


def _traces(subject: ReportSubject, x: object) -> Iterator[Trace]:
    if subject.is_graph:
        yield subject.net.trace(x)  # type: ignore[arg-type]
        subject.progress("count spikes", 1, 1)
        return
    images = np.asarray(x)
    for first in range(0, len(images), BATCH):
        yield subject.net.trace(images[first : first + BATCH])
        subject.progress("count spikes", min(first + BATCH, len(images)), len(images))
