"""Points of a curve of `benchmarks.objectives`, measured by several processes within a time budget.

A point is converted by one process; its test images are then counted in shards by whichever processes are free, and
the counts are put together. Networks and counts are kept in a folder, a subfolder per point, so that a run that was
stopped loses little.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

BOARD = "hala_point"
"""Board whose energies are stated; those of Loihi 1, as public ones of Loihi 2 do not exist."""
SHARDS = 8
"""Shards that the test images of a point are counted in."""
PLACED_IMAGES = 50
"""Images whose spikes, neuron by neuron, the energy under a placement is estimated with."""
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
NETWORK, CONVERTED = "net.h5", "converted.json"


@dataclass(frozen=True)
class Point:
    """One setting of one network.

    Attributes:
        network: name in the results.
        folder: folder of the network.
        graph: whether it is a graph network.
        options: options of `convert`.
    """

    network: str
    folder: Path
    graph: bool
    options: dict[str, Any]

    @property
    def key(self) -> str:
        """Name of its folder of unfinished work."""
        return sha256(json.dumps([self.network, self.options], sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.network}, {self.options}"


@dataclass(frozen=True)
class Data:
    """Where images come from.

    Attributes:
        folder: folder whose `model.py` has `normalise`, and `images` where no files are given; None for the network's.
        images: .npz of the test images; None for those of the folder.
        calibration: .npz of the calibration images; None for those of the folder.
        calibration_images: number of calibration images.
        first: number of test images; None for all.
    """

    folder: Path | None
    images: Path | None
    calibration: Path | None
    calibration_images: int
    first: int | None

    @property
    def counts(self) -> str:
        """Name of the folder of counts: networks are kept for other images, counts are not."""
        return f"counts_{sha256(f'{self.folder} {self.images} {self.first}'.encode()).hexdigest()[:8]}"

    def test(self, network: Path) -> tuple[Any, Any]:
        """Normalised test images and their labels."""
        source = _module(self.folder or network)
        x, y = source.images("test") if self.images is None else _arrays(self.images, "x", "y")
        return source.normalise(x[: self.first]), y[: self.first]

    def calibrating(self, network: Path) -> Any:
        """Normalised calibration images."""
        source = _module(self.folder or network)
        x = source.images("calibration")[0] if self.calibration is None else _arrays(self.calibration, "x")[0]
        return source.normalise(x[: self.calibration_images])


@dataclass(eq=False)
class _Progress:
    """What is left to do of a point: its conversion, then its shards, then the report."""

    point: Point
    work: Path
    shards: deque[int] = field(default_factory=lambda: deque(range(SHARDS)))
    running: int = 0
    failed: bool = False

    @property
    def converted(self) -> bool:
        return (self.work / CONVERTED).exists()


def measure_all(
    points: Sequence[Point], data: Data, work: Path, jobs: int, seconds: float | None
) -> Iterator[dict[str, Any]]:
    """Figures of the points as they are finished, until the time is over.

    Args:
        points: in the order in which they are begun.
        data: where images come from.
        work: folder of unfinished work.
        jobs: number of processes.
        seconds: time after which all processes are stopped; None for no limit.
    """
    end = None if seconds is None else time.monotonic() + seconds
    for name in ONE_THREAD:
        os.environ[name] = "1"
    todo = [_Progress(point, work / point.key) for point in points]
    waiting = deque(p for p in todo if not p.converted)
    counting = [p for p in todo if p.converted]
    answers: queue.Queue[tuple[_Progress, Any]] = queue.Queue()
    running = 0
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:  # leaving it stops all processes

        def start(progress: _Progress, task: Any, *arguments: Any) -> None:
            nonlocal running
            running += 1
            progress.running += 1
            pool.apply_async(
                task,
                (progress.point, data, progress.work, *arguments),
                callback=lambda found: answers.put((progress, found)),
                error_callback=lambda error: answers.put((progress, error)),
            )

        while True:
            while running < jobs:  # what is begun is brought to its end before something new is begun
                ready = next((p for p in counting if p.shards), None)
                if ready is not None:
                    start(ready, _count, ready.shards.popleft())
                elif waiting:
                    progress = waiting.popleft()
                    start(progress, _whole if progress.point.graph else _convert)
                else:
                    break
            if not running:
                return
            try:
                progress, found = answers.get(timeout=None if end is None else max(0.0, end - time.monotonic()))
            except queue.Empty:
                return
            running -= 1
            progress.running -= 1
            if isinstance(found, BaseException):
                print(f"{progress.point}: {type(found).__name__}: {found}", file=sys.stderr, flush=True)
                progress.failed = True
                counting = [p for p in counting if p is not progress]
            elif found is not None:
                yield found
            elif progress not in counting and not progress.failed:
                counting.append(progress)
            if progress in counting and not progress.shards and not progress.running:
                counting.remove(progress)
                start(progress, _finish)


def _convert(point: Point, data: Data, work: Path) -> None:
    """Convert the network of a point and keep it."""
    import loihi_onespike as los

    work.mkdir(parents=True, exist_ok=True)
    model, x = _module(point.folder).load(), data.calibrating(point.folder)
    begun = time.perf_counter()
    net = los.convert(model, x, **point.options)
    seconds = time.perf_counter() - begun
    net.save(work / NETWORK)
    (work / CONVERTED).write_text(json.dumps({"convert_seconds": seconds}))


def _count(point: Point, data: Data, work: Path, shard: int) -> None:
    """Count a shard of the test images of a converted point."""
    from loihi_onespike.evaluation import Shard

    _, evaluator = _evaluator(point, data, work)
    evaluator.run(resume=work / data.counts, shard=Shard(shard, SHARDS))


def _finish(point: Point, data: Data, work: Path) -> dict[str, Any]:
    """The figures of a point whose images are counted."""
    net, evaluator = _evaluator(point, data, work)
    evaluation = net.evaluation_of(evaluator, evaluator.run(resume=work / data.counts), BOARD)
    return {**_figures(point, net, evaluation), **_placed(net, evaluator.images[:PLACED_IMAGES]), **_converted(work)}


def _whole(point: Point, data: Data, work: Path) -> dict[str, Any]:
    """The figures of a graph network, which is one sample."""
    import loihi_onespike as los
    from benchmarks.text_gcn import load

    model, graph, info = load(point.folder)
    begun = time.perf_counter()
    net = los.convert(model, graph, **point.options)
    seconds = time.perf_counter() - begun
    evaluation = net.evaluate(graph, info["labels"], mask=info["test_mask"], board=BOARD)
    return {**_figures(point, net, evaluation), "convert_seconds": round(seconds, 1)}


def _figures(point: Point, net: Any, evaluation: Any) -> dict[str, Any]:
    return {
        "network": point.network,
        "options": point.options,
        "images": evaluation.images,
        "loss_pp": round(evaluation.loss_pp, 3),
        "agreement": round(100 * evaluation.agreement.value, 3),
        "spikes": round(evaluation.hidden_spikes_per_neuron, 4),
        "alpha_fp32": round(evaluation.alpha_fp32, 3),
        "alpha_all_fp32": round(evaluation.alpha_all_fp32, 3),
        "timesteps": net.network.timesteps,
        "payload_bits": max(p.code.payload_bits for p in net.network.hidden),
        "period_steps": evaluation.period_steps,
        "latency_steps": evaluation.latency_steps,
        "synaptic_operations": round(evaluation.synaptic_operations),
        "board": BOARD,
        "energy_nj": round(evaluation.energy_nj),
    }


def _placed(net: Any, x: Any) -> dict[str, Any]:
    """Energy with the hops of a placement, with static power, and time per image: fewest cores, and chips filled."""
    from loihi_onespike.boards.energy.activity import Activity
    from loihi_onespike.boards.energy.estimate import estimate_board
    from loihi_onespike.boards.energy.fill_chips import map_measured

    activity = Activity.of(net.network, net.trace(x).layers)
    found: dict[str, float | None] = {}
    for prefix, fill in (("", False), ("filled_", True)):
        estimate = estimate_board(net.network, map_measured(net.network, BOARD, activity, fill), activity)
        account = estimate.best_account
        found[f"{prefix}dynamic_nj"], found[f"{prefix}total_nj"] = account.dynamic.value, account.low.value
        found[f"{prefix}image_us"], found[f"{prefix}cores"] = estimate.image_us.value, estimate.cores
    return {name: None if value is None else round(value) for name, value in found.items()}


def _converted(work: Path) -> dict[str, Any]:
    return {name: round(value, 1) for name, value in json.loads((work / CONVERTED).read_text()).items()}


def _evaluator(point: Point, data: Data, work: Path) -> tuple[Any, Any]:
    import loihi_onespike as los

    net = los.load(work / NETWORK)
    x, y = _test(data, point.folder)
    return net, net.evaluator(x, y, model=_module(point.folder).load())


@lru_cache(maxsize=1)
def _test(data: Data, network: Path) -> tuple[Any, Any]:
    """The test images, kept for the next shard that a process counts."""
    return data.test(network)


def _arrays(path: Path, *names: str) -> list[Any]:
    import numpy as np

    with np.load(path) as file:
        return [file[name] for name in names]


def _module(folder: Path) -> Any:
    from benchmarks.cifar10 import module_of

    return module_of(folder)
