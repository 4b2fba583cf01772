"""An array of `onespike` command lines: submitted together by submitit, watched until the last one has ended."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from loihi_onespike.errors import ConfigurationError, JobArrayError

if TYPE_CHECKING:
    import submitit
    from submitit.helpers import DelayedSubmission


PROGRAM = "loihi_onespike"
"""What is run, as by `python -m`."""


@dataclass(frozen=True)
class Command:
    """A command line; called by submitit on the node where the job runs.

    What it runs keeps its finished work on disk, so that a job that SLURM stops (preemption, end of its time) can be
    put into the queue again and continue.

    Attributes:
        arguments: the words after `onespike`.
        folder: working directory of the command.
    """

    arguments: tuple[str, ...]
    folder: str

    def __call__(self) -> int:
        """Run the command in this process, so that nothing is left behind when the job is killed.

        Returns:
            Its exit status.
        """
        os.chdir(self.folder)
        given, sys.argv = sys.argv, [PROGRAM, *self.arguments]
        try:
            runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        finally:
            sys.argv = given
        return 0

    def checkpoint(self) -> DelayedSubmission:
        """Called by submitit before SLURM stops the job: submit the same command again."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


Kind = Literal["slurm", "local"]
POLL_S = {"slurm": 10.0, "local": 0.2}
"""Seconds between two looks at the jobs."""
GONE_AFTER_S = 120.0
"""How long a job must be missing in the queue before it counts as gone: the time that a result may take to appear in a
shared folder, and that SLURM may take to show a new job."""
QUEUE_TIMEOUT_S = 60.0
"""Longest time that squeue may take, whose answer is not waited for any longer."""


@dataclass(frozen=True)
class Cluster:
    """Where jobs run.

    Attributes:
        logs: folder for submitit's files and the output of every job; all nodes must see it.
        kind: "slurm", or "local" for processes of this machine, all at the same time.
        partition: of SLURM; None leaves the choice to it.
        minutes: longest time of a job.
        cpus: cores of a job.
        memory_gb: memory of a job; None leaves it to SLURM.
        options: any other option of sbatch, by its long name with _ for -.
    """

    logs: Path
    kind: Kind = "slurm"
    partition: str | None = None
    minutes: int = 240
    cpus: int = 1
    memory_gb: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ArrayJob:
    """One `onespike` command line of an array, by its arguments, and what to call it."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        status: exit status of the command; None for a job that died or was cancelled.
        text: what it wrote to stderr, or why it died.
        log: file of its stderr.
    """

    job: ArrayJob
    status: int | None
    text: str
    log: Path

    def __str__(self) -> str:
        how = "died" if self.status is None else f"ended with status {self.status}"
        lines = [line.strip() for line in self.text.splitlines() if line.strip(" -")]
        return f"{self.job.name} {how}{': ' + lines[-1] if lines else ''} (log {self.log})"


def require_submitit() -> None:
    """Raises JobArrayError without the library; asked before any long work."""
    if find_spec("submitit") is None:
        raise JobArrayError(
            'job arrays: submitit is not installed; install it with pip install "loihi-onespike[slurm]"'
        )


def submit(jobs: Sequence[ArrayJob], cluster: Cluster) -> list[submitit.Job[Any]]:
    """Put all jobs into the queue as one array.

    Raises:
        ConfigurationError: an option that sbatch, as submitit knows it, does not have.
        JobArrayError: submitit is missing, there is no SLURM here, or it refuses the jobs.
    """
    require_submitit()
    import submitit

    try:
        executor = submitit.AutoExecutor(cluster.logs, cluster=cluster.kind)
        executor.update_parameters(**_parameters(cluster))
        with executor.batch():
            return [executor.submit(Command(job.arguments, os.getcwd())) for job in jobs]
    except (NameError, TypeError, ValueError) as error:  # what submitit raises for parameters it does not know
        raise ConfigurationError(f"--slurm-option: {error}") from error
    except (RuntimeError, OSError) as error:
        raise JobArrayError(
            f"job array: cannot be submitted ({error}); on a machine without SLURM, --slurm-local runs the jobs as "
            "processes"
        ) from error


