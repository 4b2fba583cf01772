"""Price of the executors in forwards of the ANN, as ratios measured in one run on the same images.

    python -m benchmarks.speed --network FOLDER [--images-of FOLDER] [--images 250] [--repeats 5] [--json FILE]

The folders are those of `benchmarks.cifar10`. Every executor and the ANN run the same batch in turn, `repeats` times;
the ratio is that of the medians. A shared machine changes its speed between runs, not within one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

import loihi_onespike as los
from benchmarks.cifar10 import module_of
from loihi_onespike.network import ann_output


def in_turn(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each, taken A B C A B C …, after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if i:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--images-of", type=Path)
    parser.add_argument("--images", type=int, default=250)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    data = module_of(args.images_of or args.network)
    model = module_of(args.network).load()
    calibration = data.normalise(data.images("calibration")[0][:128])
    x = data.normalise(data.images("test")[0][: args.images]).numpy()

    runs: dict[str, Callable[[], object]] = {"ANN": lambda: ann_output(model, x)}
    for timesteps, wait in ((8, None), (16, None), (16, 4), (32, None)):
        net = los.convert(model, calibration, timesteps=timesteps, wait=wait)
        name = f"T={timesteps} {'full wait' if wait is None else f'wait {wait}'}"
        runs[f"fast {name}"] = lambda net=net: net.predict(x, "fast")  # type: ignore[misc]
        if wait is None:
            runs[f"float {name}"] = lambda net=net: net.predict(x, "float")  # type: ignore[misc]
    seconds = in_turn(runs, args.repeats)
    ratios = {name: value / seconds["ANN"] for name, value in seconds.items()}
    print(f"{args.network.name}, {args.images} images, {torch.get_num_threads()} threads")
    for name, ratio in ratios.items():
        print(f"{name:24} {ratio:6.2f} ANN forwards  {1000 * seconds[name] / args.images:7.2f} ms per image")
    if args.json:
        args.json.write_text(json.dumps({"ratios": ratios, "seconds": seconds, "images": args.images}, indent=1))


if __name__ == "__main__":
    main()
