"""From a model that is called with a graph to an `AnnGraph` over (nodes, features)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from loihi_onespike.core.encoding import SOFTMAX_AXES, softmax_axis
from loihi_onespike.core.gnn.adjacency import Aggregate
from loihi_onespike.core.graphs.ann import AnnGraph, AnnOp, Concat, Finish, Linear, MaxPool, Node, Reindex
from loihi_onespike.core.graphs.verify_ann import verify_ann
from loihi_onespike.core.maps import Sparse
from loihi_onespike.errors import CalibrationError, Finding, UnsupportedModelError
from loihi_onespike.frontend.gnn.aggregation_rules import ADJACENCY, AGGREGATION, OPERATIONS, is_adjacency
from loihi_onespike.frontend.gnn.arguments import GraphArguments
from loihi_onespike.frontend.gnn.message_passing import PACKAGE, find_layer, has_network, propagated, without_network
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.operation_lowering import lower
from loihi_onespike.frontend.tracing.preserve import preserved
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import Advice
from loihi_onespike.frontend.tracing.trace_result import (
    checked_output,
    run_tracer,
    single_tensor,
    traced_outputs,
    unwrapped,
)
from loihi_onespike.frontend.tracing.tracer import ExampleTracer, Root
from loihi_onespike.frontend.tracing.trees import leaves

NODEWISE = Advice("layers that work on the features of one node at a time", "use Linear layers between aggregations")


def trace_graph(model: nn.Module, arguments: GraphArguments) -> AnnGraph:
    """The graph of what the model computes for one sample, which is all nodes together: shapes (nodes, features).

    Aggregations are `Linear` maps of kind `core.gnn.adjacency.Aggregate`, which tells how their matrix follows from the
    arguments; the input is the features, or the adjacency where there are none.

    Raises:
        UnsupportedModelError: with every operation that has no one-spike form.
        CalibrationError: the model does not run on the arguments.
    """
    model = unwrapped(model)
    name = type(model).__name__
    with preserved(model):
        try:
            expected = single_tensor(name, model(*arguments.values))
        except UnsupportedModelError:
            raise
        except (Exception, SystemExit) as error:  # a forward may raise anything
            raise CalibrationError(
                f"graph: the model does not run on arguments ({', '.join(arguments.roles)}): "
                f"{type(error).__name__}: {error}. Pass them in the order in which the model takes them"
            ) from error
        tracer = GraphTracer(model, arguments)
        run_tracer(name, tracer)
    (output,) = traced_outputs(name, tracer.output)
    graph = lift(tracer.builder.finish(name, [output.value]), arguments.nodes)
    return checked_output(graph, output, expected, "graph")


class _Bound(nn.Module):
    """The model as a function of the one argument that is traced."""

    def __init__(self, model: nn.Module, arguments: GraphArguments) -> None:
        super().__init__()
        self.model, self._arguments = model, arguments

    def forward(self, x: Any) -> Any:
        traced = traced_role(self._arguments)
        pairs = zip(self._arguments.roles, self._arguments.values, strict=True)
        return self.model(*(x if role == traced else value for role, value in pairs))


def traced_role(arguments: GraphArguments) -> str:
    """Role of the argument that the trace follows: the features, or the adjacency where there are none."""
    return "adjacency" if arguments.features is None else "features"


class GraphTracer(ExampleTracer):
    """Traces with the nodes as the batch; rules for graphs come before the general ones."""

    def __init__(self, model: nn.Module, arguments: GraphArguments) -> None:
        by_role = dict(zip(arguments.roles, arguments.values, strict=True))
        super().__init__(model, by_role[traced_role(arguments)])
        self._arguments = arguments

    def run(self) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
            self.trace(Root(_Bound(self._model, self._arguments)))

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m).__module__.startswith(PACKAGE) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """A GINConv is a sum over neighbours, and a network that is traced like the rest of the model."""
        if self._native or not has_network(m):
            return super().call_module(m, forward, args, kwargs)
        return m.get_submodule("nn")(super().call_module(m, without_network(m, forward), args, kwargs))

    def create_proxy(
        self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *rest: Any, **options: Any
    ) -> Any:
        """Sums over nodes that are written into zeros become new tensors, which is what their result is used as."""
        if kind == "call_method" and target in ("scatter_add_", "index_add_", "scatter_reduce_"):
            target = target.removesuffix("_")
        return super().create_proxy(kind, target, args, kwargs, *rest, **options)

    def lower(self, site: Site, module: nn.Module | None) -> Any:
        pairs = zip(leaves((site.args, site.kwargs)), leaves((site.concrete_args, site.concrete_kwargs)), strict=True)
        site.batch = next(len(tensor) for value, tensor in pairs if isinstance(value, Value))  # graphs behind a pooling
        try:
            return self._lower(site, module)
        except Refusal as refusal:
            return refusal

    def _lower(self, site: Site, module: nn.Module | None) -> Any:
        graph = self._arguments
        if module is not None:
            equation = find_layer(module)
            if equation is not None:
                return propagated(site, graph, equation, module)
            if type(module).__module__.startswith(PACKAGE):
                raise Refusal(site.display, AGGREGATION)
            return lower(site, module)
        rule = OPERATIONS.get(site.operation)
        lowered = NotImplemented if rule is None else rule(site, graph, *site.args, **site.kwargs)
        if lowered is not NotImplemented:
            return lowered
        if any(is_adjacency(graph, value) for value in site.values):
            raise Refusal(f"{site.display} of the adjacency", ADJACENCY)
        return lower(site, module)


def lift(graph: AnnGraph, nodes: int) -> AnnGraph:
    """The graph of a single node's value as the graph of all nodes: every shape gets a first axis."""
    findings = [_between_nodes(node) for node in graph.nodes if not _is_nodewise(node.op)]
    if findings:
        raise UnsupportedModelError(findings)
    rows: dict[str, int] = {}  # nodes, or graphs behind a pooling over nodes
    for node in graph.nodes:
        rows[node.name] = rows[node.inputs[0]] if node.inputs else nodes
        if isinstance(node.op, Linear) and isinstance(node.op.op, Aggregate):
            rows[node.name] = node.op.op.weight.shape[0]
    lifted = [replace(n, op=_lift(n.op, n, graph, rows[n.name]), shape=(rows[n.name], *n.shape)) for n in graph.nodes]
    return verify_ann(replace(graph, nodes=tuple(lifted)))


