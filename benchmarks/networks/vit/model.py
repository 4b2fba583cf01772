"""Vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929, section 3.1) for 32 x 32 images.

Patches of 4 x 4, width 128, six blocks of four heads, a class token (65 tokens), LayerNorm before attention and before
the perceptron, GELU.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.networks.stored import with_weights
from loihi_onespike.models.vision_transformer import VisionTransformer


class CifarViT(VisionTransformer):
    """Six blocks of four heads on 64 patches of 4 x 4 and a class token, width 128; input (N, 3, 32, 32)."""

    def __init__(self) -> None:
        super().__init__(channels=3, size=32, patch=4, width=128, heads=4, blocks=6, hidden=512)


def load() -> CifarViT:
    """The trained network."""
    return with_weights(CifarViT(), Path(__file__).parent)
