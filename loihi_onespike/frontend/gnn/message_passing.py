"""Layers of torch_geometric, by their names and attributes; the package itself is never imported.

    GCNConv     y = A (x W^T) + b
    SAGEConv    y = W_l (A x) + W_r x + b
    GraphConv   y = W_1 (A x) + W_2 x + b
    GINConv     y = f(A x + (1 + ε) x)
    TAGConv     y = Σ_k W_k A^k x + b
    SGConv      y = W A^K x + b
    ChebConv    y = Σ_k W_k T_k(A) x + b,   T_0 = 1, T_1 = A, T_k = 2 A T_k-1 - T_k-2

A is what one call of the layer's own `propagate` multiplies with: normalisation, loops, mean or sum are the layer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import scipy.sparse as sp
import torch
from torch import nn

from loihi_onespike.core.activations import RELU
from loihi_onespike.core.gnn.adjacency import PLAIN, Aggregation, Edges, canonical
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.frontend.gnn.aggregation_rules import AGGREGATION, aggregate, constant_matrix
from loihi_onespike.frontend.gnn.arguments import GraphArguments, graph_arguments
from loihi_onespike.frontend.rules.activation_rules import activate
from loihi_onespike.frontend.rules.elementwise_rules import affine, sum_of
from loihi_onespike.frontend.rules.linear_rules import linear
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.registry import module_rule
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import Advice

PACKAGE = "torch_geometric.nn.conv."
OUTSIDE = Advice(
    "layers of torch_geometric in a model that is called with its graph",
    "make the edges an argument of the model, and convert it with (features, edge_index)",
)
SUMS = Advice(
    "aggregation by sum or mean over the neighbours of a node, with weights that do not depend on the input",
    "use aggr='add' or aggr='mean' and train again",
)
NORMALIZED = Advice("outputs that are not normalised", "set normalize=False and train again")
FORMS = (PLAIN, Aggregation(normalize=True), *(Aggregation(normalize=True, loops=fill) for fill in (1.0, 2.0)))
"""Matrices that follow from the arguments, which the host can multiply features with."""
ROUNDING = 1e-4
"""Largest difference between what a layer propagates and the product with its matrix, relative to the largest value."""


@dataclass(frozen=True, eq=False)
class Hop:
    """The product with the matrix A of a layer, as often as the layer takes it.

    Attributes:
        site: call of the layer.
        matrix: A.
        form: how A follows from the arguments of the model; None where it is the layer's own.
    """

    site: Site
    matrix: sp.csr_matrix
    form: Aggregation | None

    def __call__(self, x: Value, part: str = "aggregate") -> Value:
        return aggregate(self.site, self.matrix, self.form, x, part)


Layer = Callable[[Site, Any, Value, Hop], Value]
"""equation(site, module, x, hop): the layer at `site` on the value x; `hop` multiplies with its matrix A."""
LAYERS: dict[str, Layer] = {}


def layer(name: str) -> Callable[[Layer], Layer]:
    """Register the equation of a layer, and its refusal where edges are kept inside the model.

    Args:
        name: module and class below `torch_geometric.nn.conv`.
    """

    def register(f: Layer) -> Layer:
        LAYERS[PACKAGE + name] = f
        module_rule(PACKAGE + name)(_outside)
        return f

    return register


def _outside(site: Site, module: nn.Module, *_: Any, **__: Any) -> NoReturn:
    """With edges kept inside the model, nodes are a batch of samples, which no layer may mix."""
    raise Refusal(f"{site.display} in a model that is not called with a graph", OUTSIDE)


def find_layer(module: nn.Module) -> Layer | None:
    """The equation of a layer, by its class or a base class whose `forward` it has not overridden."""
    for cls in type(module).__mro__:
        found = LAYERS.get(f"{cls.__module__}.{cls.__qualname__}")
        if found is not None and getattr(type(module), "forward", None) is getattr(cls, "forward", None):
            return found
    return None


def has_network(module: nn.Module) -> bool:
    """Whether a layer is a sum over neighbours and a network of the user's, which is traced: GINConv."""
    return find_layer(module) is _gin_sum and isinstance(module._modules.get("nn"), nn.Module)


