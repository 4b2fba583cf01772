"""Normalisation by statistics of the sample: the graph computes what the model does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.activations import Rsqrt
from loihi_onespike.core.graphs.ann import Activate, Affine, Linear
from loihi_onespike.core.maps import Dense
from loihi_onespike.frontend.rules import norm_rules
from tests.frontend.models import Fn, check, kinds

ROWS, IMAGE = (2, 5, 12), (2, 4, 6, 5)


def with_gain(norm: nn.Module) -> nn.Module:
    """The layer with gain and bias that are not 1 and 0."""
    for name, weight in norm.named_parameters():
        nn.init.normal_(weight, 1.0 if name == "weight" else 0.0, 0.5)
    return norm


def written_out(m: nn.Module, x: Any) -> Any:
    mean, var = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(var + 1e-5)


NORMS: dict[str, tuple[nn.Module | Callable[..., Any], tuple[int, ...]]] = {
    "LayerNorm": (with_gain(nn.LayerNorm(12)), ROWS),
    "LayerNorm_of_two_axes": (with_gain(nn.LayerNorm([5, 12], eps=1e-3)), ROWS),
    "LayerNorm_plain": (nn.LayerNorm(12, elementwise_affine=False), (2, 12)),
    "layer_norm": (lambda m, x: F.layer_norm(x, (12,), torch.arange(12.0)), ROWS),
    "LayerNorm_of_channels": (lambda m, x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2), IMAGE),
    "LayerNorm_written_out": (written_out, ROWS),
    "standardised": (lambda m, x: (x - x.mean((1, 2), keepdim=True)) / (x.std((1, 2), keepdim=True) + 1e-3), ROWS),
    "GroupNorm": (with_gain(nn.GroupNorm(2, 4)), IMAGE),
    "group_norm": (lambda m, x: F.group_norm(x, 4), IMAGE),
    "GroupNorm_of_series": (with_gain(nn.GroupNorm(1, 5)), ROWS),
    "InstanceNorm1d": (with_gain(nn.InstanceNorm1d(5, affine=True)), ROWS),
    "InstanceNorm2d": (nn.InstanceNorm2d(4), IMAGE),
    "RMSNorm": (lambda m, x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * torch.arange(12.0), ROWS),
    "normalize": (lambda m, x: F.normalize(x, dim=-1), ROWS),
    "normalize_channels": (lambda m, x: F.normalize(x, eps=1e-3), IMAGE),
    "sequence_first": (lambda m, x: m.norm(x.transpose(0, 1)).transpose(0, 1), ROWS),
}


@pytest.mark.parametrize(("norm", "shape"), NORMS.values(), ids=NORMS.keys())
def test_the_graph_is_the_model(norm: nn.Module | Callable[..., Any], shape: tuple[int, ...]) -> None:
    model = norm if isinstance(norm, nn.Module) else Fn(norm, norm=with_gain(nn.LayerNorm(12)))
    check(model, torch.randn(shape))


@pytest.mark.skipif(not hasattr(nn, "RMSNorm"), reason="torch has RMSNorm from 2.4 on")
def test_the_layer_of_rms_norm() -> None:
    check(with_gain(nn.RMSNorm(12)), torch.randn(ROWS))  # type: ignore[attr-defined,unused-ignore]
    check(with_gain(nn.RMSNorm([5, 12], eps=1e-3)), torch.randn(ROWS))  # type: ignore[attr-defined,unused-ignore]


def test_running_statistics_make_an_instance_norm_affine() -> None:
    norm = nn.InstanceNorm2d(4, track_running_stats=True)
    assert norm.running_mean is not None
    norm.running_mean.normal_()
    assert kinds(check(norm, torch.randn(IMAGE))) == ["Input", "Affine"]


def test_the_parts_of_a_layer_norm() -> None:
    """The mean is subtracted by synapses; ε is in the variance and limits 1/√."""
    graph = check(nn.LayerNorm(12, eps=0.25, elementwise_affine=False), torch.randn(ROWS))
    assert kinds(graph)[1:] == ["Linear", "Add", "Multiply", "Linear", "Affine", "Activate", "Reindex", "Multiply"]
    mean, variance, inverse = graph.nodes[1].op, graph.nodes[4].op, graph.nodes[6].op
    assert isinstance(mean, Linear) and isinstance(mean.op, Dense) and np.all(mean.op.weight == -1 / 12)
    assert isinstance(variance, Linear) and variance.bias == 0.25
    assert isinstance(graph.nodes[5].op, Affine) and inverse == Activate(Rsqrt(0.25))


def test_means_of_many_values_have_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(norm_rules, "LARGEST_MEAN_MAP", 11)
    graph = check(nn.LayerNorm(12), torch.randn(ROWS))
    assert kinds(graph)[1:4] == ["Linear", "Reindex", "Add"] and graph.nodes[1].shape == (5, 1)
