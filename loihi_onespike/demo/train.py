"""Training of the shipped networks: `python -m loihi_onespike.demo.train [digits or digits-vit] [weights.safetensors]`.

The training is seeded and uses the training part of the digits only, for a fixed number of epochs and without model
selection: the test part is evaluated once, after the last step, to print the accuracy. It takes about half a minute on
two cores. This script wrote the weights that ship with the package; other versions of PyTorch or other processors may
round differently and give other weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from loihi_onespike.data.digits import load_digits_data, training_part
from loihi_onespike.models import digits_cnn, digits_vit

SEED = 0
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-3
LABEL_SMOOTHING = 0.05


NETWORKS: dict[str, tuple[type[nn.Module], Path, int]] = {
    "digits": (digits_cnn.DigitsCNN, digits_cnn.WEIGHTS, 60),
    "digits-vit": (digits_vit.DigitsViT, digits_vit.WEIGHTS, 400),
}
"""Module, file of weights and number of epochs of each shipped network."""


def train(network: type[nn.Module], epochs: int) -> nn.Module:
    """Train with AdamW and a one-cycle learning rate on images shifted by up to one pixel; returns it in eval mode.

    Args:
        network: module to train.
        epochs: passes over the training part.
    """
    torch.manual_seed(SEED)
    x, y = (torch.from_numpy(a) for a in training_part())
    model = network().train()
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=epochs * batches)
    loss_of = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss_of(model(shifted(x[chosen])), y[chosen]).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def shifted(x: torch.Tensor) -> torch.Tensor:
    """Every image shifted by -1, 0 or 1 pixels in both directions and filled up with zeros."""
    height, width = x.shape[2:]
    padded = F.pad(x, (1, 1, 1, 1))
    corners = torch.randint(0, 3, (len(x), 2)).tolist()
    return torch.stack([image[:, i : i + height, j : j + width] for image, (i, j) in zip(padded, corners, strict=True)])


@torch.no_grad()
def accuracy(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    """Fraction of images that a model classifies correctly.

    Args:
        model: model in eval mode.
        x: images (N, …).
        y: labels (N,).
    """
    return float((model(torch.from_numpy(x)).argmax(1).numpy() == y).mean())


def main(name: str = "digits", weights: str | None = None) -> None:
    """Train a network, write its weights, and print its accuracy.

    Args:
        name: one of NETWORKS.
        weights: file for the weights; None for that of the package.
    """
    network, shipped, epochs = NETWORKS[name]
    path = shipped if weights is None else Path(weights)
    model = train(network, epochs)
    test = load_digits_data()
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    print(f"training part  {100 * accuracy(model, *training_part()):.2f} %")
    print(f"test part      {100 * accuracy(model, np.asarray(test.images), test.labels):.2f} % of {len(test)} images")
    print(f"weights        {path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main(*sys.argv[1:3])