def propagated(site: Site, graph: GraphArguments, equation: Layer, module: Any) -> Value:
    """The layer as linear maps, aggregations and a bias.

    Args:
        site: call of the layer.
        graph: arguments of the graph network.
        equation: what the layer computes.
        module: the layer.
    """
    x, *rest = (*site.args, *site.kwargs.values())
    if not isinstance(x, Value) or any(isinstance(value, Value) for value in rest):
        raise Refusal(f"{site.display} of anything but one value per node, and constant edges", AGGREGATION)
    return equation(site, module, x, Hop(site, *_matrix(site, graph, module)))


@layer("gcn_conv.GCNConv")
def _gcn_conv(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """y = A (x W^T) + b."""
    projected = _linear(site, module, "lin", x)
    return _biased(site, module, hop(projected, "" if module.bias is None else "aggregate"))


@layer("sage_conv.SAGEConv")
def _sage_conv(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """y = W_l (A x') + W_r x, x' = relu(W x) with project=True, else x."""
    if module.normalize:
        raise Refusal(f"{site.display} with normalize=True", NORMALIZED)
    seen = activate(_part(site, "lin.relu"), _linear(site, module, "lin", x), RELU) if module.project else x
    aggregated = _linear(site, module, "lin_l", hop(seen))
    return sum_of(site, aggregated, _linear(site, module, "lin_r", x)) if module.root_weight else aggregated


@layer("graph_conv.GraphConv")
def _graph_conv(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """y = W_1 (A x) + W_2 x."""
    return sum_of(site, _linear(site, module, "lin_rel", hop(x)), _linear(site, module, "lin_root", x))


@layer("gin_conv.GINConv")
def _gin_sum(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """A x + (1 + ε) x, which the network f of the layer reads."""
    own = sp.identity(hop.matrix.shape[0], np.float32, format="csr") * (1 + float(module.eps))
    return aggregate(site, canonical(hop.matrix + own), None, x)


@layer("tag_conv.TAGConv")
def _tag_conv(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """y = Σ_k W_k A^k x + b."""
    total = _linear(site, module, "lins.0", x)
    for k in range(1, len(module.lins)):
        x = hop(x, f"hop{k}")
        total = sum_of(site, total, _linear(site, module, f"lins.{k}", x), f"sum{k}")
    return _biased(site, module, total)


@layer("sg_conv.SGConv")
def _sg_conv(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """y = W A^K x + b."""
    for k in range(module.K):
        x = hop(x, f"hop{k + 1}")
    return _linear(site, module, "lin", x)


@layer("cheb_conv.ChebConv")
def _cheb_conv(site: Site, module: Any, x: Value, hop: Hop) -> Value:
    """y = Σ_k W_k T_k x + b, with Chebyshev polynomials T_k of A as matrices."""
    total = _linear(site, module, "lins.0", x)
    before, last = sp.identity(hop.matrix.shape[0], np.float64, format="csr"), hop.matrix.astype(np.float64)
    for k in range(1, len(module.lins)):
        seen = aggregate(site, canonical(last), hop.form if k == 1 else None, x, f"polynomial{k}")
        total = sum_of(site, total, _linear(site, module, f"lins.{k}", seen), f"sum{k}")
        before, last = last, 2 * hop.matrix @ last - before
    return _biased(site, module, total)


def without_network(module: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
    """`forward` of a GINConv without its network f: the sum that f reads.

    Args:
        module: the layer.
        forward: its forward.
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        network, module._modules["nn"] = module._modules["nn"], nn.Identity()
        try:
            return forward(*args, **kwargs)
        finally:
            module._modules["nn"] = network

    return run


def _part(site: Site, part: str) -> Site:
    """The same call under the name of a submodule."""
    return replace(site, name=f"{site.name}.{part}")


def _linear(site: Site, module: Any, name: str, x: Value) -> Value:
    inner = module.get_submodule(name)
    return linear(_part(site, name), x, inner.weight, getattr(inner, "bias", None))


def _biased(site: Site, module: Any, x: Value) -> Value:
    bias = getattr(module, "bias", None)
    return x if bias is None else affine(site, x, 1, site.constant(bias, x.shape))


def _matrix(site: Site, graph: GraphArguments, module: Any) -> tuple[sp.csr_matrix, Aggregation | None]:
    """A of the layer, and how it follows from the arguments (None where the layer has edges or a norm of its own)."""
    with _recorded(module) as calls:
        site.run(*site.concrete_args, **site.concrete_kwargs)
    matrix: sp.csr_matrix | None = None
    for edges, arguments, result in calls:
        found = _aggregation(site, graph, module, edges, arguments)
        x = arguments["x"][0] if isinstance(arguments["x"], tuple | list) else arguments["x"]
        values, expected = (t.detach().cpu().numpy().astype(np.float64) for t in (x, result))
        limit = ROUNDING * max(np.abs(expected).max(initial=0.0), 1e-6)
        if values.shape != expected.shape or np.abs(found @ values - expected).max(initial=0.0) > limit:
            raise Refusal(f"{site.display} with aggr={getattr(module, 'aggr', None)}", SUMS)
        if matrix is not None and abs(found - matrix).max() > 0:
            raise Refusal(f"{site.display} with another matrix in every hop", AGGREGATION)
        matrix = found
    if matrix is None:  # of no hops, such as ChebConv(K=1)
        matrix = sp.identity(site.batch, np.float32, format="csr")
    for form in FORMS:
        known = _known(form, graph)
        if known is not None and known.shape == matrix.shape and abs(known - matrix).max() <= 1e-6 * abs(known).max():
            return known, form
    return matrix, None


def _known(form: Aggregation, graph: GraphArguments) -> sp.csr_matrix | None:
    try:
        return canonical(form.matrix(graph.graph))
    except ConfigurationError:  # weights that add up to less than zero
        return None


@contextmanager
def _recorded(module: Any) -> Iterator[list[tuple[Any, dict[str, Any], torch.Tensor]]]:
    """Calls of `propagate` while the layer runs: edges, arguments and result."""
    calls: list[tuple[Any, dict[str, Any], torch.Tensor]] = []
    original, cache = module.propagate, getattr(module, "_cached_x", None)

    def propagate(edge_index: Any, **arguments: Any) -> torch.Tensor:
        result = original(edge_index, **arguments)
        calls.append((edge_index, arguments, result))
        return result

    module.__dict__["propagate"] = propagate
    if cache is not None:  # what SGConv(cached=True) keeps of an earlier call
        module._cached_x = None
    try:
        yield calls
    finally:
        del module.__dict__["propagate"]
        if cache is not None:
            module._cached_x = cache


def _aggregation(
    site: Site, graph: GraphArguments, module: Any, edges: Any, arguments: dict[str, Any]
) -> sp.csr_matrix:
    """The matrix of one call of `propagate`: weights of the edges, divided by their number for the mean."""
    weight = next((arguments[name] for name in ("edge_weight", "norm") if arguments.get(name) is not None), None)
    if edges.layout != torch.strided:
        matrix, _ = constant_matrix(site, graph, edges)
        counted: Edges | sp.csr_matrix = matrix
    else:
        if getattr(module, "flow", "source_to_target") != "source_to_target":
            edges = edges.flip(0)
        parts = (torch.zeros(site.batch, 1), edges) + (() if weight is None else (weight,))
        try:
            counted = graph_arguments(parts).graph
            assert isinstance(counted, Edges)
            matrix = counted.matrix()
        except ConfigurationError as error:
            raise Refusal(f"{site.display}: {error}", AGGREGATION) from None
    if getattr(module, "aggr", "add") != "mean":
        return matrix
    if isinstance(counted, Edges):
        count = np.bincount(counted.target, minlength=counted.nodes)
    else:
        count = np.diff(counted.indptr)
    return canonical(sp.diags(1 / np.maximum(count, 1)) @ matrix)
