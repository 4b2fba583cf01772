"""`evaluate` on one graph: its nodes are the labelled samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.gnn import graph_output
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation.evaluation import Accuracy, Evaluation
from loihi_onespike.evaluation.spike_counter import SpikeCounter
from loihi_onespike.frontend.gnn.arguments import graph_arguments

if TYPE_CHECKING:
    from loihi_onespike.api import Executor, OneSpikeNetwork


def evaluate_graph(
    net: OneSpikeNetwork, x: Any, y: Any, executor: Executor, ann: torch.nn.Module | None, mask: Any
) -> Evaluation:
    """Accuracy and agreement over the masked nodes; spikes, operations and α of the whole graph, which is one sample.

    Raises ConfigurationError when labels or mask are not one per node.
    """
    trace = net.trace(x, executor)
    output = trace.output[0]
    labels = _per_node("y", y, len(output))
    chosen = _per_node("mask", np.ones(len(output), bool) if mask is None else mask, len(output))
    if chosen.dtype != bool:
        raise ConfigurationError(f"mask: found values of type {chosen.dtype}, supported booleans, one per node")
    counter = SpikeCounter(net.network)
    counter.add(trace.layers)
    classes, truth = output.argmax(axis=1)[chosen], labels[chosen]
    ann_accuracy = agreement = None
    if ann is not None:
        ann_classes = graph_output(ann, graph_arguments(x)).argmax(axis=1)[chosen]
        ann_accuracy, agreement = _share(ann_classes == truth), _share(ann_classes == classes)
    return Evaluation.of(net.network, executor, counter, _share(classes == truth), ann_accuracy, agreement)


def _share(true: NDArray[np.bool_]) -> Accuracy:
    return Accuracy(int(true.sum()), len(true))


def _per_node(name: str, values: Any, nodes: int) -> Any:
    array = values.cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.shape != (nodes,):
        raise ConfigurationError(f"{name}: found shape {array.shape}, supported one entry for each of {nodes} nodes")
    return array
