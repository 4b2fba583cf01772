"""The steps of a conversion in which batches of samples and one graph differ: one interface, and a class for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.input_code import plan_graph_input, plan_input
from loihi_onespike.conversion.codes_of_options import InputCode
from loihi_onespike.conversion.lowering.aggregate_first import aggregate_first
from loihi_onespike.conversion.lowering.host_aggregation import (
    aggregate_on_host,
    count_stored,
    macs_as_written,
    plain_sparse,
)
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.conversion.lowering.recode_mixed_input import reads_beside_others
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.core.graphs.input_parts import InputParts
from loihi_onespike.core.graphs.stage import InputStage, StageGraph
from loihi_onespike.errors import Finding, UnsupportedModelError
from loihi_onespike.frontend import trace
from loihi_onespike.frontend.ann_output import TRACED_SAMPLES, ann_output, call_model, traced_sample
from loihi_onespike.frontend.gnn.aggregation_rules import ADJACENCY
from loihi_onespike.frontend.gnn.arguments import GraphArguments, graph_arguments
from loihi_onespike.frontend.gnn.gnn_importer import trace_graph
from loihi_onespike.frontend.gnn.input_form import InputForm
from loihi_onespike.frontend.tracing.joined_inputs import JoinedInputs

Batch: TypeAlias = NDArray[np.floating] | SparseSample
"""Inputs (n, *shape) of the network, or the one sparse sample of a graph."""


class ConversionSource(Protocol):
    """A model that has been traced on the data that calibrates it.

    Implemented by `BatchSource` (samples that are independent of each other) and `GraphSource` (one graph, whose
    nodes are the samples).
    """

    @property
    def graph(self) -> AnnGraph:
        """The traced model, rewritten so that the values of populations are not negative wherever possible."""

    @property
    def batches(self) -> Sequence[Batch]:
        """Calibration data as the input of the network takes it."""

    @property
    def is_graph(self) -> bool:
        """Whether the populations have the shape (nodes, features) of one graph."""

    @property
    def facts(self) -> Mapping[str, object]:
        """Entries of the record in the network file that only this kind of source has."""

    def refuse_unsupported(self, stages: StageGraph) -> None:
        """Raise UnsupportedModelError if spikes of this input cannot reach all stages that read it."""

    def sample_and_output(self) -> tuple[Batch, NDArray[np.float64]]:
        """A few inputs of the network, and what the model computes from them, with the axis of samples."""

    def plan_input(self, stages: StageGraph, code: InputCode) -> StageGraph:
        """Attach code, range and offset of the input to the stages.

        Args:
            stages: lowered stages.
            code: code that the options ask for.
        """

    def headroom_sample(self, stages: StageGraph) -> Batch:
        """Inputs that run through the integer network to measure its head-room."""


HEADROOM_IMAGES = (4, 64)
"""Fewest and most calibration images that run through the integer network to measure its head-room."""
HEADROOM_NEURONS = 2**24
"""Neurons of all these images together up to which more images are taken, so that large networks take no longer."""


@dataclass(frozen=True, eq=False)
class BatchSource:
    """A model traced on the first samples; implements `ConversionSource`.

    Attributes:
        model: the trained network.
        batches: arrays (n, *shape) from `calibration_batches`.
        graph: the traced model, max pooling moved behind the ReLU that it commutes with.
        is_graph: False.
    """

    model: torch.nn.Module
    batches: Sequence[NDArray[np.floating]]
    graph: AnnGraph
    is_graph: bool = field(default=False, init=False)

    @property
    def facts(self) -> Mapping[str, object]:
        """The structure of several outputs, and the shapes of several inputs; nothing for one."""
        found = {} if self.parts is None else {"inputs": self.parts.to_facts()}
        return found if self.graph.form is None else {**found, "outputs": self.graph.form.to_facts()}

    @property
    def parts(self) -> InputParts | None:
        """Inputs of a model with several; None for one."""
        return self.model.parts if isinstance(self.model, JoinedInputs) else None

    @classmethod
    def of(cls, model: torch.nn.Module, batches: Sequence[NDArray[np.floating]]) -> BatchSource:
        """Trace the model; raises UnsupportedModelError with every operation that has no one-spike form."""
        graph, rewrites = pool_last(trace(model, traced_sample(model, batches[0])))
        return cls(model, batches, replace(graph, rewrites=rewrites))

    def refuse_unsupported(self, stages: StageGraph) -> None:
        """Nothing is refused, since every dense input can be sent."""

    def sample_and_output(self) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """The first samples and what the model computes from them."""
        x = self.batches[0][:TRACED_SAMPLES]
        return x, ann_output(self.model, x, self.graph.form)

    def plan_input(self, stages: StageGraph, code: InputCode) -> StageGraph:
        """Attach code, range and offset of the input to the stages, see `plan_input`."""
        return plan_input(stages, self.batches, code, self.parts)

    def headroom_sample(self, stages: StageGraph) -> NDArray[np.floating]:
        """As many calibration images as the size of the network allows."""
        neurons = sum(int(np.prod(stage.shape)) for stage in stages.hidden)
        return np.concatenate(self.batches)[: int(np.clip(HEADROOM_NEURONS // neurons, *HEADROOM_IMAGES))]


@dataclass(frozen=True, eq=False)
class GraphSource:
    """A model traced on a graph; implements `ConversionSource`.

    Attributes:
        model: the trained network.
        arguments: arguments of the model.
        graph: the traced model, aggregation first: A (x W) = (A x) W.
        form: how the input of the network follows from the arguments.
        sample: input of the network for these arguments: (1, nodes, features), or a sparse sample.
        written_macs: multiply-accumulates of the model in its own order.
        is_graph: True.
    """

    model: torch.nn.Module
    arguments: GraphArguments
    graph: AnnGraph
    form: InputForm
    sample: NDArray[np.floating] | SparseSample
    written_macs: int
    is_graph: bool = field(default=True, init=False)

    @classmethod
    def of(cls, model: torch.nn.Module, x: object) -> GraphSource:
        """Trace the model and take out what the host computes.

        Args:
            model: the trained network.
            x: adjacency, or tuple of arguments, as the model takes them.

        Raises:
            ConfigurationError: arguments that are no graph.
            UnsupportedModelError: operations that have no one-spike form.
        """
        arguments = graph_arguments(x)
        traced = trace_graph(model, arguments)
        alone = arguments.features is None
        keep = frozenset({traced.nodes[0].name}) if alone else frozenset()
        graph, swaps = aggregate_first(traced, keep)
        form, folds = InputForm.of(arguments), tuple[str, ...]()
        if not alone:
            graph, aggregation, hops, folds = aggregate_on_host(graph)
            form = InputForm.of(arguments, aggregation, hops)
        sample = form.values(arguments)
        written = macs_as_written(traced, _stored(arguments) if isinstance(sample, SparseSample) else None)
        graph = plain_sparse(count_stored(graph, sample))
        return cls(model, arguments, replace(graph, rewrites=(*graph.rewrites, *swaps, *folds)), form, sample, written)

    @property
    def batches(self) -> Sequence[NDArray[np.floating] | SparseSample]:
        """The one sample."""
        return [self.sample]

    @property
    def facts(self) -> Mapping[str, object]:
        """How the input follows from the arguments of the model, and the MACs of the model as it was written."""
        return {"graph": {**self.form.to_facts(), "ann_macs_as_written": self.written_macs}}

    def refuse_unsupported(self, stages: StageGraph) -> None:
        """Raise UnsupportedModelError where a sparse input is added to other values.

        One-spike neurons would have to send it again, and there would be about nodes² of them.
        """
        if not isinstance(self.sample, SparseSample):
            return
        name = stages.input.name
        findings = []
        for stage in stages.stages:
            if not isinstance(stage, InputStage) and reads_beside_others(stage, name):
                found = "a sum of the sparse input with other values"
                findings.append(Finding(stage.name, found, stage.source, *ADJACENCY.texts))
        if findings:
            raise UnsupportedModelError(findings)

    def sample_and_output(self) -> tuple[NDArray[np.floating] | SparseSample, NDArray[np.float64]]:
        """The graph and what the model computes from it, (1, nodes, …)."""
        return self.sample, call_model(self.model, *self.arguments.values)[None]

    def plan_input(self, stages: StageGraph, code: InputCode) -> StageGraph:
        """Attach code, range and offset of the input to the stages, see `plan_graph_input`."""
        return plan_graph_input(stages, self.sample, code)

    def headroom_sample(self, stages: StageGraph) -> NDArray[np.floating] | SparseSample:
        """The graph."""
        return self.sample


def _stored(arguments: GraphArguments) -> int:
    """Non-zeros of what the model itself multiplies with its first weights."""
    if arguments.features is None:
        return InputForm.of(arguments).values(arguments).nonzeros  # type: ignore[union-attr]
    return int(np.count_nonzero(arguments.features))
