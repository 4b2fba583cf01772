"""`evaluate` on one graph: its nodes are the labelled samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.core.trace import Trace
from loihi_onespike.data.checks import class_labels, described, plain_array
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation.evaluation import Accuracy, Evaluation
from loihi_onespike.evaluation.spike_counter import SpikeCounter


def evaluate_graph(
    network: Network,
    executor: str,
    trace: Trace,
    y: Any,
    mask: Any = None,
    answer: Callable[[], NDArray[np.float64]] | None = None,
    clipped_inputs: int = 0,
    prices: OperationPrices | None = None,
) -> Evaluation:
    """Accuracy and agreement over the masked nodes; spikes, operations and α of the whole graph, which is one sample.

    Args:
        network: what was run.
        executor: name of the executor that ran it.
        trace: of the graph, output (1, nodes, classes).
        y: class labels (nodes,).
        mask: nodes that count for accuracy and agreement, boolean (nodes,); None for all.
        answer: returns the output of the ANN (nodes, classes); None without an ANN.
        clipped_inputs: input values far outside the range of the calibration.
        prices: prices of a board; None for none.

    Raises:
        ConfigurationError: labels or mask are not one per node.
    """
    output = trace.output[0]
    chosen = np.ones(len(output), bool) if mask is None else plain_array("mask", mask, "booleans", ConfigurationError)
    if chosen.shape != (len(output),) or chosen.dtype != bool:
        raise ConfigurationError(f"mask: must be boolean of shape ({len(output)},), got {described(chosen)}")
    if not chosen.any():
        raise ConfigurationError("mask: must choose at least one node, got none")
    labels = class_labels("y", y, len(output), output.shape[-1], counted=chosen)
    counter = SpikeCounter(network)
    counter.add(trace.layers)
    classes, truth = output.argmax(axis=1)[chosen], labels[chosen]
    ann_accuracy = agreement = None
    if answer is not None:
        ann_classes = answer().argmax(axis=1)[chosen]
        ann_accuracy, agreement = _share(ann_classes == truth), _share(ann_classes == classes)
    accuracy = _share(classes == truth)
    return Evaluation.of(network, executor, counter, accuracy, ann_accuracy, agreement, clipped_inputs, prices)


def _share(true: NDArray[np.bool_]) -> Accuracy:
    return Accuracy(int(true.sum()), len(true))
