"""Networks of the zoo that torchvision does not have: several outputs, recurrent layers."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class ConvSilu(nn.Sequential):
    """Convolution, batch norm and SiLU.

    Args:
        inputs, outputs: channels.
        kernel: size of the kernel.
        stride: stride.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs), nn.SiLU())


class Split(nn.Module):
    """Half of the channels pass a residual block of two convolutions, and both halves are joined again."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.left, self.right = ConvSilu(channels, half, 1), ConvSilu(channels, half, 1)
        self.block = nn.Sequential(ConvSilu(half, half), ConvSilu(half, half))
        self.joined = ConvSilu(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of the same shape."""
        right = self.right(x)
        return self.joined(torch.cat([self.left(x), right + self.block(right)], dim=1))


class YoloStyle(nn.Module):
    """A detector after YOLO: four levels, of which the last three exchange features and have a head each.

    A head gives (anchors · (4 + 1 + classes)) values per place, before the decoding of boxes and NMS.

    Args:
        width: channels of the first level.
        outputs: channels of a head.
    """

    def __init__(self, width: int = 16, outputs: int = 3 * (4 + 1 + 20)) -> None:
        super().__init__()
        sizes = [width, 2 * width, 4 * width, 8 * width]
        self.stem = ConvSilu(3, width, 3, 2)
        levels = pairwise(sizes)
        self.levels = nn.ModuleList(nn.Sequential(ConvSilu(a, b, 3, 2), Split(b)) for a, b in levels)
        small, middle, large = sizes[1:]
        self.down_to_middle, self.down_to_small = ConvSilu(large, middle, 1), ConvSilu(middle, small, 1)
        self.middle, self.small = Split(2 * middle), Split(2 * small)
        self.to_middle = ConvSilu(2 * middle, middle, 1)
        self.heads = nn.ModuleList(nn.Conv2d(c, outputs, 1) for c in (2 * small, 2 * middle, large))
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The three heads, from the finest to the coarsest."""
        x = self.stem(x)
        features = []
        for level in self.levels:
            x = level(x)
            features.append(x)
        small, middle, large = features
        middle = self.middle(torch.cat([middle, self.grow(self.down_to_middle(large))], dim=1))
        small = self.small(torch.cat([small, self.grow(self.down_to_small(self.to_middle(middle)))], dim=1))
        return tuple(head(f) for head, f in zip(self.heads, (small, middle, large), strict=True))


class RowSequence(nn.Module):
    """Rows of an image as the steps of a recurrent layer, whose last state is classified.

    Args:
        kind: LSTM or GRU of torch.
        features: values of a row.
        hidden: size of the state.
    """

    def __init__(self, kind: type[nn.LSTM | nn.GRU], features: int, hidden: int = 64) -> None:
        super().__init__()
        self.layer, self.last = kind(features, hidden, batch_first=True), nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of ten classes for images (N, C, H, W)."""
        rows = x.permute(0, 2, 1, 3).flatten(2)
        return self.last(self.layer(rows)[0][:, -1])