def run_array(
    jobs: Sequence[ArrayJob],
    cluster: Cluster,
    look: Callable[[int, int], None] = lambda ended, of: None,
) -> list[Ended]:
    """Submit all jobs and wait for the last one; an interrupt cancels those that have not ended.

    Args:
        jobs: the jobs.
        cluster: where they run.
        look: called now and then as look(jobs ended, jobs in all).

    Raises: as `submit`. A job that fails is no error here: it is among the results.
    """
    submitted = submit(jobs, cluster)
    queue = _Queue(cluster.kind)
    try:
        while True:
            waiting = [job for job in submitted if not job.done()]
            gone = queue.gone(waiting)
            ended = len(submitted) - len(waiting) + len(gone)
            look(ended, len(submitted))
            if ended == len(submitted):
                break
            time.sleep(POLL_S[cluster.kind])
    except BaseException:
        for job in submitted:
            if not job.done():
                job.cancel(check=False)
        raise
    return [_ended(job, made, made.job_id in gone) for job, made in zip(jobs, submitted, strict=True)]


class _Queue:
    """Jobs that have no result and stand in SLURM's queue no more.

    submitit waits for ever for a job that SLURM's accounting does not know, because it was removed before it began or
    the accounting is off.

    Args:
        kind: kind of the cluster; processes of this machine are no jobs of a queue.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._missing_since: dict[str, float] = {}

    def gone(self, waiting: Sequence[submitit.Job[Any]]) -> set[str]:
        """Numbers of those among the jobs without a result that have been missing for a while."""
        listed = _queued({job.job_id.partition("_")[0] for job in waiting}) if self._kind == "slurm" else None
        if listed is None:
            return set()
        now = time.monotonic()
        missing = {job.job_id for job in waiting} - listed
        self._missing_since = {number: self._missing_since.get(number, now) for number in missing}
        return {number for number, since in self._missing_since.items() if now - since >= GONE_AFTER_S}


def _queued(arrays: set[str]) -> set[str] | None:
    """Numbers of all jobs of some arrays that are in SLURM's queue; None where it does not say."""
    if not arrays:
        return set()
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--jobs={','.join(sorted(arrays))}"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=QUEUE_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if said.returncode != 0 and "Invalid job id" not in said.stderr:  # so it calls a single job that it has forgotten
        return None
    return set(said.stdout.split())


def failures(ended: Sequence[Ended], accepted: tuple[int, ...] = (0,)) -> list[Ended]:
    """Those that did not end with an accepted status."""
    return [e for e in ended if e.status not in accepted]


def _ended(job: ArrayJob, made: submitit.Job[Any], gone: bool) -> Ended:
    log = made.paths.stderr
    if gone:
        return Ended(job, None, f"job {made.job_id} is not in the queue of SLURM any more and left no result", log)
    error = made.exception()
    if error is not None:
        return Ended(job, None, str(error), log)
    return Ended(job, made.result(), made.stderr() or "", log)


def _parameters(cluster: Cluster) -> dict[str, Any]:
    known: dict[str, Any] = {"name": "onespike", "timeout_min": cluster.minutes, "cpus_per_task": cluster.cpus}
    if cluster.memory_gb is not None:
        known["mem_gb"] = cluster.memory_gb
    if cluster.kind == "local":
        return known
    from submitit import SlurmExecutor

    by_submitit = SlurmExecutor._valid_parameters()
    further = {name: value for name, value in cluster.options.items() if name not in by_submitit}
    for name, value in {"partition": cluster.partition, **cluster.options}.items():
        if value is not None and name not in further:
            known[f"slurm_{name}"] = value
    if further:
        known["slurm_additional_parameters"] = further
    return known
