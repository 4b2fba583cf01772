"""A vision transformer of digit size: LayerNorm, GELU and softmax attention with a class token (arXiv 2010.11929)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

WEIGHTS = Path(__file__).with_name("digits_vit.safetensors")
PATCH, WIDTH, HEADS, BLOCKS = 2, 24, 2, 2
TOKENS = (8 // PATCH) ** 2 + 1


class DigitsAttention(nn.Module):
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


class DigitsBlock(nn.Module):
    """Attention and a perceptron, each behind a LayerNorm and beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = DigitsAttention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.perceptron = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tokens behind both parts."""
        x = x + self.attention(self.norm1(x))
        return x + self.perceptron(self.norm2(x))


class DigitsViT(nn.Module):
    """Two blocks of two heads on 16 patches of 2 x 2 and a class token, width 24; input (N, 1, 8, 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
        self.positions = nn.Parameter(0.02 * torch.randn(1, TOKENS, WIDTH))
        self.blocks = nn.Sequential(*[DigitsBlock() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, 10) of images (N, 1, 8, 8)."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        return self.classifier(self.norm(self.blocks(x))[:, 0])


def load_digits_vit() -> DigitsViT:
    """The network in eval mode with the weights that ship with the package; `loihi_onespike.demo.train` made them."""
    from safetensors.torch import load_file

    model = DigitsViT()
    model.load_state_dict(load_file(WEIGHTS))
    return model.eval()