def _is_nodewise(op: AnnOp) -> bool:
    return not isinstance(op, MaxPool) and not (isinstance(op, Linear) and not op.op.takes_leading_axis)


def _lift(op: AnnOp, node: Node, graph: AnnGraph, nodes: int) -> AnnOp:
    if isinstance(op, Linear) and isinstance(op.op, Aggregate) and len(set(op.op.weight.shape)) > 1:
        return replace(op, op=Sparse(op.op.weight))  # a pooling: from nodes to graphs
    if isinstance(op, Concat):
        return Concat(op.axis % len(node.shape) + 1)
    if isinstance(op, Finish) and (axis := softmax_axis(op.kind)) is not None and axis != -1:
        endings = {number: ending for ending, number in SOFTMAX_AXES.items()}
        name = "log_softmax" if op.kind.startswith("log_") else "softmax"
        return Finish(name + endings[-1 if axis == len(node.shape) else axis + 1])
    if isinstance(op, Reindex):
        size = int(np.prod(graph.by_name[node.inputs[0]].shape))
        first = np.arange(nodes, dtype=np.int64).reshape(-1, *(1,) * op.index.ndim) * size
        return Reindex(np.where(op.index < 0, -1, first + op.index).astype(np.int32))
    return op


def _between_nodes(node: Node) -> Finding:
    kind = type(node.op.op).__name__ if isinstance(node.op, Linear) else "max pooling"
    return Finding(node.name, f"{kind} over the features of a node", node.source, *NODEWISE.texts)
