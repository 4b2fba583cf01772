"""Rules for operations that differ in a graph network: products with the adjacency, and graph convolution layers.

A graph model is traced with its nodes as the batch, so the general rules apply to layers that work on each node
separately. Operations that mix nodes are aggregations y = A x with a constant sparse A on the left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from loihi_onespike.core.gnn.adjacency import PLAIN, Aggregate, Aggregation, canonical
from loihi_onespike.core.graphs.ann import Linear
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.frontend.gnn.arguments import GraphArguments, graph_arguments
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.rules.linear_rules import linear
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import Advice

GraphRule = Callable[..., Any]
"""rule(site, graph, *args, **kwargs), see `registry.Rule`; module rules get the module after the graph."""

OPERATIONS: dict[str, GraphRule] = {}

AGGREGATION = Advice(
    "products A @ x with one constant sparse matrix (torch.sparse) on the left; GCNConv, SAGEConv, GraphConv, GINConv, "
    "TAGConv, SGConv and ChebConv of torch_geometric",
    "write the layer as adjacency @ (x @ weight), with the normalised adjacency as an argument of the model",
)
POOLING = Advice(
    "sum and mean over the nodes of each graph: global_add_pool, global_mean_pool, x.mean(0, keepdim=True)",
    "pool by sum or mean and train again, with keepdim=True where torch is called directly",
)
ADJACENCY = Advice(
    "the adjacency as the left factor of a product, as it was passed",
    "prepare the adjacency (normalise, transpose, add loops) before it is passed to the model",
)


def graph_rule(*names: str) -> Callable[[GraphRule], GraphRule]:
    """Register a rule that comes before the general ones."""

    def register(f: GraphRule) -> GraphRule:
        OPERATIONS.update(dict.fromkeys(names, f))
        return f

    return register


def is_adjacency(graph: GraphArguments, x: Any) -> bool:
    """Whether `x` is the adjacency of a model without features, for which it is the input."""
    return isinstance(x, Value) and graph.features is None and x.node == "input"


def aggregate(site: Site, matrix: sp.csr_matrix, form: Aggregation | None, x: Value, part: str = "") -> Value:
    """y[m] = Σ_n A[m, n] x[n].

    Args:
        site: operation that is lowered.
        matrix: matrix A, (nodes, nodes), or (graphs, nodes) for a pooling over the nodes of each graph.
        form: how A follows from the adjacency; None for a constant matrix.
        x: input value.
        part: name of the node within the operation.
    """
    if matrix.shape[1] != site.batch:
        raise Refusal(f"{site.display} with a matrix of shape {matrix.shape} on {site.batch} nodes", AGGREGATION)
    return site.emit(Linear(Aggregate(matrix, form)), [x], x.shape, part)


def constant_matrix(site: Site, graph: GraphArguments, tensor: Any) -> tuple[sp.csr_matrix, Aggregation | None]:
    """A constant left factor, and PLAIN where it is the adjacency that was passed.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        tensor: the factor, dense or sparse.
    """
    try:
        if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided:
            matrix = canonical(sp.csr_matrix(tensor.detach().cpu().numpy()))
        else:
            parsed = graph_arguments(tensor).graph
            assert isinstance(parsed, sp.csr_matrix)
            matrix = parsed
    except ConfigurationError as error:
        raise Refusal(f"{site.display}: {error}", AGGREGATION) from None
    passed = graph.graph
    same = isinstance(passed, sp.csr_matrix) and same_matrix(matrix, passed)
    return (passed, PLAIN) if same else (matrix, None)


def same_matrix(a: sp.csr_matrix, b: sp.csr_matrix) -> bool:
    """Equality of canonical matrices."""
    if a.shape != b.shape or a.nnz != b.nnz:
        return False
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in ("indptr", "indices", "data"))


@graph_rule("matmul", "sparse_mm", "spmm", "smm")
def product(site: Site, graph: GraphArguments, input: Any, other: Any) -> Value:
    """Product: A x is an aggregation, x W a layer, and A W, with the adjacency as the input, a layer too.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input: left factor.
        other: right factor.
    """
    if is_adjacency(graph, input) and isinstance(other, Value):
        if is_adjacency(graph, other):
            raise Refusal(f"{site.display} of the adjacency with itself", ADJACENCY)
        assert isinstance(graph.graph, sp.csr_matrix)
        return aggregate(site, graph.graph, PLAIN, other)
    if isinstance(input, Value) and isinstance(other, Value):
        raise Refusal(f"{site.display} of two values that depend on the input", AGGREGATION)
    if isinstance(input, Value):
        if other.ndim != 2 or other.layout != torch.strided:
            raise Refusal(f"{site.display} with weights that are no dense matrix", AGGREGATION)
        return linear(site, input, other.t())
    return aggregate(site, *constant_matrix(site, graph, input), other)


@graph_rule("addmm", "sparse_addmm")
def add_product(
    site: Site, graph: GraphArguments, input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1
) -> Value:
    """y = β · bias + α · (product), with a constant bias.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input: constant bias.
        mat1, mat2: the factors.
        beta, alpha: factors of bias and product.
    """
    if isinstance(input, Value) or alpha != 1:
        raise Refusal(f"{site.display} that adds an activation, or with alpha = {alpha}", AGGREGATION)
    if isinstance(mat1, Value) and not isinstance(mat2, Value):
        return linear(site, mat1, mat2.t(), beta * input)
    out = product(site, graph, mat1, mat2)
    return affine(site, out, 1, site.constant(beta * input, out.shape), "bias")


@graph_rule("coalesce", "to_sparse", "to_sparse_csr", "to_sparse_coo", "float", "to", "detach", "clone", "contiguous")
def same_adjacency(site: Site, graph: GraphArguments, input: Any, *rest: Any, **options: Any) -> Any:
    """Change of layout: the adjacency stays what it is, and everything else is left to the general rules.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input: tensor whose layout changes.
        rest, options: further arguments of the operation.
    """
    return input if is_adjacency(graph, input) else NotImplemented


@graph_rule("mean", "sum")
def over_nodes(
    site: Site, graph: GraphArguments, input: Any, dim: Any = None, keepdim: bool = False, **options: Any
) -> Any:
    """Mean or sum over all nodes, which are one graph; over other axes it is left to the general rules.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input: activation.
        dim: axes; None for all.
        keepdim: whether the axes remain, with length 1.
        options: further arguments of the operation.
    """
    x = site.activation(input)
    rank = len(x.shape) + 1
    axes = dim if isinstance(dim, tuple | list) else (dim,)
    if None not in axes and [axis % rank for axis in axes] != [0]:
        return NotImplemented
    if None in axes or not keepdim:
        raise Refusal(f"{site.display} over the nodes of a graph without keepdim=True", POOLING)
    weight = 1.0 if site.operation == "sum" else 1.0 / site.batch
    return aggregate(site, canonical(np.full((1, site.batch), weight)), None, x)


@graph_rule("max", "amax")
def largest_of_nodes(site: Site, graph: GraphArguments, input: Any, dim: Any = None, *rest: Any, **options: Any) -> Any:
    """Refused over nodes, which share no window; over other axes it is left to the general rules.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input: activation.
        dim: axis, or a second tensor.
        rest, options: further arguments of the operation.
    """
    axis = options.get("axis", dim)
    if isinstance(axis, int) and isinstance(input, Value) and axis % (len(input.shape) + 1) == 0:
        raise Refusal(f"{site.display} over the nodes of a graph", POOLING)
    return NotImplemented


@graph_rule("scatter_add", "index_add", "scatter_reduce")
def pooled(
    site: Site, graph: GraphArguments, input: Any, dim: int, index: Any, src: Any, *rest: Any, **options: Any
) -> Value:
    """y[g] = Σ x[n] over the nodes n of graph g, added to zeros: the pooling of a batch of graphs.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input: zeros, (graphs, …).
        dim: axis of the nodes.
        index: graph of every node, (nodes,), or repeated for every feature.
        src: activation, (nodes, …).
        rest, options: further arguments of the operation.
    """
    if isinstance(input, Value) or isinstance(index, Value) or not isinstance(src, Value) or bool(input.any()):
        raise Refusal(f"{site.display} of anything but one value per node into zeros", POOLING)
    kind = rest[0] if rest else options.get("reduce", "sum")
    index = index.detach().cpu()
    first = index.reshape(index.shape[0], -1)[:, 0]
    same = bool((index.reshape(index.shape[0], -1) == first[:, None]).all())
    if dim % (len(src.shape) + 1) or not same or kind not in ("sum", "mean") or "alpha" in options:
        raise Refusal(f"{site.display} with dim={dim}, reduce={kind!r}", POOLING)
    graphs = first.numpy().astype(np.int64)
    weight = np.ones(len(graphs))
    if kind == "mean":
        count = np.bincount(graphs, minlength=len(input)) + (1 if options.get("include_self", True) else 0)
        weight = 1 / count[graphs]
    matrix = sp.csr_matrix((weight, (graphs, np.arange(len(graphs)))), shape=(len(input), site.batch))
    return aggregate(site, canonical(matrix), None, src)


@graph_rule("mul", "div")
def factor_of_each_node(site: Site, graph: GraphArguments, input: Any, other: Any, **options: Any) -> Any:
    """y[n] = c[n] x[n] with a constant of every node or graph, such as 1 / (number of nodes) behind a sum over them.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        input, other: activation and constant, of which a quotient has the constant last.
        options: further arguments of the operation.
    """
    x, factor = (input, other) if isinstance(input, Value) else (other, input)
    constant = isinstance(x, Value) and isinstance(factor, torch.Tensor) and (x is input or site.operation == "mul")
    if not constant or options or factor.ndim != len(x.shape) + 1 or len(factor) != site.batch:
        return NotImplemented
    rows = factor.detach().cpu().double().reshape(site.batch, -1)
    if bool((rows == rows[0]).all()) or not bool((rows == rows[:, :1]).all()):
        return NotImplemented
    values = rows[:, 0].numpy()
    with np.errstate(divide="ignore"):
        scale = sp.diags(values if site.operation == "mul" else 1 / values, format="csr")
    made = site.builder.linear_map(x)
    if made is not None and isinstance(made[0], Aggregate):  # one product in place of two
        return aggregate(replace(site, batch=made[0].weight.shape[1]), canonical(scale @ made[0].weight), None, made[1])
    return aggregate(site, canonical(scale), None, x)
