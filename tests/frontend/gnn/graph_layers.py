"""Stand-ins for layers of torch_geometric, written out edge by edge under the names of that package."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class _Layer(nn.Module):
    """Sums or means over the edges onto a node, as `MessagePassing` computes them."""

    def __init__(self, aggr: str = "add") -> None:
        super().__init__()
        self.aggr, self.flow = aggr, "source_to_target"

    def propagate(self, edge_index: torch.Tensor, x: Any, edge_weight: torch.Tensor | None = None) -> torch.Tensor:
        source, target = edge_index if self.flow == "source_to_target" else edge_index.flip(0)
        weight = torch.ones(source.shape) if edge_weight is None else edge_weight
        out = torch.zeros(len(x), x.shape[1]).index_add(0, target, weight[:, None] * x[source])
        if self.aggr == "mean":
            count = torch.zeros(len(x)).index_add(0, target, torch.ones(source.shape))
            out = out / count.clamp(min=1)[:, None]
        if self.aggr == "max":
            out = torch.full(out.shape, -torch.inf).index_reduce(0, target, x[source], "amax")
            out = torch.where(out.isinf(), 0.0, out)
        return out


class GCNConv(_Layer):
    """y = A (x W^T) + b, A = D^-1/2 (A + loops) D^-1/2 (Kipf and Welling, ICLR 2017)."""

    def __init__(self, inputs, outputs, improved=False, add_self_loops=None, normalize=True, bias=True):
        super().__init__()
        self.improved, self.normalize = improved, normalize
        self.add_self_loops = normalize if add_self_loops is None else add_self_loops
        self.lin = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.randn(outputs)) if bias else None

    def forward(self, x, edge_index, edge_weight=None):
        if self.normalize:
            fill = (2.0 if self.improved else 1.0) if self.add_self_loops else None
            edge_index, edge_weight = normalized(edge_index, edge_weight, len(x), fill)
        out = self.propagate(edge_index, x=self.lin(x), edge_weight=edge_weight)
        return out if self.bias is None else out + self.bias


def normalized(edge_index, edge_weight, nodes, fill):
    """D^-1/2 (A + loops) D^-1/2 as edges; no loops are added where fill is None."""
    source, target = edge_index
    weight = torch.ones(source.shape) if edge_weight is None else edge_weight
    if fill is not None:
        loop = source == target
        own = torch.full((nodes,), fill)
        own[source[loop]] = weight[loop]
        every = torch.arange(nodes)
        source, target = torch.cat([source[~loop], every]), torch.cat([target[~loop], every])
        weight = torch.cat([weight[~loop], own])
    root = torch.zeros(nodes).index_add(0, target, weight) ** -0.5
    root[root.isinf()] = 0
    return torch.stack([source, target]), root[source] * weight * root[target]


class SAGEConv(_Layer):
    """y = W_l mean(x_j) + W_r x (Hamilton et al., NeurIPS 2017)."""

    def __init__(self, inputs, outputs, aggr="mean", normalize=False, root_weight=True, project=False, bias=True):
        super().__init__(aggr)
        self.normalize, self.root_weight, self.project = normalize, root_weight, project
        if project:
            self.lin = nn.Linear(inputs, inputs)
        self.lin_l = nn.Linear(inputs, outputs, bias=bias)
        if root_weight:
            self.lin_r = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x, edge_index, size=None):
        out = self.lin_l(self.propagate(edge_index, x=self.lin(x).relu() if self.project else x))
        out = out + self.lin_r(x) if self.root_weight else out
        return nn.functional.normalize(out, dim=-1) if self.normalize else out


class GraphConv(_Layer):
    """y = W_1 Σ w x_j + W_2 x (Morris et al., AAAI 2019)."""

    def __init__(self, inputs, outputs, aggr="add", bias=True):
        super().__init__(aggr)
        self.lin_rel, self.lin_root = nn.Linear(inputs, outputs, bias=bias), nn.Linear(inputs, outputs, bias=False)

    def forward(self, x, edge_index, edge_weight=None, size=None):
        return self.lin_rel(self.propagate(edge_index, x=x, edge_weight=edge_weight)) + self.lin_root(x)


class GINConv(_Layer):
    """y = f(Σ x_j + (1 + ε) x) (Xu et al., ICLR 2019)."""

    def __init__(self, nn, eps=0.0, train_eps=False):
        super().__init__()
        self.nn = nn
        self.register_buffer("eps", torch.full((1,), eps))

    def forward(self, x, edge_index, size=None):
        return self.nn(self.propagate(edge_index, x=x) + (1 + self.eps) * x)


class TAGConv(_Layer):
    """y = Σ_k W_k A^k x + b (Du et al., 2017)."""

    def __init__(self, inputs, outputs, K=3, bias=True, normalize=True):
        super().__init__()
        self.normalize = normalize
        self.lins = nn.ModuleList(nn.Linear(inputs, outputs, bias=False) for _ in range(K + 1))
        self.bias = nn.Parameter(torch.randn(outputs)) if bias else None

    def forward(self, x, edge_index, edge_weight=None):
        if self.normalize:
            edge_index, edge_weight = normalized(edge_index, edge_weight, len(x), None)
        out = self.lins[0](x)
        for lin in self.lins[1:]:
            x = self.propagate(edge_index, x=x, edge_weight=edge_weight)
            out = out + lin(x)
        return out if self.bias is None else out + self.bias


class SGConv(_Layer):
    """y = W A^K x + b (Wu et al., ICML 2019); `cached` keeps A^K x of the first call."""

    def __init__(self, inputs, outputs, K=1, cached=False, add_self_loops=True, bias=True):
        super().__init__()
        self.K, self.cached, self.add_self_loops, self._cached_x = K, cached, add_self_loops, None
        self.lin = nn.Linear(inputs, outputs, bias=bias)

    def forward(self, x, edge_index, edge_weight=None):
        if self._cached_x is None:
            fill = 1.0 if self.add_self_loops else None
            edge_index, edge_weight = normalized(edge_index, edge_weight, len(x), fill)
            for _ in range(self.K):
                x = self.propagate(edge_index, x=x, edge_weight=edge_weight)
            if self.cached:
                self._cached_x = x
        else:
            x = self._cached_x
        return self.lin(x)


class ChebConv(_Layer):
    """y = Σ_k W_k T_k(2 L / λ - 1) x + b (Defferrard et al., NeurIPS 2016), L = 1 - D^-1/2 A D^-1/2, λ = 2."""

    def __init__(self, inputs, outputs, K, bias=True):
        super().__init__()
        self.lins = nn.ModuleList(nn.Linear(inputs, outputs, bias=False) for _ in range(K))
        self.bias = nn.Parameter(torch.randn(outputs)) if bias else None

    def propagate(self, edge_index, x, norm):  # type: ignore[override]
        return super().propagate(edge_index, x, norm)

    def forward(self, x, edge_index, edge_weight=None, batch=None, lambda_max=None):
        keep = edge_index[0] != edge_index[1]
        edges, weight = edge_index[:, keep], None if edge_weight is None else edge_weight[keep]
        edges, norm = normalized(edges, weight, len(x), None)
        norm, before = -norm, x
        out = self.lins[0](x)
        for k, lin in enumerate(self.lins[1:]):
            after = self.propagate(edges, x=x, norm=norm)
            x, before = (after, x) if k == 0 else (2 * after - before, x)
            out = out + lin(x)
        return out if self.bias is None else out + self.bias


MODULES = {
    GCNConv: "gcn_conv",
    SAGEConv: "sage_conv",
    GraphConv: "graph_conv",
    GINConv: "gin_conv",
    TAGConv: "tag_conv",
    SGConv: "sg_conv",
    ChebConv: "cheb_conv",
}
for _class, _module in MODULES.items():
    _class.__module__ = f"torch_geometric.nn.conv.{_module}"
