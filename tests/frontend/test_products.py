"""Products, quotients, powers and roots of activations: the graph computes what the model does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.activations import Reciprocal, Rsqrt
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, Multiply, Reindex
from tests.frontend.models import Fn, check, kinds

IMAGE = (2, 4, 6, 5)


def checked(f: nn.Module | Callable[..., Any], **layers: nn.Module) -> AnnGraph:
    return check(f if isinstance(f, nn.Module) else Fn(f, **layers), torch.randn(IMAGE))


def functions(graph: AnnGraph) -> list[Any]:
    return [node.op.function for node in graph.nodes if isinstance(node.op, Activate)]


def mean(x: Any) -> Any:
    return x.mean((2, 3), keepdim=True)


PRODUCTS: dict[str, tuple[nn.Module | Callable[..., Any], int]] = {
    "of_functions": (lambda m, x: x * F.relu(x), 1),
    "other_gate": (lambda m, x: x * torch.sigmoid(x + 0.1), 1),
    "gate_of_means": (lambda m, x: torch.sigmoid(mean(x)) * x, 1),
    "in_place": (lambda m, x: (lambda y: y.mul_(F.relu(x)))(x + 1), 1),
    "outer": (lambda m, x: x.mean(3, keepdim=True) * x.mean(2, keepdim=True), 1),
    "GLU": (nn.GLU(1), 1),
    "glu": (lambda m, x: F.glu(x[..., :4]), 1),
    "square": (lambda m, x: x * x, 1),
    "torch.square": (lambda m, x: torch.square(x), 1),
    "pow2": (lambda m, x: x**2, 1),
    "pow1": (lambda m, x: torch.pow(x, 1) * 2, 0),
    "pow7": (lambda m, x: x.pow(7), 4),
    "pow8": (lambda m, x: x.pow(8.0), 3),
    "quotient": (lambda m, x: x / (mean(x * x) + 0.1), 2),
    "quotient_of_constant": (lambda m, x: 2 / (torch.sigmoid(x) + 1), 0),
    "pow-1": (lambda m, x: (x.abs() + 1) ** -1, 0),
    "pow-2": (lambda m, x: (x.exp() + 1) ** -2, 1),
    "reciprocal_of_difference": (lambda m, x: 1 / (1.5 - torch.sigmoid(x)), 0),
    "reciprocal_of_maximum": (lambda m, x: torch.reciprocal(x.clamp(min=0.25)), 0),
    "sqrt": (lambda m, x: torch.sqrt(x * x + 0.5), 1),
    "pow0.5": (lambda m, x: F.relu(x) ** 0.5, 0),
    "rsqrt": (lambda m, x: x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6), 2),
    "pow-0.5": (lambda m, x: (mean(F.softplus(x))) ** -0.5, 0),
    "exponential": (lambda m, x: 2.0**x + torch.exp(-x), 0),
    "powers_of_constants": (lambda m, x: torch.tensor([1.5, 2, 3, 0.5, 1]) ** x, 0),
    "by_written_out_softmax": (lambda m, x: x.exp() / x.exp().sum(1, keepdim=True), 1),
}


@pytest.mark.parametrize(("f", "products"), PRODUCTS.values(), ids=PRODUCTS.keys())
def test_the_graph_is_the_model(f: nn.Module | Callable[..., Any], products: int) -> None:
    assert sum(isinstance(node.op, Multiply) for node in checked(f).nodes) == products


def test_a_gate_is_repeated_by_a_gather() -> None:
    graph = checked(lambda m, x: x * torch.sigmoid(mean(x)))
    product = graph.output
    assert isinstance(product.op, Multiply)
    factor = graph.by_name[product.inputs[1]]
    assert isinstance(factor.op, Reindex) and (factor.op.index == torch.arange(4)[:, None, None].numpy()).all()


def test_the_least_argument_follows_from_the_model() -> None:
    """An ε in front of a root or a reciprocal limits what the population can send."""
    graph = checked(lambda m, x: torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 0.25) + 1 / (F.relu(x) + 0.5))
    assert [f for f in functions(graph) if f.name != "relu"] == [Rsqrt(0.25), Reciprocal(0.5)]


class SqueezeExcitation(nn.Module):
    """As torchvision and timm write it."""

    def __init__(self, gate: type[nn.Module]) -> None:
        super().__init__()
        self.pool, self.act, self.gate = nn.AdaptiveAvgPool2d(1), nn.SiLU(inplace=True), gate()
        self.reduce, self.expand = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(self.expand(self.act(self.reduce(self.pool(x)))))


@pytest.mark.parametrize("gate", [nn.Sigmoid, nn.Hardsigmoid])
def test_squeeze_and_excitation(gate: type[nn.Module]) -> None:
    assert kinds(checked(SqueezeExcitation(gate)))[-2:] == ["Reindex", "Multiply"]
