"""Run time of the executors relative to a forward pass of the ANN, measured in one run on the same images.

    python -m benchmarks.speed --network resnet20/ --images 128
    python -m benchmarks.speed --network vgg16/ --images-of resnet20/ --cpu-time --json speed.json

The folders are those of `benchmarks.cifar10`. Every executor and the ANN run the same batch in turn, `--repeats` times,
and the ratio is that of the medians; it hardly depends on the load of the machine. Where other programs use the cores
all the time, `--cpu-time` compares the CPU time of one thread instead.

The report also holds the growth of the peak memory with the memory budget, the parts of the time of one prediction, the
lower bounds of `benchmarks.limits`, and the time of conversions with 512 images in forward passes of these images, for
both objectives and after a conversion with a few images, which loads the kernels or, the first time, compiles them.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch

import loihi_onespike as los
from benchmarks.cifar10 import module_of
from benchmarks.command_line import command_parser, write_json
from benchmarks.limits import bounds, machine
from loihi_onespike.api import OneSpikeNetwork, ann_output
from loihi_onespike.executors.entries.fast_entry import FastRuns
from loihi_onespike.executors.fast.bounded import bounded_layer, float_source
from loihi_onespike.executors.fast.event.event_layer import EventLayer

SETTINGS = ((8, None), (16, None), (32, None), (16, 4), (16, 8))
CONVERSIONS: tuple[dict[str, Any], ...] = (
    {"objective": "balanced"},
    {"objective": "accuracy"},
    {"objective": "balanced", "wait": 8},
)
"""Options of `convert` whose time is measured, at T=16."""
FEW_IMAGES = 16
"""Images of the conversion that loads the kernels."""
BUDGETS_MIB = (64, 256, 1024)
IMAGES_FOR_MEMORY = 1000


def in_turn(runs: dict[str, Callable[[], object]], repeats: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median time of each run in seconds, taken in the order A B C A B C … after one warm-up.

    Args:
        runs: functions by name.
        repeats: number of measurements of each.
        clock: clock in seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(repeats + 1):
        for name, run in runs.items():
            start = clock()
            run()
            if i:
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def memory(net: OneSpikeNetwork, x: np.ndarray) -> dict[str, float]:
    """Growth of the process in MiB during predictions of many images, by memory budget (Linux only)."""
    status, growth = Path("/proc/self/status"), {}
    if not status.exists():
        return {}

    def mib(field: str) -> float:
        (line,) = (line for line in status.read_text().splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024

    many = np.tile(x, (-(-IMAGES_FOR_MEMORY // len(x)), 1, 1, 1))
    net.predict(many[:1])
    for budget in BUDGETS_MIB:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        start = mib("VmRSS")
        net.predict(many, memory_budget=budget * 2**20)
        growth[f"{budget} MiB"] = mib("VmHWM") - start
    return growth


def profile(net: OneSpikeNetwork, x: np.ndarray, clock: Callable[[], float]) -> dict[str, float]:
    """Time of one prediction in seconds by part of the work.

    Args:
        net: the network.
        x: inputs (N, …).
        clock: clock in seconds.
    """
    spent: defaultdict[str, float] = defaultdict(float)

    def timed(owner: Any, name: str, label: str) -> Callable[[], None]:
        inner = getattr(owner, name)

        def outer(*args: Any, **kwargs: Any) -> Any:
            start = clock()
            try:
                return inner(*args, **kwargs)
            finally:
                spent[label] += clock() - start

        setattr(owner, name, outer)
        return lambda: setattr(owner, name, inner)

    restore = [
        timed(float_source, "look_up", "levels of the phases"),
        timed(float_source.FloatSource, "apply", "float maps"),
        timed(bounded_layer, "decide", "decisions by bounds"),
        timed(bounded_layer, "decide_exactly", "recursion of single neurons"),
        timed(EventLayer, "run_batch", "exact kernel of whole layers"),
    ]
    start = clock()
    net.predict(x)
    whole = clock() - start
    for undo in restore:
        undo()
    return {**dict(sorted(spent.items(), key=lambda item: -item[1])), "everything else": whole - sum(spent.values())}


def conversion_prices(
    model: torch.nn.Module, images: Any, clock: Callable[[], float]
) -> dict[str, tuple[float, float]]:
    """Conversions by their options: forward passes of the ANN on the same images, and seconds of the one before.

    The conversion before each has 16 images and loads the kernels, or compiles them where none are kept yet.

    Args:
        model: the ANN.
        images: calibration images.
        clock: clock in seconds.
    """
    x = np.asarray(images)
    once = in_turn({"ANN": lambda: ann_output(model, x)}, 3, clock)["ANN"]
    found = {}
    for options in CONVERSIONS:
        seconds = []
        for given in (x[:FEW_IMAGES], x):
            start = clock()
            los.convert(model, given, **options)
            seconds.append(clock() - start)
        found[", ".join(f"{k}={v}" for k, v in options.items())] = (seconds[1] / once, seconds[0])
    return found


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, metavar="FOLDER", help="folder of the network")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: --network)")
    parser.add_argument("--images", type=int, default=250, metavar="N", help="images per batch (default: 250)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="measurements of each run (default: 5)")
    parser.add_argument("--cpu-time", action="store_true", help="compare the CPU time of one thread")
    args = parser.parse_args()
    clock = time.perf_counter
    if args.cpu_time:
        clock = time.process_time
        torch.set_num_threads(1)
        numba.set_num_threads(1)
    data = module_of(args.images_of or args.network)
    model = module_of(args.network).load()
    calibration = data.normalise(data.images("calibration")[0][:512])
    x = data.normalise(data.images("test")[0][: args.images]).numpy()
    conversions = conversion_prices(model, calibration, clock)
    nets = {
        f"T={t} {'full wait' if wait is None else f'wait {wait}'}": los.convert(
            model, calibration, timesteps=t, wait=wait
        )
        for t, wait in SETTINGS
    }
    growth = memory(nets["T=16 full wait"], x)
    runs: dict[str, Callable[[], object]] = {"ANN": lambda: ann_output(model, x)}
    for name, net in nets.items():
        runs[f"fast {name}"] = lambda net=net: net.predict(x, "fast")  # type: ignore[misc]
        if "full" in name:
            runs[f"float {name}"] = lambda net=net: net.predict(x, "float")  # type: ignore[misc]
    seconds = in_turn(runs, args.repeats, clock)
    ratios = {name: value / seconds["ANN"] for name, value in seconds.items()}
    profiles = {name: profile(nets[name], x, clock) for name in ("T=16 full wait", "T=32 full wait", "T=16 wait 8")}
    print(f"{args.network.name}, {args.images} images, {torch.get_num_threads()} threads")
    for name, ratio in ratios.items():
        print(f"{name:24} {ratio:6.2f} ANN forwards  {1000 * seconds[name] / args.images:7.2f} ms per image")
    print("memory added, by budget:", {k: f"{v:.0f} MiB" for k, v in growth.items()})
    speed = machine(clock)
    print("this machine:", ", ".join(f"{name} {value / 1e9:.1f}·10⁹/s" for name, value in speed.items()))
    least = bounds(nets["T=16 wait 8"], x[:32], speed)
    forward = seconds["ANN"] / args.images
    print(
        "least by count:", ", ".join(f"{name} {value / forward:.2f}" for name, value in least.items()), "ANN forwards"
    )
    for name, (price, few) in conversions.items():
        print(
            f"convert with {len(calibration)} images, {name}: {price:.0f} ANN forwards of them; {few:.1f} s before for "
            f"{FEW_IMAGES} images with kernels to load or compile"
        )
    for name, spent in profiles.items():
        print(f"fast {name}:", ", ".join(f"{k} {v / seconds['ANN']:.2f}" for k, v in spent.items()), "ANN forwards")
    for name, net in nets.items():
        executor = net.executor("fast")
        assert isinstance(executor, FastRuns)
        bounded = [layer.decisions for layer in executor.fast.bounded.values()]
        if bounded:
            share = sum(s.exact for s in bounded) / sum(s.neurons for s in bounded)
            print(f"fast {name}: {100 * share:.2f} % of the neurons by recursion")
    if args.json:
        report = {"ratios": ratios, "seconds": seconds, "images": args.images, "mib": growth, "profiles": profiles}
        write_json(args.json, report)


if __name__ == "__main__":
    main()
