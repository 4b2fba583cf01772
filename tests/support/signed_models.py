"""Small torch models whose populations carry values of either sign, clipped or squashed ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from tests.support.models import prepared


class Bottleneck(nn.Module):
    """MobileNetV2: expansion and depthwise convolution with ReLU6, linear projection, residual sum of linear values."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU6())
        self.project = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.BatchNorm2d(3))
        self.expand = nn.Sequential(nn.Conv2d(3, 6, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU6())
        self.depthwise = nn.Sequential(nn.Conv2d(6, 6, 3, 1, 1, groups=6), nn.BatchNorm2d(6), nn.ReLU6())
        self.linear = nn.Sequential(nn.Conv2d(6, 3, 1, bias=False), nn.BatchNorm2d(3))
        self.out = nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.project(self.stem(x))
        x = x + self.linear(self.depthwise(self.expand(x)))
        return self.out(x.mean((2, 3)))


def autoencoder() -> nn.Module:
    """Transposed convolutions of both kinds behind each other, an image as output."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(4, 6, 3, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 4, 2, 2),
        nn.LeakyReLU(0.1),
        nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, groups=2),
        nn.Sigmoid(),
    )


class Dense(nn.Module):
    """DenseNet: batch norm and ReLU before each convolution, linear values concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(4 + 2 * i) for i in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(4 + 2 * i, 2, 3, padding=1) for i in range(2))
        self.out = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = [self.stem(x)]
        for i, conv in enumerate(self.convs):
            features.append(conv(F.relu(self.norms[i](torch.cat(features, 1)))))
        return self.out(F.avg_pool2d(F.relu(self.norms[2](torch.cat(features, 1))), 8).flatten(1))


def squashing() -> nn.Module:
    """Sigmoid, tanh and softplus inside an MLP."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(128, 12),
        nn.Tanh(),
        nn.Linear(12, 10),
        nn.Sigmoid(),
        nn.Linear(10, 8),
        nn.Softplus(),
        nn.Linear(8, 4),
        nn.ELU(),
        nn.Linear(4, 3),
    )


class Fire(nn.Module):
    """SqueezeNet's fire module."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.one, self.three = nn.Conv2d(2, 3, 1), nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3, padding=1)
        self.out = nn.Conv2d(8, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.squeeze(x))
        x = F.max_pool2d(torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1), 3, 2, ceil_mode=True)
        return F.relu(self.out(x)).mean((2, 3))


class Shuffle(nn.Module):
    """ShuffleNetV2's unit: split, linear depthwise convolution in a branch, channel shuffle."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.branch = nn.Sequential(
            *(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.ReLU()),
            *(nn.Conv2d(2, 2, 3, 1, 1, groups=2), nn.BatchNorm2d(2)),
            *(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.ReLU()),
        )
        self.last, self.out = nn.Conv2d(4, 4, 1), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = F.relu(self.stem(x)).chunk(2, 1)
        x = torch.cat([left, self.branch(right)], 1)
        x = x.view(-1, 2, 2, 8, 8).transpose(1, 2).flatten(1, 2)
        return self.out(F.relu(self.last(x)).mean((2, 3)))


def slopes() -> nn.Module:
    """PReLU with a slope per channel, one of them falling; Hardtanh, SELU and |x|."""
    prelu = nn.PReLU(4)
    prelu.weight.data = torch.tensor([0.2, -0.3, 0.0, 1.0])
    return nn.Sequential(
        nn.Conv2d(2, 4, 3),
        prelu,
        nn.Conv2d(4, 4, 3, stride=2, padding=1, padding_mode="reflect"),
        nn.Hardtanh(-0.8, 0.4),
        nn.Conv2d(4, 4, 1),
        nn.SELU(),
        nn.Flatten(),
        nn.Linear(36, 6),
        nn.Softshrink(0.2),
        nn.Linear(6, 3),
    )


def regression() -> nn.Module:
    """A linear layer between layers, bilinear upsampling, one number out."""
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, stride=2, padding=1),
        nn.Conv2d(3, 4, 3, padding=1),
        nn.Hardsigmoid(),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(4, 2, 3),
        nn.ELU(),
        nn.Flatten(),
        nn.Linear(72, 6),
        nn.Linear(6, 1),
    )


class Dips(nn.Module):
    """SiLU, GELU, Hardswish and Mish, some written as products, with a residual sum and a depthwise convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.SiLU())
        self.depthwise = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.BatchNorm2d(4))
        self.project, self.last = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 6, 3, stride=2)
        self.out = nn.Linear(54, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        y = self.depthwise(x)
        x = x + F.mish(self.project(y * F.relu6(y + 3) / 6))
        return self.out(F.gelu(self.last(x), approximate="tanh").flatten(1))


SIGNED: dict[str, Callable[[], nn.Module]] = {
    "bottleneck": Bottleneck,
    "autoencoder": autoencoder,
    "dense": Dense,
    "squashing": squashing,
    "fire": Fire,
    "shuffle": Shuffle,
    "slopes": slopes,
    "regression": regression,
    "dips": Dips,
}


def make_signed(name: str, seed: int = 0) -> nn.Module:
    return prepared(SIGNED[name](), seed)
