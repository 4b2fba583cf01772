"""Activations: which node each becomes, exact rewrites and how they are reported, and what the host does at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.core.activations import (
    RELU,
    Activation,
    Clip,
    Elu,
    Erf,
    Gelu,
    Hardswish,
    LeakyRelu,
    Mish,
    Silu,
    Softplus,
)
from loihi_onespike.core.graphs.ann import Activate, AnnGraph
from loihi_onespike.frontend import trace
from tests.frontend.models import Fn, check, kinds

IMAGE = (2, 4, 6, 5)
LIMITS = torch.randn(4, 1, 1, generator=torch.Generator().manual_seed(5))

Model = nn.Module | Callable[..., Any]


def checked(model: Model, shape: tuple[int, ...] = IMAGE) -> AnnGraph:
    return check(model if isinstance(model, nn.Module) else Fn(model), torch.randn(shape))


NATIVE: dict[str, tuple[Model, Activation]] = {
    "ReLU6": (nn.ReLU6(), Clip(0, 6)),
    "relu6": (lambda m, x: F.relu6(x), Clip(0, 6)),
    "Hardtanh": (nn.Hardtanh(), Clip(-1, 1)),
    "hardtanh_": (lambda m, x: F.hardtanh_(x, 0, 0.5), Clip(0, 0.5)),
    "clamp": (lambda m, x: x.clamp(-0.5, 2), Clip(-0.5, 2)),
    "clamp_min": (lambda m, x: x.clamp_min(-0.5), Clip(-0.5)),
    "clamp_max": (lambda m, x: x.clamp_max(0.5), Clip(-np.inf, 0.5)),
    "infinite": (lambda m, x: x.clamp(0, float("inf")), RELU),
    "threshold_below": (nn.Threshold(-0.5, -0.5), Clip(-0.5)),
    "LeakyReLU": (nn.LeakyReLU(0.1), LeakyRelu(0.1)),
    "leaky_relu_": (lambda m, x: F.leaky_relu_(x, 2.0), LeakyRelu(2.0)),
    "no_leak": (nn.LeakyReLU(0.0), RELU),
    "PReLU": (nn.PReLU(), LeakyRelu(0.25)),
    "PReLU_all_alike": (nn.PReLU(4), LeakyRelu(0.25)),
    "RReLU": (nn.RReLU(0.25, 0.75), LeakyRelu(0.5)),
    "ELU": (nn.ELU(0.5), Elu(0.5)),
    "ELU_flat": (nn.ELU(0.0), RELU),
    "CELU": (nn.CELU(), Elu()),
    "Softplus": (nn.Softplus(2), Softplus(2)),
    "SiLU": (nn.SiLU(), Silu()),
    "GELU": (nn.GELU(), Gelu()),
    "gelu_tanh": (lambda m, x: F.gelu(x, approximate="tanh"), Gelu("tanh")),
    "Hardswish": (nn.Hardswish(), Hardswish()),
    "mish_": (lambda m, x: F.mish(x, inplace=True), Mish()),
    "erf": (lambda m, x: torch.erf(x), Erf()),
}


@pytest.mark.parametrize(("model", "function"), NATIVE.values(), ids=NATIVE.keys())
def test_what_one_population_computes(model: Model, function: Activation) -> None:
    graph = checked(model)
    assert kinds(graph) == ["Input", "Activate"] and graph.rewrites == ()
    assert isinstance(graph.output.op, Activate)
    assert graph.output.op.function == function


REWRITTEN: dict[str, tuple[Model, str]] = {
    "clamp_above_zero": (lambda m, x: x.clamp(0.5, 1.5), "clamp computed as 0.5 + clip(x - 0.5, 0, 1)"),
    "clamp_min_above_zero": (lambda m, x: x.clamp(min=0.5), "0.5 + relu(x - 0.5)"),
    "clamp_below_zero": (nn.Hardtanh(-2.0, -0.5), "-0.5 - clip(-0.5 - x, 0, 1.5)"),
    "clamp_max_below_zero": (lambda m, x: x.clamp_max(-0.5), "-0.5 - relu(-0.5 - x)"),
    "clamp_crossed": (lambda m, x: x.clamp(0.5, 0.1), "the constant 0.1"),
    "clamp_per_channel": (lambda m, x: x.clamp(LIMITS, LIMITS + 0.5), "limits per place"),
    "clamp_min_per_channel": (lambda m, x: torch.clamp_min(x, LIMITS), "limits per place"),
    "clamp_max_per_channel": (lambda m, x: torch.minimum(x, LIMITS), "limits per place"),
    "threshold": (nn.Threshold(0.5, 0.5), "Threshold(threshold=0.5, value=0.5) computed as 0.5 + relu(x - 0.5)"),
    "maximum": (lambda m, x: torch.maximum(x, -0.5 * x), "a + relu(b - a)"),
    "minimum": (lambda m, x: torch.min(x, x.mean((2, 3), keepdim=True)), "a - relu(a - b)"),
    "PReLU": (lambda m, x: F.prelu(x, torch.tensor([0.1, -0.2, 0.0, 1.0])), "a slope per channel"),
    "LeakyReLU_falling": (nn.LeakyReLU(-0.3), "relu(x) - slope · relu(-x)"),
    "LeakyReLU_identity": (nn.LeakyReLU(1.0), "the identity"),
    "abs": (lambda m, x: abs(x), "relu(x) + relu(-x)"),
    "absolute": (lambda m, x: torch.absolute(x), "relu(x) + relu(-x)"),
    "Softshrink": (nn.Softshrink(0.3), "relu(x - 0.3) - relu(-x - 0.3)"),
    "SELU": (nn.SELU(), "elu("),
    "swish": (lambda m, x: x * torch.sigmoid(x), "mul computed as silu(x)"),
    "quick_gelu": (lambda m, x: torch.sigmoid(1.702 * x) * x, "silu(x)"),
    "hard_swish": (lambda m, x: x * F.relu6(x + 3) / 6, "6 · hardswish(x)"),
    "hard_swish_by_gate": (lambda m, x: x * F.hardsigmoid(x), "hardswish(x)"),
    "mish": (lambda m, x: x * torch.tanh(F.softplus(x)), "mish(x)"),
    "gelu": (lambda m, x: 0.5 * x * (1 + torch.erf(x / 2**0.5)), "mul computed as gelu(x)"),
    "gelu_tanh": (
        lambda m, x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * torch.pow(x, 3.0)))),
        "mul computed as gelu(x)",
    ),
    "gelu_tanh_factored": (
        lambda m, x: 0.5 * x * (1 + torch.tanh(0.7978845608028654 * x * (1 + 0.044715 * x * x))),
        "mul computed as gelu(x)",
    ),
    "CELU": (nn.CELU(2.0), "2 · elu(0.5 · x, 1)"),
    "Hardsigmoid": (nn.Hardsigmoid(), "clip(x / 6 + 1/2, 0, 1)"),
    "LogSigmoid": (nn.LogSigmoid(), "-softplus(-x)"),
    "logsigmoid": (lambda m, x: F.logsigmoid(x), "-softplus(-x)"),
    "aten_elu": (lambda m, x: torch.ops.aten.elu(x, 1.0, 2.0, 3.0), "0.666667 · elu(3 · x, 3)"),
}


@pytest.mark.parametrize(("model", "text"), REWRITTEN.values(), ids=REWRITTEN.keys())
def test_exact_rewrites_are_made_and_reported(model: Model, text: str) -> None:
    (rewrite,) = checked(model).rewrites
    assert text in rewrite


def test_slopes_per_channel_of_vectors_and_series() -> None:
    slopes = nn.PReLU(4)
    slopes.weight.data = torch.tensor([0.1, 0.2, -0.3, 0.0])
    checked(slopes, (2, 4))
    checked(slopes, (2, 4, 7))


def test_rewrites_of_dead_branches_are_not_reported() -> None:
    def f(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        abs(x)
        return F.relu(x)

    assert checked(f).rewrites == ()


def test_rewrites_reach_the_stages() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.SELU(), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2))
    stages = lower(*pool_last(trace(model, torch.randn(2, 2, 8, 8))))
    assert [line.split(":")[0] for line in stages.rewrites] == ["1", "2"]


AT_THE_END = {
    "sigmoid": (lambda m, x: x.sigmoid(), ["Finish"]),
    "flattened": (lambda m, x: torch.tanh(x).flatten(1), ["Reindex", "Finish"]),
    "sliced": (lambda m, x: torch.sigmoid(x)[:, 1:, 0].unsqueeze(1), ["Reindex", "Finish"]),
    "padded": (lambda m, x: F.pad(torch.sigmoid(x), (1, 1)), ["Activate", "Reindex"]),
    "softmax_squeezed": (
        lambda m, x: F.softmax(x[:, :, :1, :1], 1).squeeze(-1).squeeze(-1),
        ["Reindex", "Reindex", "Finish"],
    ),
    "inside": (lambda m, x: torch.sigmoid(x) * 2, ["Activate", "Affine"]),
    "read_twice": (lambda m, x: (lambda y: y + F.relu(y - 0.5))(x.tanh()), ["Activate", "Affine", "Activate", "Add"]),
}


@pytest.mark.parametrize(("f", "expected"), AT_THE_END.values(), ids=AT_THE_END.keys())
def test_the_host_finishes_what_stands_last(f: Callable[..., Any], expected: list[str]) -> None:
    assert kinds(checked(f))[1:] == expected
