"""Small graph networks and random graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def adjacency(nodes: int, seed: int = 0, density: float = 0.15) -> torch.Tensor:
    """Symmetrically normalised random graph with loops, sparse CSR."""
    generator = torch.Generator().manual_seed(seed)
    edges = (torch.rand(nodes, nodes, generator=generator) < density) * torch.rand(nodes, nodes, generator=generator)
    dense = edges + edges.T + torch.eye(nodes)
    root = dense.sum(1) ** -0.5
    return (root[:, None] * dense * root).to_sparse_csr()


class TwoLayers(nn.Module):
    """A (relu(A X W0 + b0)) W1 + b1; X the identity without features."""

    def __init__(self, inputs: int, hidden: int = 10, classes: int = 3, product: Callable = torch.matmul) -> None:
        super().__init__()
        self.w0 = nn.Parameter(torch.randn(inputs, hidden))
        self.w1 = nn.Parameter(torch.randn(hidden, classes))
        self.b0, self.b1 = nn.Parameter(torch.randn(hidden) * 0.1), nn.Parameter(torch.randn(classes))
        self.product = product

    def forward(self, adj: torch.Tensor, x: torch.Tensor | None = None) -> torch.Tensor:
        h = torch.relu(self.product(adj, self.w0 if x is None else torch.mm(x, self.w0)) + self.b0)
        h = nn.functional.dropout(h, 0.5, self.training)
        return nn.functional.log_softmax(self.product(adj, h @ self.w1) + self.b1, dim=1)


class Deep(nn.Module):
    """Three layers with Linear, batch norm, a residual sum and a concatenation, features first."""

    def __init__(self, inputs: int, hidden: int = 8, classes: int = 3) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.last = nn.Linear(2 * hidden, classes)
        self.norm = nn.BatchNorm1d(hidden)
        self.norm.get_buffer("running_mean").uniform_(-0.2, 0.2)
        self.norm.get_buffer("running_var").uniform_(0.5, 2)

    def forward(self, x: torch.Tensor, adj: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.norm(adj @ self.first(x)))
        k = torch.relu(adj.matmul(self.second(h))) + h
        return torch.spmm(adj, self.last(torch.cat([h, k], dim=1)))


def with_seed(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build().eval()
