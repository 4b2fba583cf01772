"""Transposed convolution, resizing and padding modes: exact rewrites into gathers, convolutions and sparse matrices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.core.graphs.ann import Linear, Reindex
from loihi_onespike.core.graphs.stage import InputStage
from loihi_onespike.core.maps import Conv
from loihi_onespike.frontend import trace
from tests.frontend.models import Fn, check, kinds

IMAGE = (2, 4, 6, 5)
SERIES = (2, 4, 7)

TRANSPOSED = {
    "plain": {"kernel_size": 3},
    "strided": {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    "doubling": {"kernel_size": 2, "stride": 2},
    "gaps": {"kernel_size": 1, "stride": 3, "output_padding": 2},
    "cut": {"kernel_size": 2, "stride": 2, "padding": 2},
    "cut_and_padded": {"kernel_size": 1, "stride": 2, "padding": 1, "output_padding": 1, "bias": False},
    "grouped": {"kernel_size": 3, "stride": 2, "groups": 2},
    "depthwise": {"kernel_size": 4, "stride": 2, "padding": 1, "groups": 4},
    "dilated": {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 1},
}


@pytest.mark.parametrize("options", TRANSPOSED.values(), ids=TRANSPOSED.keys())
@pytest.mark.parametrize(("layer", "shape"), [(nn.ConvTranspose1d, SERIES), (nn.ConvTranspose2d, IMAGE)])
def test_transposed_convolution(layer: type[nn.Module], shape: tuple[int, ...], options: dict) -> None:
    graph = check(layer(4, 8, **options), torch.randn(shape))
    assert kinds(graph) == (["Input", "Linear"] if "stride" not in options else ["Input", "Reindex", "Linear"])
    assert "kernel flipped" in graph.rewrites[0]


def test_uneven_geometry_and_functional_form() -> None:
    check(nn.ConvTranspose2d(4, 3, (2, 3), (3, 1), (0, 2), (1, 0), dilation=(2, 1)), torch.randn(IMAGE))
    weight, bias = torch.randn(4, 3, 2, 3), torch.randn(3)
    check(Fn(lambda m, x: F.conv_transpose2d(x, weight, bias, stride=(1, 2), padding=1)), torch.randn(IMAGE))
    check(Fn(lambda m, x: F.conv_transpose1d(x, weight[..., 0], groups=2)), torch.randn(SERIES))


@pytest.mark.parametrize("size", [(11, 9), (12, 10), (12, 9)])
def test_transposed_convolution_to_a_given_size(size: tuple[int, int]) -> None:
    graph = check(Fn(lambda m, x: m.up(x, output_size=size), up=nn.ConvTranspose2d(4, 2, 3, 2, 1)), torch.randn(IMAGE))
    assert graph.output.shape == (2, *size)


def test_a_kernel_by_hand() -> None:
    """One input place spreads the kernel: y[s i - p + k] = W[k] x[i] with s = 2, p = 1."""
    up = nn.ConvTranspose1d(1, 1, 3, stride=2, padding=1, bias=False)
    up.weight.data = torch.tensor([[[1.0, 10.0, 100.0]]])
    graph = trace(up, torch.zeros(1, 1, 2))
    op = graph.output.op
    assert isinstance(op, Linear) and isinstance(op.op, Conv)
    np.testing.assert_array_equal(op.op.weight, [[[100, 10, 1]]])
    gather = graph.nodes[1].op
    assert isinstance(gather, Reindex)
    np.testing.assert_array_equal(gather.index, [[0, -1, 1]])
    assert op.op.window.padding == ((1, 1),)


def test_macs_are_those_of_the_transposed_convolution() -> None:
    """Each of 4·6·5 input values meets 3·2·2 weights, not each of 3·12·10 outputs 4·2·2."""
    model = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4, 3, 2, 2), nn.ReLU())
    graph = check(model, torch.randn(IMAGE))
    pooled = graph.by_name["1"].op
    assert isinstance(pooled, Linear) and pooled.macs == 4 * 6 * 5 * 3 * 2 * 2
    links = [link for stage in lower(graph).stages if not isinstance(stage, InputStage) for link in stage.links]
    assert [link.macs for link in links] == [0, 4 * 6 * 5 * 3 * 2 * 2]


def test_macs_of_a_layer_that_reads_a_concatenation_add_up() -> None:
    model = Fn(lambda m, x: F.relu(m.up(torch.cat([F.relu(x), F.relu(-x)], 1))), up=nn.ConvTranspose2d(8, 3, 2, 2))
    stages = lower(trace(model, torch.randn(IMAGE)))
    links = [link for stage in stages.stages if not isinstance(stage, InputStage) for link in stage.links]
    assert sum(link.macs or 0 for link in links) == 8 * 6 * 5 * 3 * 2 * 2


RESIZED = {
    "bilinear": lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "three": lambda m, x: F.interpolate(x, size=(18, 20), mode="bilinear", align_corners=False),
    "one_axis": lambda m, x: F.interpolate(x, size=(6, 25), mode="bilinear"),
    "positional": lambda m, x: F.interpolate(x, None, (2, 2), "bilinear"),
    "upsample": lambda m, x: nn.Upsample(scale_factor=4, mode="bilinear")(x),
    "linear": lambda m, x: F.interpolate(x.flatten(2), scale_factor=5, mode="linear"),
}


@pytest.mark.parametrize("f", RESIZED.values(), ids=RESIZED.keys())
def test_linear_upsampling_by_whole_factors(f: Callable[..., torch.Tensor]) -> None:
    graph = check(Fn(f), torch.randn(IMAGE))
    assert "depthwise convolution" in graph.rewrites[0]


RESAMPLED = {
    "corners": lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "UpsamplingBilinear2d": lambda m, x: nn.UpsamplingBilinear2d(scale_factor=2)(x),
    "any size": lambda m, x: F.interpolate(x, size=(13, 9), mode="bilinear"),
    "smaller": lambda m, x: F.interpolate(x, size=(4, 3), mode="bilinear"),
    "antialias": lambda m, x: F.interpolate(x, size=(4, 3), mode="bilinear", antialias=True),
    "bicubic": lambda m, x: F.interpolate(x, scale_factor=1.5, mode="bicubic"),
    "bicubic corners": lambda m, x: F.interpolate(x, size=(7, 7), mode="bicubic", align_corners=True),
    "area": lambda m, x: F.interpolate(x, size=(4, 7), mode="area"),
    "recomputed": lambda m, x: F.interpolate(x, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True),
    "series": lambda m, x: F.interpolate(x.flatten(2), size=17, mode="linear", align_corners=True),
    "bins that overlap": lambda m, x: nn.AdaptiveAvgPool2d((4, 3))(x),
    "from one place": lambda m, x: F.interpolate(x.mean((2, 3), keepdim=True), size=(6, 5), mode="bilinear"),
}


@pytest.mark.parametrize("f", RESAMPLED.values(), ids=RESAMPLED.keys())
def test_resizing_by_a_matrix(f: Callable[..., torch.Tensor]) -> None:
    graph = check(Fn(f), torch.randn(IMAGE))
    assert kinds(graph)[-3:] == ["Reindex", "Linear", "Reindex"] or "depthwise" in graph.rewrites[-1]


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_resizing_between_layers(mode: str) -> None:
    """All that reads one channel needs one scale; the oracle and `fast` agree, and the error is that of the code."""
    torch.manual_seed(0)
    up = nn.Upsample(size=(9, 7), mode=mode, align_corners=True)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), up, nn.Conv2d(4, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(105, 3)
    )
    x = torch.rand(16, 2, 6, 5)
    net = los.convert(model.eval(), x, timesteps=16)
    found, expected = net.predict(x[:3]), model(x[:3]).detach().numpy()
    np.testing.assert_array_equal(net.predict(x[:3], "reference"), found)
    assert np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [(1, 2), "same"])
def test_padding_modes_of_convolutions(mode: str, padding: str | int | tuple[int, int]) -> None:
    graph = check(nn.Conv2d(4, 3, 3, padding=padding, padding_mode=mode), torch.randn(IMAGE))
    assert kinds(graph) == ["Input", "Reindex", "Linear"]
    assert f"mode='{mode}'" in graph.rewrites[0]
    check(nn.Conv1d(4, 3, 3, padding=1, padding_mode=mode), torch.randn(SERIES))
