"""`evaluate` on one graph: its nodes are the labelled samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.trace import Trace
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
) -> Evaluation:
    """Accuracy and agreement over the masked nodes; spikes, operations and α of the whole graph, which is one sample.

    Args:
        network: what was run.
        executor: name of the executor that ran it.
        trace: of the graph, output (1, nodes, classes).
        y: class labels (nodes,).
        mask: nodes that count for accuracy and agreement, boolean (nodes,); None for all.
        answer: returns the output of the ANN (nodes, classes); None without an ANN.

    Raises:
        ConfigurationError: labels or mask are not one per node.
    """
    output = trace.output[0]
    labels = _per_node("y", y, len(output))
    chosen = _per_node("mask", np.ones(len(output), bool) if mask is None else mask, len(output))
    if chosen.dtype != bool:
        raise ConfigurationError(f"mask: must be boolean, one per node, got type {chosen.dtype}")
    counter = SpikeCounter(network)
    counter.add(trace.layers)
    classes, truth = output.argmax(axis=1)[chosen], labels[chosen]
    ann_accuracy = agreement = None
    if answer is not None:
        ann_classes = answer().argmax(axis=1)[chosen]
        ann_accuracy, agreement = _share(ann_classes == truth), _share(ann_classes == classes)
    return Evaluation.of(network, executor, counter, _share(classes == truth), ann_accuracy, agreement)


def _share(true: NDArray[np.bool_]) -> Accuracy:
    return Accuracy(int(true.sum()), len(true))


def _per_node(name: str, values: Any, nodes: int) -> Any:
    array = values.cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.shape != (nodes,):
        raise ConfigurationError(f"{name}: must have shape ({nodes},), one entry per node, got {array.shape}")
    return array
