"""Runs on a board from a process that never imports Lava: start the child process, follow it, read its results."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.board_job import LOG, MEASURED, OUTPUT, BoardJob
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import LavaError
from loihi_onespike.executors.lava.child import Child, OutOfTimeError, how_it_ended

WORKER = "loihi_onespike.boards.deployment.board_worker"
LOG_LINES = 15
Progress = Callable[[int, int], None]
"""Callback, called with (steps done, steps of the whole run)."""


@dataclass(frozen=True, eq=False)
class BoardRun:
    """Results of one run on a board.

    Attributes:
        phases: (N, *shape) spike phases of the populations that were read back, by name.
        v: (N, *readout shape) potentials of the readout, sign-extended; None for a run that was measured.
        measured: Readings of the profiler; None for a run that was read back.
        seconds: Duration of the whole run in seconds, waiting for the board included.
    """

    phases: dict[str, NDArray[np.integer]]
    v: NDArray[np.integer] | None
    measured: dict[str, float | None] | None
    seconds: float


def run_on_board(
    job: BoardJob,
    network: Network,
    codes: NDArray[np.integer],
    *,
    timeout_s: float | None = None,
    progress: Progress | None = None,
) -> BoardRun:
    """Run one job in a child process.

    Args:
        job: What to run, and how.
        network: The network to run.
        codes: (N, *input shape) input codes.
        timeout_s: Seconds after which the run is ended; None for no limit.
        progress: Called with (steps done, steps of the whole run).

    Returns:
        What the board sent back, or what its profiler measured.

    Raises:
        LavaError: a process failed or died, or the time limit passed.
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="onespike-board-") as name:
        folder = Path(name)
        job.write(folder, network, codes)
        _follow(folder, None if timeout_s is None else begun + timeout_s, timeout_s, progress)
        seconds = time.monotonic() - begun
        if job.profile_steps is not None:
            return BoardRun({}, None, json.loads((folder / MEASURED).read_text()), seconds)
        phases = {tap: np.load(job.spikes(folder, tap)) for tap in job.taps}
        return BoardRun(phases, np.load(folder / OUTPUT), None, seconds)


def _follow(folder: Path, deadline: float | None, timeout_s: float | None, progress: Progress | None) -> None:
    done = False
    package_root = Path(__file__).resolve().parents[3]
    with Child(WORKER, folder, folder / LOG, package_root) as child:
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
