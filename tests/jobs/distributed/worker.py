"""One rank of the tests: python -m tests.jobs.distributed.worker <folder> <rank> <size> <port>

Runs the scenarios one after the other, each with a group of its own ranks, and leaves what it found in <rank>.json.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

import loihi_onespike as los
from loihi_onespike.conversion.calibration.survey import Survey
from loihi_onespike.errors import OneSpikeError
from loihi_onespike.evaluation.fingerprint import of_network
from loihi_onespike.jobs.distributed import Ranks
from tests.jobs.distributed.cases import BATCH, Failing, data, network, stages
from tests.support.models import inputs, make


def main(folder: Path, rank: int, size: int, port: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size)
    net, (x, y) = los.OneSpikeNetwork(network()), data()
    found: dict[str, object] = {}

    def scenario(name: str, run) -> None:
        begun = time.monotonic()
        try:
            result = run()
        except (OneSpikeError, ValueError, RuntimeError, KeyboardInterrupt) as error:
            result = f"{type(error).__name__}: {error}"
        found[name] = result
        found[f"{name} seconds"] = time.monotonic() - begun

    def evaluated(count: int, **more):
        return asdict(net.evaluate(x[:count], y[:count], batch=BATCH, ranks=Ranks(30.0), **more))

    def failing(error: type[BaseException]):
        model = Failing(error if rank == 1 else None)
        return evaluated(10, model=model)

    def surveyed():
        graph, batches = stages()
        survey = Survey(graph, batches, sum(map(len, batches)), Ranks())
        np.savez(folder / f"survey.{rank}.npz", **survey.samples, **{f"{n}.max": m for n, m in survey.maxima.items()})
        return survey.images

    def converted():
        model, images = make("plain_cnn"), inputs(150)
        shared = los.convert(model, images, timesteps=6, ranks=Ranks())
        return [of_network(n.network) for n in (shared, los.convert(model, images, timesteps=6))]

    def slow():
        if rank == 1:
            time.sleep(1.0)
        return len(Ranks(timeout_s=0.3).gather(rank))

    progress: list[tuple[int, int]] = []
    scenario("uneven", lambda: evaluated(10, progress=lambda done, of: progress.append((done, of))))
    found["progress"] = progress
    scenario("fewer images than ranks", lambda: evaluated(1))
    scenario("resumed", lambda: evaluated(10, resume=folder / "resume"))
    scenario("other data", lambda: asdict(net.evaluate(x + rank, y, batch=BATCH, ranks=Ranks(30.0))))
    scenario("other folder", lambda: evaluated(9, resume=folder / "resume"))
    scenario("survey", surveyed)
    scenario("conversion", converted)
    scenario("from first", lambda: Ranks().from_first(lambda: rank))
    scenario("own error", lambda: failing(ValueError))
    scenario("interrupt", lambda: failing(KeyboardInterrupt))
    scenario("slow", slow)  # last: the rank that came too late may be left alone
    (folder / f"{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
