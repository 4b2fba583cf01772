"""Trains a network of `benchmarks/networks` on CIFAR-10 images and stores its weights beside its definition.

    python -m benchmarks.train_cifar10 vit --images-of cifar10/ --seconds 300 --device cuda

The folder of the images holds `model.py` with `images(name)` for "train" and "test" (uint8 images and labels) and
`normalise(images)`. The learning rate follows the clock, so that training ends within the seconds given on any device;
test images are used once, for the accuracy that is printed at the end.
"""

from __future__ import annotations

import importlib
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.cifar10 import module_of
from benchmarks.command_line import command_parser, write_json
from benchmarks.networks.stored import FILE, save_weights

NETWORKS = {"depthwise": "DepthwiseNet", "mobilenet": "MobileNet", "vit": "CifarViT"}
WARM_UP = 0.05
"""Share of the training in which the learning rate rises."""
MOMENTUM_OF_MEAN = 0.999
"""Momentum of the running mean of the weights, which is what is stored."""


def shifted_and_flipped(x: Tensor, most: int = 4) -> Tensor:
    """Images (N, C, H, W), each moved by up to `most` pixels and mirrored by chance; zeros come in from outside."""
    n, _, height, width = x.shape
    padded = F.pad(x, (most,) * 4)
    rows = torch.arange(height, device=x.device) + torch.randint(0, 2 * most + 1, (n, 1), device=x.device)
    columns = torch.arange(width, device=x.device) + torch.randint(0, 2 * most + 1, (n, 1), device=x.device)
    columns = torch.where(torch.rand(n, 1, device=x.device) < 0.5, columns, columns.flip(1))
    image = torch.arange(n, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def with_patches_of_others(x: Tensor, rectangle: float, chance: np.random.Generator) -> tuple[Tensor, Tensor, float]:
    """CutMix (Yun et al. 2019): a rectangle of every image from another one.

    Args:
        x: images (N, C, H, W).
        rectangle: both parameters of the beta distribution of the own share.
        chance: random numbers.

    Returns:
        The mixed images, the number of the other image of each, and the share that is the image's own.
    """
    n, _, height, width = x.shape
    other = torch.randperm(n, device=x.device)
    own = float(chance.beta(rectangle, rectangle))
    h, w = int(height * math.sqrt(1 - own)), int(width * math.sqrt(1 - own))
    top, left = chance.integers(height - h + 1), chance.integers(width - w + 1)
    mixed = x.clone()
    mixed[:, :, top : top + h, left : left + w] = x[other][:, :, top : top + h, left : left + w]
    return mixed, other, 1 - h * w / (height * width)


def train(network: nn.Module, x: Tensor, y: Tensor, seconds: float, batch: int, rate: float, decay: float) -> int:
    """Train in place for so many seconds; number of epochs.

    Args:
        network: on the device of the images.
        x: normalised images (N, 3, 32, 32).
        y: classes (N,).
        seconds: of training.
        batch: images per step.
        rate: largest learning rate.
        decay: weight decay of AdamW.
    """
    mean = {name: t.detach().clone() for name, t in network.state_dict().items()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay, betas=(0.9, 0.99))
    network.train()
    start, epochs, done = time.monotonic(), 0, 0.0
    chance = np.random.default_rng(0)
    while done < 1:
        for some in torch.randperm(len(x), device=x.device).split(batch):
            done = (time.monotonic() - start) / seconds
            if done >= 1:
                break
            share = done / WARM_UP if done < WARM_UP else 0.5 * (1 + math.cos(math.pi * done))
            optimizer.param_groups[0]["lr"] = rate * min(share, 1.0)
            images, classes = shifted_and_flipped(x[some]), y[some]
            images, other, own = (
                with_patches_of_others(images, 1.0, chance) if chance.random() < 0.5 else (images, None, 1.0)
            )
            with torch.autocast(x.device.type, torch.bfloat16, enabled=x.device.type == "cuda"):
                scores = network(images)
                loss = own * F.cross_entropy(scores, classes, label_smoothing=0.1)
                if other is not None:
                    loss = loss + (1 - own) * F.cross_entropy(scores, classes[other], label_smoothing=0.1)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            for name, t in network.state_dict().items():
                mean[name] = mean[name].lerp(t, 1 - MOMENTUM_OF_MEAN) if t.is_floating_point() else t.clone()
        epochs += 1
    network.load_state_dict(mean)
    return epochs


def accuracy(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of the images whose class is right, in percent.

    Args:
        network: on the device of the images.
        x: normalised images (N, 3, 32, 32).
        y: classes (N,).
    """
    network.eval()
    with torch.no_grad():
        right = [
            (network(some).argmax(1) == classes).sum() for some, classes in zip(x.split(500), y.split(500), strict=True)
        ]
    return 100 * float(torch.stack(right).sum()) / len(x)


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("network", choices=NETWORKS, help="network to train")
    parser.add_argument("--images-of", type=Path, required=True, metavar="FOLDER", help="folder of the images")
    parser.add_argument("--seconds", type=float, default=300, help="of training (default: 300)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--batch", type=int, default=256, metavar="N", help="images per step (default: 256)")
    parser.add_argument("--rate", type=float, default=2e-3, help="largest learning rate (default: 0.002)")
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay (default: 0.05)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the weights (default: that of the network)")
    args = parser.parse_args()

    torch.manual_seed(0)
    data = module_of(args.images_of)
    definition = importlib.import_module(f"benchmarks.networks.{args.network}.model")
    network = getattr(definition, NETWORKS[args.network])().to(args.device)
    (x, y), (x_test, y_test) = (
        (data.normalise(images).to(args.device), torch.as_tensor(np.asarray(labels), dtype=torch.long).to(args.device))
        for images, labels in map(data.images, ("train", "test"))
    )
    epochs = train(network, x, y, args.seconds, args.batch, args.rate, args.decay)
    folder = args.out or Path(__file__).parent / "networks" / args.network
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(network, folder)
    network.half().float()
    report = {
        "network": args.network,
        "parameters": sum(p.numel() for p in network.parameters()),
        "epochs": epochs,
        "train_accuracy": accuracy(network, x, y),
        "test_accuracy": accuracy(network, x_test, y_test),
        "bytes": (folder / FILE).stat().st_size,
    }
    print(json.dumps(report))
    write_json(args.json, report)


if __name__ == "__main__":
    main()
