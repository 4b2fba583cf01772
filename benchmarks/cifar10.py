"""Accuracy of a CIFAR-10 network at one T and base: ANN, float SNN and INT8 SNN on all test images.

    python -m benchmarks.cifar10 --network resnet20/ --json resnet20.json
    python -m benchmarks.cifar10 --network vgg16/ --images-of resnet20/ --timesteps 24 --base 1.2 --images 500
    python -m benchmarks.cifar10 --network resnet20/ --images 100 --lava 1
    python -m benchmarks.cifar10 --network benchmarks/networks/vit --images-of resnet20/ --timesteps 48 \
        --objective accuracy --calibration-images 64 --images 1000

The folder of a network holds `model.py` with `load()`, which returns the trained network. The folder of the images
holds `model.py` with `images(name)` for "calibration" and "test" (uint8 images and labels) and `normalise(images)`.
Calibration images are used for calibration only.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType
from typing import Literal

import torch

import loihi_onespike as los
from benchmarks.command_line import command_parser, write_json
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.core.trace import differing_spikes, first_difference
from loihi_onespike.evaluation import Evaluation


def module_of(folder: Path) -> ModuleType:
    """Module `model.py` of a folder."""
    spec = importlib.util.spec_from_file_location(f"{folder.name}_model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lava_check(net: OneSpikeNetwork, x: torch.Tensor) -> dict[str, object]:
    """Differences between Lava, the fast executor and the reference on images (N, …), neuron by neuron."""
    expected = net.trace(x, "reference")
    start = time.perf_counter()
    found = net.trace(x, "lava", timeout_s=1800)
    seconds = time.perf_counter() - start
    fast = net.trace(x, "fast")
    return {
        "images": len(x),
        "lava_seconds": seconds,
        "differing_spikes_lava": differing_spikes(expected, found),
        "differing_spikes_fast": differing_spikes(expected, fast),
        "potentials_equal": first_difference(expected, found) is None and first_difference(expected, fast) is None,
    }


def row(name: str, result: Evaluation) -> str:
    """One line of the printed report."""
    return (
        f"{name:6} {result.accuracy!s:28} loss {result.loss_pp:5.2f} pp  agreement {result.agreement!s:28} "
        f"spikes {result.hidden_spikes_per_neuron:.3f}  α {result.alpha_fp32:.2f} FP32 {result.alpha_int8:.2f} INT8"
    )


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, metavar="FOLDER", help="folder of the network")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: --network)")
    parser.add_argument("--calibration-images", type=int, default=512, metavar="N", help="default: 512")
    parser.add_argument("--timesteps", type=int, default=16, metavar="T", help="default: 16")
    parser.add_argument("--base", type=float, metavar="Q", help="one base for all layers (default: fitted levels)")
    parser.add_argument("--objective", default="auto", metavar="NAME", help="of the conversion (default: auto)")
    parser.add_argument("--wait", type=int, metavar="N", help="steps before the first decision (default: T)")
    parser.add_argument("--images", type=int, metavar="N", help="use the first N test images (default: all)")
    executors = ["float", "fast"]
    parser.add_argument("--executors", nargs="+", choices=executors, default=executors, help="default: both")
    parser.add_argument("--lava", type=int, default=0, metavar="N", help="run N images on Lava too (default: 0)")
    args = parser.parse_args()

    data = module_of(args.images_of or args.network)
    model = module_of(args.network).load()
    calibration = data.normalise(data.images("calibration")[0][: args.calibration_images])
    images, labels = data.images("test")
    x, y = data.normalise(images[: args.images]), labels[: args.images]

    start = time.perf_counter()
    base: float | Literal["auto"] = "auto" if args.base is None else args.base
    net = los.convert(model, calibration, timesteps=args.timesteps, base=base, wait=args.wait, objective=args.objective)
    report: dict[str, object] = {"network": args.network.name, "convert_seconds": time.perf_counter() - start}
    print(net)
    for executor in args.executors:
        start = time.perf_counter()
        result = net.evaluate(x, y, executor=executor)
        report[executor] = {**result.to_dict(), "seconds": time.perf_counter() - start}
        if executor == args.executors[0]:
            print(f"ANN    {result.ann_accuracy} on {result.images} images")
        print(row("float" if executor == "float" else "INT8", result), flush=True)
    if args.lava:
        report["lava"] = lava_check(net, x[: args.lava])
        print(report["lava"])
    write_json(args.json, report)


if __name__ == "__main__":
    main()
