"""MobileNetV3-style network (Howard et al. 2019, arXiv 1905.02244, section 5) for 32 x 32 images.

Inverted residuals with Hardswish in the later half, ReLU in the earlier one, and squeeze-and-excitation gates with
Hardsigmoid.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from benchmarks.networks.stored import with_weights

BLOCKS = (
    # kernel, expanded, out, gate, activation, stride
    (3, 16, 16, True, nn.ReLU, 1),
    (3, 72, 24, False, nn.ReLU, 2),
    (3, 88, 24, False, nn.ReLU, 1),
    (5, 96, 40, True, nn.Hardswish, 2),
    (5, 240, 40, True, nn.Hardswish, 1),
    (5, 240, 40, True, nn.Hardswish, 1),
    (5, 120, 48, True, nn.Hardswish, 1),
    (5, 144, 48, True, nn.Hardswish, 1),
    (5, 288, 96, True, nn.Hardswish, 2),
    (5, 576, 96, True, nn.Hardswish, 1),
)


class Gate(nn.Module):
    """Squeeze-and-excitation: every channel times a gate from 0 to 1 that depends on the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(8, channels // 4)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.relu = nn.ReLU()
        self.excite = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The gated channels."""
        return x * self.gate(self.excite(self.relu(self.squeeze(self.pool(x)))))


class Block(nn.Module):
    """Inverted residual."""

    def __init__(
        self, c_in: int, size: int, wide: int, c_out: int, gate: bool, kind: type[nn.Module], stride: int
    ) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        if wide != c_in:
            parts += [nn.Conv2d(c_in, wide, 1, bias=False), nn.BatchNorm2d(wide), kind()]
        parts += [
            nn.Conv2d(wide, wide, size, stride, size // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            kind(),
        ]
        if gate:
            parts.append(Gate(wide))
        parts += [nn.Conv2d(wide, c_out, 1, bias=False), nn.BatchNorm2d(c_out)]
        self.parts = nn.Sequential(*parts)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output, with the input added where the shapes are equal."""
        y = self.parts(x)
        return x + y if self.shortcut else y


class MobileNet(nn.Module):
    """Input (N, 3, 32, 32), output (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish()]
        c_in = 16
        for size, wide, c_out, gate, kind, stride in BLOCKS:
            parts.append(Block(c_in, size, wide, c_out, gate, kind, stride))
            c_in = c_out
        parts += [nn.Conv2d(c_in, 288, 1, bias=False), nn.BatchNorm2d(288), nn.Hardswish()]
        self.features = nn.Sequential(*parts)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.hidden = nn.Linear(288, 256)
        self.activation = nn.Hardswish()
        self.classifier = nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        return self.classifier(self.activation(self.hidden(self.pool(self.features(x)).flatten(1))))


def load() -> MobileNet:
    """The trained network."""
    return with_weights(MobileNet(), Path(__file__).parent)
