"""The network of the demo: a small CNN for 8 x 8 handwritten digits."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

WEIGHTS = Path(__file__).with_name("digits_cnn.safetensors")


class DigitsCNN(nn.Module):
    """A CNN from images (N, 1, 8, 8) in 0..1 to logits (N, 10), with 6,366 parameters.

    conv 1→12, batch norm, ReLU; conv 12→16, batch norm, ReLU, max pooling; conv 16→24, batch norm, ReLU, average
    pooling; linear 96→10.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(12)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(12, 16, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.relu2 = nn.ReLU()
        self.max_pool = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(16, 24, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(24)
        self.relu3 = nn.ReLU()
        self.average_pool = nn.AvgPool2d(2)
        self.classifier = nn.Linear(24 * 2 * 2, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, 10) of images (N, 1, 8, 8)."""
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.max_pool(self.relu2(self.bn2(self.conv2(x))))
        x = self.average_pool(self.relu3(self.bn3(self.conv3(x))))
        return self.classifier(x.flatten(1))


def load_digits_cnn() -> DigitsCNN:
    """The network in eval mode with the weights that ship with the package; `loihi_onespike.demo.train` made them."""
    from safetensors.torch import load_file

    model = DigitsCNN()
    model.load_state_dict(load_file(WEIGHTS))
    return model.eval()
