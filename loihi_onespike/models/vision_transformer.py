"""A vision transformer: LayerNorm, GELU and softmax attention with a class token (arXiv 2010.11929, section 3.1)."""

from __future__ import annotations

import torch
from torch import nn


class Attention(nn.Module):
    """Self-attention of all tokens; input and output (N, tokens, width).

    Args:
        width: features of a token.
        heads: number of heads, a divisor of the width.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The attended values."""
        n, tokens, width = x.shape
        size = width // self.heads
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        attention = (q * size**-0.5 @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.project((attention @ v).transpose(1, 2).reshape(n, tokens, width))


class TransformerBlock(nn.Module):
    """Attention and a perceptron, each behind a LayerNorm and beside a shortcut.

    Args:
        width, heads: as of `Attention`.
        hidden: hidden features of the perceptron.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tokens behind both parts."""
        x = x + self.attention(self.norm1(x))
        return x + self.perceptron(self.norm2(x))


class VisionTransformer(nn.Module):
    """Input (N, channels, size, size), output (N, 10).

    Args:
        channels, size: channels, and height and width of an image.
        patch: height and width of a patch.
        width, heads, hidden: as of `TransformerBlock`.
        blocks: number of blocks.
    """

    def __init__(self, channels: int, size: int, patch: int, width: int, heads: int, blocks: int, hidden: int) -> None:
        super().__init__()
        tokens = (size // patch) ** 2 + 1
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.blocks = nn.Sequential(*[TransformerBlock(width, heads, hidden) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        return self.classifier(self.norm(self.blocks(x))[:, 0])
