"""`convert` for models that are called with a graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.calibrate import plan
from loihi_onespike.conversion.calibration.input_code import recode_mixed_input
from loihi_onespike.conversion.lowering.aggregate_first import aggregate_first
from loihi_onespike.conversion.lowering.check_lowering import compare_outputs
from loihi_onespike.conversion.lowering.gnn_input import (
    aggregate_on_host,
    count_stored,
    macs_as_written,
    plain_sparse,
    plan_graph_input,
)
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.options import Options
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.stage import InputStage, StageGraph
from loihi_onespike.errors import Finding, UnsupportedModelError
from loihi_onespike.executors.float.float_executor import FloatExecutor
from loihi_onespike.frontend.ann_output import call_model
from loihi_onespike.frontend.gnn.aggregation_rules import ADJACENCY
from loihi_onespike.frontend.gnn.arguments import GraphArguments, graph_arguments
from loihi_onespike.frontend.gnn.gnn_importer import trace_graph
from loihi_onespike.frontend.gnn.input_form import InputForm


def convert_graph(
    model: torch.nn.Module, x: object, options: Options, progress: Callable[[str, int, int], None]
) -> tuple[Network, StageGraph]:
    """The integer network and its stages; the graph given is what calibrates them.

    Args:
        x: adjacency, or tuple of arguments, as the model takes them.
        options: of the conversion.
        progress: called as progress(what, done, of).

    Raises: as `convert`, and ConfigurationError when the arguments are no graph.
    """
    arguments = graph_arguments(x)
    stages, form, sample, written = lower_graph(model, arguments)
    check_graph_lowering(stages, model, arguments, sample)
    stages = plan_graph_input(stages, sample, options.code_of_input)
    stages = plan(stages, [sample], options.request, progress)
    assert stages.input_plan is not None
    network = quantize(
        stages, encode_values(stages.input_plan, sample), options.weight_bits, progress, graph_layers=True
    )
    facts = {**network.facts, "graph": {**form.to_facts(), "ann_macs_as_written": written}}
    return replace(network, facts=facts), stages


def lower_graph(
    model: torch.nn.Module, arguments: GraphArguments
) -> tuple[StageGraph, InputForm, NDArray[np.floating] | SparseSample, int]:
    """Stages, how the input follows from the arguments, its value for these, and the MACs of the model as written."""
    traced = trace_graph(model, arguments)
    alone = arguments.features is None
    keep = frozenset({traced.nodes[0].name}) if alone else frozenset()
    graph, swaps = aggregate_first(traced, keep)
    form, folds = InputForm.of(arguments), tuple[str, ...]()
    if not alone:
        graph, aggregation, hops, folds = aggregate_on_host(graph)
        form = InputForm.of(arguments, aggregation, hops)
    sample = form.values(arguments)
    sparse = isinstance(sample, SparseSample)
    written = macs_as_written(traced, _stored(arguments) if sparse else None)
    graph = plain_sparse(count_stored(graph, sample))
    stages = lower(graph, (*graph.rewrites, *swaps, *folds))
    if sparse:
        _refuse_mixed(stages)
    return recode_mixed_input(stages), form, sample, written


def _stored(arguments: GraphArguments) -> int:
    """Non-zeros of what the model itself multiplies with its first weights."""
    if arguments.features is None:
        return InputForm.of(arguments).values(arguments).nonzeros  # type: ignore[union-attr]
    return int(np.count_nonzero(arguments.features))


def _refuse_mixed(stages: StageGraph) -> None:
    """A sparse input cannot be sent again by one-spike neurons, of which there would be nodes² or so."""
    name = stages.input.name
    findings = []
    for stage in stages.stages:
        if not isinstance(stage, InputStage) and {link.pre for link in stage.links} > {name}:
            found = "a sum of the sparse input with other values"
            findings.append(Finding(stage.name, found, stage.source, *ADJACENCY.texts))
    if findings:
        raise UnsupportedModelError(findings)


def check_graph_lowering(
    stages: StageGraph, model: torch.nn.Module, arguments: GraphArguments, sample: NDArray[np.floating] | SparseSample
) -> None:
    """Compare the ANN with the stages that were made of it; raises GraphError when they do not compute the same."""
    found = FloatExecutor(stages, coded=False).run(sample)
    compare_outputs(stages.name, graph_output(model, arguments), found[0])


def graph_output(model: torch.nn.Module, arguments: GraphArguments) -> NDArray[np.float64]:
    """Output of the ANN, (nodes, …), in eval mode."""
    return call_model(model, *arguments.values)
