"""Small torch models, one structure each, with batch-norm statistics that are not trivial."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn

Model = TypeVar("Model", bound=nn.Module)


def prepared(model: Model, seed: int = 0) -> Model:
    """The model in eval mode with seeded weights and random batch norms: gains of both signs, shifts, statistics."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(like: torch.Tensor, low: float, high: float) -> torch.Tensor:
        return torch.rand(like.shape, generator=generator) * (high - low) + low

    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean = uniform(module.weight, -0.5, 0.5)
            module.running_var = uniform(module.weight, 0.5, 2.0)
            module.weight.data = uniform(module.weight, -0.5, 1.5)
            module.bias.data = uniform(module.bias, -0.5, 0.5)
        elif isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * (2 / fan_in) ** 0.5
            if module.bias is not None:
                module.bias.data = uniform(module.bias, -0.3, 0.3)
    return model.eval()


def plain_cnn() -> nn.Module:
    """Convolutions with and without batch norm and groups, max and adaptive average pooling."""
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(8, 4),
    )


def pooled_twice() -> nn.Module:
    """Max pooling before its ReLU; average pooling that does not count its padding, before a convolution."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, dilation=2, padding=2),
        nn.MaxPool2d(3, 2, 1),
        nn.ReLU(),
        nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        nn.Conv2d(4, 5, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5, 3),
    )


def mlp() -> nn.Module:
    """Linear layers with batch norm; the output is rectified."""
    return nn.Sequential(nn.Flatten(), nn.Linear(128, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 5), nn.ReLU())


def depthwise() -> nn.Module:
    """Depthwise and pointwise convolutions."""
    return nn.Sequential(
        nn.Conv2d(2, 6, 1),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 3, 1),
        nn.ReLU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(12, 3),
        nn.LogSoftmax(1),
    )


class Signal(nn.Module):
    """1-d convolutions, functional ReLU and tensor methods, mean over time."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(2, 5, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm1d(5)
        self.second = nn.Conv1d(5, 4, 3)
        self.out = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.first(x.flatten(2))))
        x = F.max_pool1d(x, 2)
        return self.out(self.second(x).relu().mean(2))


class Residual(nn.Module):
    """Identity, convolutional and padded-channel shortcuts, and an activation with several readers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.na = nn.BatchNorm2d(4)
        self.b = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.short = nn.Conv2d(4, 6, 1, stride=2)
        self.c = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.out = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(self.na(self.a(x)) + x)
        x = F.relu(self.b(x) + self.short(x))
        x = F.relu(self.c(x) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1)))
        return self.out(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Branches(nn.Module):
    """Concatenation of branches of different depth, dense connectivity, max pooling over a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.one = nn.Conv2d(4, 3, 1)
        self.three = nn.Conv2d(3, 5, 3, padding=1)
        self.norm = nn.BatchNorm2d(12)
        self.last = nn.Conv2d(12, 4, 1)
        self.out = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(x))
        one = torch.relu(self.one(x))
        three = torch.relu(self.three(one))
        x = F.max_pool2d(torch.cat([x, one, three], 1), 2)
        x = torch.relu(self.norm(x))
        return self.out(F.max_pool2d(torch.relu(self.last(x)), 2).flatten(1))


class Gated(nn.Module):
    """Squeeze and excitation: every channel of a map times a gate that is made of all of it, and SiLU behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.squeeze = nn.Linear(4, 3)
        self.excite = nn.Linear(3, 4)
        self.last = nn.Conv2d(4, 3, 3, stride=2)
        self.out = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.stem(x))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3))))))
        x = F.silu(self.last(x * gate[:, :, None, None]))
        return self.out(x.mean((2, 3)))


CHAINS: dict[str, Callable[[], nn.Module]] = {
    "plain_cnn": plain_cnn,
    "pooled_twice": pooled_twice,
    "mlp": mlp,
    "depthwise": depthwise,
    "signal": Signal,
}
GRAPHS: dict[str, Callable[[], nn.Module]] = {"residual": Residual, "branches": Branches}
MODELS = {**CHAINS, **GRAPHS}


def make(name: str, seed: int = 0) -> nn.Module:
    """A model of MODELS, prepared."""
    return prepared(MODELS[name](), seed)


def inputs(count: int = 12, seed: int = 0) -> torch.Tensor:
    """Images (N, 2, 8, 8) with negative values."""
    return torch.randn(count, 2, 8, 8, generator=torch.Generator().manual_seed(100 + seed))
