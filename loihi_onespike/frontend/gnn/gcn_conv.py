"""torch_geometric's GCNConv, by its name and its attributes; the package itself is never imported.

y = A' (x W^T) + b,   A' = D^-1/2 (A + loops) D^-1/2
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn

from loihi_onespike.core.gnn.adjacency import Aggregation, Edges, canonical, fingerprint
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.frontend.gnn.aggregation_rules import AGGREGATION, aggregate, constant_matrix
from loihi_onespike.frontend.gnn.arguments import GraphArguments, graph_arguments
from loihi_onespike.frontend.rules.elementwise_rules import affine
from loihi_onespike.frontend.rules.linear_rules import linear
from loihi_onespike.frontend.tracing.builder import Value
from loihi_onespike.frontend.tracing.registry import module_rule
from loihi_onespike.frontend.tracing.site import Refusal, Site
from loihi_onespike.frontend.tracing.support import Advice

GCN_CONV = "torch_geometric.nn.conv.gcn_conv.GCNConv"
OUTSIDE = Advice(
    "GCNConv in a model that is called with its graph",
    "make the edges an argument of the model, and convert it with (features, edge_index)",
)


@module_rule(GCN_CONV)
def outside_a_graph(site: Site, module: nn.Module, *_: Any, **__: Any) -> NoReturn:
    """With edges kept inside the model, nodes are a batch of samples, which no layer may mix."""
    raise Refusal(f"{site.display} in a model that is not called with a graph", OUTSIDE)


def gcn_conv(site: Site, graph: GraphArguments, module: Any, x: Any, edge_index: Any, edge_weight: Any = None) -> Value:
    """The layer as a linear map, an aggregation and a bias.

    Args:
        site: operation that is lowered.
        graph: arguments of the graph network.
        module: the layer.
        x: input value.
        edge_index, edge_weight: edges as the layer takes them.
    """
    if isinstance(edge_index, Value) or isinstance(edge_weight, Value) or not isinstance(x, Value):
        raise Refusal(f"{site.display} on edges that depend on the input", AGGREGATION)
    if getattr(module, "flow", "source_to_target") != "source_to_target":
        raise Refusal(f"{site.display} with flow={module.flow}", Advice("flow='source_to_target'", "swap the edges"))
    if getattr(module, "aggr", "add") not in ("add", "sum"):
        raise Refusal(f"{site.display} with aggr={module.aggr}", Advice("aggr='add'", "use sums and train again"))
    projected = linear(_part(site, "lin"), x, module.lin.weight, getattr(module.lin, "bias", None))
    matrix, form = _matrix(site, graph, module, edge_index, edge_weight)
    bias = getattr(module, "bias", None)
    out = aggregate(site, matrix, form, projected, "" if bias is None else "aggregate")
    return out if bias is None else affine(site, out, 1, site.constant(bias, out.shape))


def _part(site: Site, part: str) -> Site:
    """The same call under the name of a submodule."""
    return replace(site, name=f"{site.name}.{part}")


def _matrix(site: Site, graph: GraphArguments, module: Any, edge_index: Any, edge_weight: Any) -> Any:
    """A' of the layer, and how it follows from the arguments (None where the layer has edges of its own)."""
    given: Any
    if edge_index.layout != torch.strided:
        given, _ = constant_matrix(site, graph, edge_index)
        loops = [2.0 if module.improved else 1.0]
    else:
        parts = (torch.zeros(site.batch, 1), edge_index) + (() if edge_weight is None else (edge_weight,))
        try:
            given = graph_arguments(parts).graph
        except ConfigurationError as error:
            raise Refusal(f"{site.display}: {error}", AGGREGATION) from None
        loops = [2.0, 1.0] if module.improved else [1.0]  # without weights, some releases ignore `improved`
    if not module.normalize:
        forms = [Aggregation()]
    elif not module.add_self_loops:
        forms = [Aggregation(normalize=True)]
    else:
        forms = [Aggregation(normalize=True, loops=fill) for fill in loops]
    try:
        matrices = [canonical(form.matrix(given)) for form in forms]
    except ConfigurationError as error:
        raise Refusal(f"{site.display}: {error}", AGGREGATION) from None
    chosen = 0 if len(forms) == 1 else _closest(site, module, matrices)
    passed = isinstance(given, Edges) == isinstance(graph.graph, Edges) and fingerprint(given) == fingerprint(
        graph.graph
    )
    return matrices[chosen], forms[chosen] if passed else None


def _closest(site: Site, module: Any, matrices: list[Any]) -> int:
    """Which matrix computes what the layer computes."""
    x = site.concrete_args[0].detach().cpu().numpy().astype(np.float64)
    expected = site.run(*site.concrete_args, **site.concrete_kwargs).detach().cpu().numpy()
    bias = 0.0 if module.bias is None else module.bias.detach().cpu().numpy()
    projected = x @ module.lin.weight.detach().cpu().numpy().astype(np.float64).T
    errors = [float(np.abs(matrix @ projected + bias - expected).max()) for matrix in matrices]
    return int(np.argmin(errors))
