"""MobileNet-style network (Howard et al. 2017, arXiv 1704.04861, Table 1) for 32 x 32 images, at half width.

Thirteen blocks of a depthwise and a pointwise convolution, each with batch norm and ReLU, without shortcuts: errors of
depthwise channels do not average out over many inputs, which makes it the hard case among networks of ReLUs.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from benchmarks.networks.stored import with_weights

BLOCKS = ((32, 1), (64, 1), (64, 1), (128, 2), (128, 1), (256, 2), *[(256, 1)] * 5, (512, 2), (512, 1))
"""Channels and stride of each block."""


def convolution(c_in: int, c_out: int, size: int, stride: int, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm and ReLU.

    Args:
        c_in: channels of the input.
        c_out: channels of the output.
        size: of the square kernel.
        stride: of the convolution.
        groups: of channels; c_in for a depthwise convolution.
    """
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()
    )


class DepthwiseNet(nn.Module):
    """Input (N, 3, 32, 32), output (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        blocks, c_in = [convolution(3, 16, 3, 1)], 16
        for c_out, stride in BLOCKS:
            blocks += [convolution(c_in, c_in, 3, stride, groups=c_in), convolution(c_in, c_out, 1, 1)]
            c_in = c_out
        self.features = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(c_in, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        return self.classifier(self.pool(self.features(x)).flatten(1))


def load() -> DepthwiseNet:
    """The trained network."""
    return with_weights(DepthwiseNet(), Path(__file__).parent)
