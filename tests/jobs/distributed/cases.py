"""What the ranks of the tests and the test itself compute: a fixed network, images, and stages to survey."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.data.batches import calibration_batches
from loihi_onespike.frontend import trace
from tests.support.networks import chain

BATCH = 3


def network():
    """With multiplications of an ANN, which α asks for."""
    made = chain()
    return replace(made, facts={**made.facts, "ann_macs": {s.name: 1000 + i for i, s in enumerate(made.synapses)}})


def data(count: int = 10):
    rng = np.random.default_rng(11)
    return rng.random((count, 1, 8, 8)).astype(np.float32), rng.integers(0, 10, count)


class Failing(nn.Module):
    """An ANN that fails where it is told to."""

    def __init__(self, error: type[BaseException] | None) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.error is not None:
            raise self.error("a picture is odd")
        time.sleep(0.4)  # so that the rank that fails comes to take a part
        return torch.zeros(len(x), 10)

    def __repr__(self) -> str:
        return "Failing()"  # the same network on every rank


def stages():
    """A small CNN before it is planned, and 50 images in batches of 8."""
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 6), nn.ReLU(), nn.Linear(6, 3)
    ).eval()
    images = torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(4))
    batches = [b for i in range(0, 50, 8) for b in calibration_batches(images[i : i + 8])]
    return lower(*pool_last(trace(model, torch.from_numpy(batches[0][:2])))), batches
