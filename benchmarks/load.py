"""Long and large runs, and whether their memory stays flat: seconds, peak and growth of each case.

    python -m benchmarks.load --json load.json
    python -m benchmarks.load --case stream --images 100

    evaluation   10,000 images of the digits through the fast executor, in parts
    stream       1,000 images of the digits through one Lava stream, compared with the fast executor
    deep         a network of 150 convolutions: converted, saved, loaded, evaluated
    graph        a graph of 60,000 nodes: converted, and inferred again and again

The memory is that of the process and of all processes that it started, looked at four times a second. Growth is the
largest of the last quarter of a run minus the largest of its second quarter, so that what is reserved once does not
count. Each case runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import loihi_onespike as los
from benchmarks.command_line import command_parser, write_json
from benchmarks.graph_memory import TwoLayerGcn, random_adjacency
from loihi_onespike.core.trace import differing_spikes
from loihi_onespike.data import load_data
from loihi_onespike.models import load_model

EVALUATED, STREAMED, LAYERS, NODES, NON_ZEROS, INFERENCES = 10_000, 1_000, 150, 60_000, 600_000, 20
PAGE_MIB = 4096 / 2**20


class Memory:
    """Resident memory of this process and of those that it started, while it is the context.

    Attributes:
        samples: (seconds since the start, MiB).
    """

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []
        self._end = threading.Event()

    def __enter__(self) -> Memory:
        self._start = time.perf_counter()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.samples.append((time.perf_counter() - self._start, _resident_mib("self")))
            if self._end.wait(0.25):
                return

    def report(self) -> dict[str, float]:
        """Seconds, peak and growth in MiB."""
        seconds = self.samples[-1][0]
        quarters = [
            max((mib for t, mib in self.samples if low <= 4 * t / max(seconds, 1e-9) < low + 1), default=0.0)
            for low in range(4)
        ]
        return {
            "seconds": round(seconds, 1),
            "peak_mib": round(max(mib for _, mib in self.samples)),
            "growth_mib": round(quarters[3] - quarters[1]),
        }


def _resident_mib(process: str) -> float:
    folder = Path("/proc") / process
    try:
        own = int((folder / "statm").read_text().split()[1]) * PAGE_MIB
        tasks = list((folder / "task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except (OSError, IndexError):  # it has ended
        return 0.0
    return own + sum(map(_resident_mib, children))


def _digits(images: int) -> tuple[los.OneSpikeNetwork, NDArray[Any], NDArray[Any]]:
    data = load_data("digits")
    net = los.convert(load_model("digits").model, data.calibration, timesteps=16)
    which = np.arange(images) % len(data.images)
    return net, np.asarray(data.images)[which], np.asarray(data.labels)[which]


def evaluation(images: int | None) -> dict[str, Any]:
    """Evaluate many images; the accuracy is that of the images that are repeated."""
    net, x, y = _digits(images or EVALUATED)
    with Memory() as memory:
        found = net.evaluate(x, y)
    return {"images": len(x), "correct": found.accuracy.correct, **memory.report()}


def stream(images: int | None) -> dict[str, Any]:
    """Stream images through Lava, and count the spikes that differ from those of the fast executor."""
    net, x, _ = _digits(images or STREAMED)
    with Memory() as memory:
        found = net.trace(x, "lava", processes="whole")
    differing = differing_spikes(net.trace(x), found)
    return {"images": len(x), "differing_spikes": differing, **memory.report()}


def deep(images: int | None) -> dict[str, Any]:
    """Convert a chain of convolutions with ReLUs, save it, load it, and compare two executors on all images."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(1, 6, 3, padding=1), nn.ReLU()]
    for _ in range(LAYERS - 2):
        layers += [nn.Conv2d(6, 6, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(6 * 64, 10)).eval()
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    x = torch.rand(images or 200, 1, 8, 8)
    with TemporaryDirectory() as folder, Memory() as memory:
        path = Path(folder) / "deep.h5"
        los.convert(model, x[:64], timesteps=8, method="paper").save(path)
        net = los.load(path)
        fast, exact = net.predict(x), net.predict(x[:2], "reference")
    same = bool(np.array_equal(fast[:2], exact))
    return {"layers": len(net.network.populations) - 1, "images": len(x), "fast_equals_oracle": same, **memory.report()}


def graph(images: int | None) -> dict[str, Any]:
    """Convert a network on a large graph, and infer all its nodes several times."""
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    torch.manual_seed(0)
    adjacency = random_adjacency(NODES, NON_ZEROS)
    net = los.convert(TwoLayerGcn(NODES, 16, 8).eval(), adjacency, timesteps=8, base=1.3)
    first = net.predict(adjacency)
    with Memory() as memory:
        same = all(np.array_equal(net.predict(adjacency), first) for _ in range(images or INFERENCES))
    return {"nodes": NODES, "inferences": images or INFERENCES, "always_the_same": same, **memory.report()}


CASES: dict[str, Callable[[int | None], dict[str, Any]]] = {
    "evaluation": evaluation,
    "stream": stream,
    "deep": deep,
    "graph": graph,
}


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("--case", choices=CASES, help="one case only, in this process")
    parser.add_argument("--images", type=int, metavar="N", help="images, or inferences of the graph")
    args = parser.parse_args()
    if args.case:
        report = CASES[args.case](args.images)
        print(json.dumps(report))
    else:
        report = {}
        for name in CASES:
            command = [sys.executable, "-m", "benchmarks.load", "--case", name]
            command += [] if args.images is None else ["--images", str(args.images)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            report[name] = json.loads(said.splitlines()[-1])
            print(name, json.dumps(report[name]), flush=True)
    write_json(args.json, report)


if __name__ == "__main__":
    main()
