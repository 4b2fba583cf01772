"""Small models for the front-end tests, and the check that a traced graph is the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.frontend import trace
from tests.support.ann_eval import evaluate, evaluate_torch


class Fn(nn.Module):
    """forward is a function of the module and its input; layers are its attributes."""

    def __init__(self, f: Callable[..., Any], **layers: Any) -> None:
        super().__init__()
        self.f = f
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: torch.Tensor) -> Any:
        return self.f(self, x)


Model = TypeVar("Model", bound=nn.Module)


def randomised(model: Model, seed: int = 0) -> Model:
    """Batch norms with statistics and weights of their own, so that none of them is the identity."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            for tensor, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2.0),
                (module.weight, 0.5, 1.5),
                (module.bias, -0.5, 0.5),
            ):
                if tensor is not None:
                    with torch.no_grad():
                        tensor.uniform_(low, high, generator=generator)
    return model


def reference(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    """Output of the model in eval mode; its mode is put back."""
    flags = [module.training for module in model.modules()]
    with torch.no_grad():
        output = model.eval()(x.clone())
    for module, flag in zip(model.modules(), flags, strict=True):
        module.training = flag
    while not isinstance(output, torch.Tensor):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return output.double().numpy()


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-6)


def check(model: nn.Module, x: torch.Tensor, *, explicit: bool = True) -> AnnGraph:
    """Trace, and compare the graph with the model on another batch of another size."""
    randomised(model)
    graph = trace(model, x)
    other = torch.randn(3, *x.shape[1:], generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(x.dtype)
    expected = reference(model, other)
    if explicit:
        assert_close(evaluate(graph, other.numpy()), expected)
    assert_close(evaluate_torch(graph, other.numpy()), expected)
    return graph


def kinds(graph: AnnGraph) -> list[str]:
    return [type(node.op).__name__ for node in graph.nodes]


class Residual(nn.Module):
    """ResNet's basic block with a convolutional shortcut, in-place as torchvision writes it."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.down = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out)) if stride > 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.down is not None:
            identity = self.down(x)
        out += identity
        return self.relu(out)


class PreActivation(nn.Module):
    """The shortcut of an in-place ReLU carries what the ReLU left behind."""

    def __init__(self, channels: int, inplace: bool) -> None:
        super().__init__()
        self.bn, self.relu = nn.BatchNorm2d(channels), nn.ReLU(inplace=inplace)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn(x)
        out = self.conv(self.relu(y))
        return out + y


class PaddedShortcut(nn.Module):
    """ResNet-20's block: subsampled, zero-padded channels."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c_in, c_out, 3, 2, 1, bias=False), nn.BatchNorm2d(c_out)
        self.grow = (c_out - c_in) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn1(self.conv1(x))
        return F.relu(y + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow, self.grow)))


class Fire(nn.Module):
    """SqueezeNet."""

    def __init__(self, c_in: int) -> None:
        super().__init__()
        self.squeeze, self.one, self.three = nn.Conv2d(c_in, 2, 1), nn.Conv2d(2, 4, 1), nn.Conv2d(2, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1)


class DenseBlock(nn.Module):
    """DenseNet: every layer reads all before it."""

    def __init__(self, c_in: int, growth: int, layers: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(c_in + i * growth) for i in range(layers))
        self.convs = nn.ModuleList(nn.Conv2d(c_in + i * growth, growth, 3, padding=1) for i in range(layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = [x]
        for norm, conv in zip(self.norms, self.convs, strict=True):
            features.append(conv(F.relu(norm(torch.cat(features, 1)))))
        return torch.cat(features, 1)


class ShuffleUnit(nn.Module):
    """ShuffleNet: split, depthwise convolution, concatenation, channel shuffle by view and transpose."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            nn.Conv2d(half, half, 1), nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, 1, 1, groups=half)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = x.chunk(2, dim=1)
        out = torch.cat((left, self.branch(right)), dim=1)
        b, c, h, w = out.size()
        return out.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, -1, h, w)


class Inception(nn.Module):
    """Branches of different depth, one of them with average pooling."""

    def __init__(self, c_in: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(c_in, 2, 1)
        self.b = nn.Sequential(nn.Conv2d(c_in, 3, (1, 3), padding=(0, 1)), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=1))
        self.c = nn.Conv2d(c_in, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)
        return F.relu(torch.cat([self.a(x), self.b(x), self.c(pooled), F.max_pool2d(x, 3, 1, 1)], 1))
