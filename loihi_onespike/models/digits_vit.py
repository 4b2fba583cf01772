"""A vision transformer of digit size, with the weights that ship with the package."""

from __future__ import annotations

from pathlib import Path

from loihi_onespike.models.vision_transformer import VisionTransformer

WEIGHTS = Path(__file__).with_name("digits_vit.safetensors")


class DigitsViT(VisionTransformer):
    """Two blocks of two heads on 16 patches of 2 x 2 and a class token, width 24; input (N, 1, 8, 8)."""

    def __init__(self) -> None:
        super().__init__(channels=1, size=8, patch=2, width=24, heads=2, blocks=2, hidden=48)


def load_digits_vit() -> DigitsViT:
    """The network in eval mode with the weights that ship with the package; `loihi_onespike.demo.train` made them."""
    from safetensors.torch import load_file

    model = DigitsViT()
    model.load_state_dict(load_file(WEIGHTS))
    return model.eval()
