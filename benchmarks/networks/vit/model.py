"""Vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929, section 3.1) for 32 x 32 images.

Patches of 4 x 4, width 128, six blocks of four heads, a class token (65 tokens), LayerNorm before attention and before
the perceptron, GELU.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from benchmarks.networks.stored import with_weights

PATCH, WIDTH, BLOCKS, HEADS = 4, 128, 6, 4
TOKENS = (32 // PATCH) ** 2 + 1


class Attention(nn.Module):
    """Self-attention of all tokens; input and output (N, tokens, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.project = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The attended values."""
        n, tokens, _ = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        attention = (q * (WIDTH // HEADS) ** -0.5 @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.project((attention @ v).transpose(1, 2).reshape(n, tokens, WIDTH))


class Block(nn.Module):
    """One block of the transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.perceptron = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tokens after attention and perceptron, each added to its input."""
        x = x + self.attention(self.norm1(x))
        return x + self.perceptron(self.norm2(x))


class VisionTransformer(nn.Module):
    """Input (N, 3, 32, 32), output (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
        self.positions = nn.Parameter(0.02 * torch.randn(1, TOKENS, WIDTH))
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        return self.classifier(self.norm(self.blocks(x))[:, 0])


def load() -> VisionTransformer:
    """The trained network."""
    return with_weights(VisionTransformer(), Path(__file__).parent)
