"""A board through Lava, from a process that never imports Lava: start the child, follow it, read its results."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from loihi_onespike.boards.deployment.backends.board_backend import (
    BoardBackend,
    BoardRecord,
    BoardSettings,
    InputStream,
    Probes,
    Progress,
    Readings,
)
from loihi_onespike.boards.deployment.backends.lava.board_job import LOG, MEASURED, BoardJob
from loihi_onespike.boards.deployment.backends.lava.sign_extension import sign_extended
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import LavaError
from loihi_onespike.executors.lava.child import PACKAGE_ROOT, Child, OutOfTimeError, how_it_ended
from loihi_onespike.regular_files import temporary_folder

WORKER = "loihi_onespike.boards.deployment.backends.lava.board_worker"
LOG_LINES = 15


class LavaBoard(BoardBackend):
    """A board that Lava compiles for: a run is one child process, since Lava builds, runs and ends a graph as a whole.

    Allocation and loading happen in that process when it starts, in `step` and `measure`; a profiler serves a single
    run, so reading back and measuring take two of them.

    Args:
        settings: How the board is reached.
    """

    def __init__(self, settings: BoardSettings) -> None:
        self.settings = settings
        self.programs: Mapping[str, Path] = {}

    def allocate(self, network: Network, probes: Probes) -> None:
        self.network, self.probes = network, probes

    def load(self, programs: Mapping[str, Path]) -> None:
        self.programs = programs

    def step(self, stream: InputStream, steps: int, progress: Progress | None = None) -> None:
        job = self._job(stream, steps, self.probes)

        def results(folder: Path) -> BoardRecord:
            v = {name: sign_extended(np.load(job.v_file(folder, name))) for name in job.v}
            return BoardRecord({name: np.load(job.spikes_file(folder, name)) for name in job.spikes}, v)

        self.record = self._run(job, stream, results, progress)

    def read(self) -> BoardRecord:
        """What the sinks wrote; potentials are sign-extended, because a board sends 24 bits without sign."""
        return self.record

    def measure(
        self, stream: InputStream, steps: int, compute_only: bool, progress: Progress | None = None
    ) -> Readings:
        job = self._job(stream, steps, Probes((), ()), profile=True, compute_only=compute_only)
        return self._run(job, stream, lambda folder: json.loads((folder / MEASURED).read_text()), progress)

    def _job(self, stream: InputStream, steps: int, probes: Probes, **more: bool) -> BoardJob:
        files = {name: str(path.resolve()) for name, path in self.programs.items()}
        settings = self.settings
        return BoardJob(settings.access, settings.stepping, files, probes.spikes, probes.v, stream.start, steps, **more)

    def _run(self, job: BoardJob, stream: InputStream, results: Any, progress: Progress | None) -> Any:
        timeout_s = self.settings.timeout_s
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with temporary_folder("onespike-board-") as folder:
            job.write(folder, self.network, stream.codes)
            _follow(folder, deadline, timeout_s, progress)
            return results(folder)


def _follow(folder: Path, deadline: float | None, timeout_s: float | None, progress: Progress | None) -> None:
    done = False
    with Child(WORKER, folder, folder / LOG, PACKAGE_ROOT) as child:
        try:
            for report in child.reports(deadline):
                if report["event"] == "failed":
                    raise LavaError(_failed(report))
                done = done or report["event"] == "done"
                if report["event"] == "progress" and progress is not None:
                    progress(report["done"], report["steps"])
        except OutOfTimeError:
            raise LavaError(
                f"board run: not finished after {timeout_s:g} s; allow more time with --timeout (SLURM may still be "
                "waiting for a free board), or run fewer images"
            ) from None
        if done:
            return
        ending = how_it_ended(child.process.returncode)
        raise LavaError(f"board run: the worker {ending}; it printed last:\n{_log(folder)}")


def _failed(report: dict[str, Any]) -> str:
    return f"board run: {report['process']} failed: {report['text']}"


def _log(folder: Path) -> str:
    lines = (folder / LOG).read_text(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:]) or "nothing"
