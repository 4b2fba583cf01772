"""Accuracy of a CIFAR-10 network by the paper's method alone: ANN, float SNN and INT8 SNN on all test images.

    python -m benchmarks.cifar10 --network FOLDER [--images-of FOLDER] [--lava 1] [--json FILE]

A folder holds `model.py` with `load()` (the trained network); the folder of images holds `model.py` with
`images("calibration" | "test")` (uint8 images and labels) and `normalise`. Calibration images are used for calibration
only.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from pathlib import Path
from types import ModuleType

import torch

import loihi_onespike as los
from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.core.trace import differing_spikes, first_difference
from loihi_onespike.evaluation import Evaluation


def module_of(folder: Path) -> ModuleType:
    """The `model.py` of a folder."""
    spec = importlib.util.spec_from_file_location(f"{folder.name}_model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lava_check(net: OneSpikeNetwork, x: torch.Tensor) -> dict[str, object]:
    """Images through the Lava process graph, compared with the oracle neuron by neuron."""
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
    return (
        f"{name:6} {result.accuracy!s:28} loss {result.loss_pp:5.2f} pp  agreement {result.agreement!s:28} "
        f"spikes {result.hidden_spikes_per_neuron:.3f}  α {result.alpha_fp32:.2f} FP32 {result.alpha_int8:.2f} INT8"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--images-of", type=Path, help="folder of the images, by default that of the network")
    parser.add_argument("--calibration-images", type=int, default=512)
    parser.add_argument("--timesteps", type=int, default=16)
    parser.add_argument("--base", type=float, default=1.3)
    parser.add_argument("--wait", type=int)
    parser.add_argument("--images", type=int, help="first test images only")
    parser.add_argument("--lava", type=int, default=0, help="images through Lava's process graph")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    data = module_of(args.images_of or args.network)
    model = module_of(args.network).load()
    calibration = data.normalise(data.images("calibration")[0][: args.calibration_images])
    images, labels = data.images("test")
    x, y = data.normalise(images[: args.images]), labels[: args.images]

    start = time.perf_counter()
    net = los.convert(model, calibration, timesteps=args.timesteps, base=args.base, wait=args.wait)
    report: dict[str, object] = {"network": args.network.name, "convert_seconds": time.perf_counter() - start}
    print(net)
    for executor in ("float", "fast"):
        start = time.perf_counter()
        result = net.evaluate(x, y, executor=executor)
        report[executor] = {**result.to_dict(), "seconds": time.perf_counter() - start}
        if executor == "float":
            print(f"ANN    {result.ann_accuracy} on {result.images} images")
        print(row("float" if executor == "float" else "INT8", result), flush=True)
    if args.lava:
        report["lava"] = lava_check(net, x[: args.lava])
        print(report["lava"])
    if args.json:
        args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
