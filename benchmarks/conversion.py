"""Time of `convert` in forward passes of the ANN over its calibration images, for every objective.

    python -m benchmarks.conversion --network resnet20/ --network vgg16/ --images-of resnet20/
    python -m benchmarks.conversion --deep-depthwise

Both times are CPU times of one process with all its threads; the forward is the fastest of three over the same images.
On a busy machine threads that wait for each other lengthen the forward more than the conversion, so that the ratio
falls. The first conversion, which is not measured, compiles the kernels. `--deep-depthwise` is a network of 27
convolutions of which 13 are depthwise, on 100 images of 96 × 96 pixels, with random weights: its seconds are what a
user with a network of that kind waits for.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import loihi_onespike as los
from benchmarks.cifar10 import module_of
from benchmarks.command_line import command_parser, write_json
from benchmarks.zoo_measurement import with_statistics

OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"objective": "accuracy"},
    {"objective": "energy"},
    {"objective": "energy", "max_loss": 0.8},
    {"timesteps": 4, "payload_bits": 3},
    {"timesteps": 4, "payload_bits": 3, "wait": 2},
)
BATCH, IMAGES, PIXELS, CHANNELS = 64, 100, 96, (16, 32, 64, 64, 128, 128, *[256] * 6, 512, 512)


def deep_depthwise() -> nn.Module:
    """A convolution and 13 blocks of a depthwise and a pointwise one, each with batch norm and ReLU."""

    def block(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    torch.manual_seed(0)
    layers = block(3, CHANNELS[0], 3, 2)
    for i, (inputs, outputs) in enumerate(itertools.pairwise(CHANNELS)):
        layers += block(inputs, inputs, 3, 2 if i in (1, 3, 5, 11) else 1, inputs) + block(inputs, outputs, 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CHANNELS[-1], 10))


def cpu_seconds(run: Callable[[], Any]) -> float:
    """CPU time of a call, of all threads."""
    start = time.process_time()
    run()
    return time.process_time() - start


def forward_seconds(model: nn.Module, x: torch.Tensor) -> float:
    """CPU time of a forward pass over images (N, …), the least of three."""
    with torch.no_grad():
        return min(cpu_seconds(lambda: [model(part) for part in x.split(BATCH)]) for _ in range(3))


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--network", action="append", default=[], type=Path, metavar="FOLDER", help="may be repeated")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: the network)")
    parser.add_argument("--calibration-images", type=int, default=512, metavar="N", help="default: 512")
    parser.add_argument("--deep-depthwise", action="store_true", help="27 layers, 100 random images of 96 × 96 pixels")
    args = parser.parse_args()
    tried: list[tuple[str, nn.Module, torch.Tensor]] = []
    for folder in args.network:
        data = module_of(args.images_of or folder)
        images = data.normalise(data.images("calibration")[0][: args.calibration_images])
        tried.append((folder.name, module_of(folder).load(), images))
    if args.deep_depthwise:
        x = torch.randn(IMAGES, 3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(1))
        tried.append(("27 layers, depthwise", with_statistics(deep_depthwise(), x.numpy(), full=True), x))
    report = []
    for name, model, x in tried:
        los.convert(model, x[:BATCH])
        forward = forward_seconds(model, x)
        for options in OPTIONS:
            wall = time.perf_counter()
            seconds = cpu_seconds(lambda: los.convert(model, x, **options))  # noqa: B023
            wall = time.perf_counter() - wall
            text = ", ".join(f"{key}={value}" for key, value in options.items()) or "defaults"
            print(
                f"{name:24} {text:44} {seconds / forward:6.1f} forwards, {seconds:6.1f} s CPU, {wall:6.1f} s",
                flush=True,
            )
            report.append({"network": name, "images": len(x), "options": options, "forwards": seconds / forward})
    write_json(args.json, report)


if __name__ == "__main__":
    main()
