"""The child process of a Lava run: `python -m loihi_onespike.executors.lava.worker <folder>`.

Reports to the parent in JSON lines on standard output; everything that Lava or Python print goes to the log.

    {"event": "progress", "done": 48, "steps": 480}
    {"event": "failed", "process": "process 'conv1'", "text": "…"}
    {"event": "done"}

A timer looks after Lava's processes several times a second: when one of them fails, Lava itself waits for ever. A
timer and not a thread, because Lava forks, and a thread that holds a lock at that moment would leave it locked.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import traceback
from multiprocessing import resource_tracker
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from loihi_onespike.executors.lava.child import how_it_ended

WATCH_S = 0.2
CHANNEL_SLOTS = 4
"""Messages a channel holds; steps are in lockstep, and Lava's 64 would be 64 copies of every feature map."""


class FailureError(Exception):
    """A Lava process died or raised. `process` is its name, `text` what is known about it."""

    def __init__(self, process: str, text: str) -> None:
        self.process, self.text = process, text
        super().__init__(f"{process}: {text}")


class Worker:
    """One run, from the folder to the recorded windows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pid, self.parent = folder, os.getpid(), os.getppid()
        # Whatever else prints must not get between the lines of the report.
        self.report_file = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self.net: Any = None
        self.watching = False

    def report(self, **fields: Any) -> None:
        """Write one event to the parent; ends the worker where nobody reads."""
        try:
            self.report_file.write(json.dumps(fields) + "\n")
        except OSError:  # nobody reads any more
            self.end(1)

    def run(self) -> None:
        """Build the processes of the job and run them to the end."""
        from lava.magma.core.run_conditions import RunSteps

        from loihi_onespike.executors.lava.job import LavaJob
        from loihi_onespike.executors.lava.netx import build

        job, network, codes = LavaJob.read(self.folder)
        records = job.records(self.folder, network)
        for record in records.values():
            record.create()
        graph = build(
            network, codes, processes=job.processes, synapses=job.synapses, period=job.period, records=records
        )
        self.net = graph.net
        self.watching = True
        self.net.create_runtime(graph.run_config(job.precision), compile_config={"pypy_channel_size": CHANNEL_SLOTS})
        total = job.steps(network)
        for done in range(0, total, job.period):
            self.report(event="progress", done=done, steps=total)
            self.net.run(RunSteps(min(job.period, total - done)))
        self.report(event="progress", done=total, steps=total)
        self.report(event="done")
        # Everything is recorded by now, and Lava's own stop can wait for ever.
        self.end(0)

    def infrastructure(self) -> Any:
        """Lava's owner of processes and shared memory, None before it exists. Lava has no public way to either."""
        return getattr(getattr(self.net, "_runtime", None), "_messaging_infrastructure", None)

    def actors(self) -> list[Any]:
        """Lava's operating-system processes, as far as they are started."""
        return list(getattr(self.infrastructure(), "actors", ()))

    def actor_names(self) -> list[str]:
        """Names in the order in which Lava starts its processes: the models, then the runtime service."""
        executable = self.net._runtime._executable
        return [f"process {p.name!r}" for p in executable.proc_builders] + ["Lava's runtime service"]

    def check(self) -> None:
        """Raise FailureError when a Lava process has raised an exception or died."""
        actors = self.actors()
        names = self.actor_names() if actors else []
        dead = []
        for name, actor in zip(names, actors, strict=False):
            raised = _exception(actor)
            if raised:
                raise FailureError(name, raised)
            code = _exit_code(actor)
            if code:
                dead.append((name, code))
        if dead:
            name, code = dead[0]
            raise FailureError(name, f"it {how_it_ended(code)}")

    def on_timer(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: end the worker when the parent has ended or a process of Lava has failed."""
        if os.getpid() != self.pid or not self.watching:
            return
        if os.getppid() != self.parent:
            self.end(1)
        try:
            self.check()
        except FailureError as failure:
            self.fail(failure.process, failure.text)

    def on_terminate(self, number: int, frame: FrameType | None) -> None:
        # Lava's processes inherit this handler; they leave at once, and the worker cleans up after them.
        """Signal handler: end this process; the worker also ends Lava's processes."""
        if os.getpid() != self.pid:
            os._exit(128 + number)
        self.end(128 + number)

    def fail(self, process: str, text: str) -> NoReturn:
        """Report the failure of a process and end the worker."""
        self.watching = False
        self.report(event="failed", process=process, text=text)
        self.end(1)

    def end(self, status: int) -> NoReturn:
        """Kill and reap Lava's processes, remove the shared memory, leave."""
        self.watching = False
        # A second request to end would come back in here, to locks that are held.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            for actor in self.actors():
                _kill(actor)
            memory = getattr(self.infrastructure(), "smm", None)
            if memory is not None:
                memory.shutdown()
            _stop_resource_tracker()
        finally:
            os._exit(status)


def _exception(actor: Any) -> str | None:
    try:
        raised = actor.exception
    except Exception:  # what the process sent cannot be read; its exit status and the log remain
        return None
    return raised[1].strip() if raised else None


def _exit_code(actor: Any) -> int | None:
    try:
        return actor.exitcode
    except ValueError:  # joined and closed by Lava
        return None


def _kill(actor: Any) -> None:
    try:
        actor.kill()
        multiprocessing.Process.join(actor, 2)
    except (ValueError, AssertionError, OSError):  # closed, or gone in the meantime
        pass


def _stop_resource_tracker() -> None:
    """Reap the helper process of shared_memory too; Python itself does this from 3.12 on."""
    stop = getattr(resource_tracker._resource_tracker, "_stop", None)
    if stop is not None:
        stop()


def main(worker: Worker) -> None:
    """Run a worker to its end; the process does not come back from it."""
    signal.signal(signal.SIGTERM, worker.on_terminate)
    signal.signal(signal.SIGALRM, worker.on_timer)
    signal.setitimer(signal.ITIMER_REAL, WATCH_S, WATCH_S)
    try:
        worker.run()
    except Exception:
        text = traceback.format_exc().strip()
        try:
            worker.check()
        except FailureError as failure:
            worker.fail(failure.process, failure.text)
        worker.fail("the worker", text)


if __name__ == "__main__":
    main(Worker(Path(sys.argv[1])))
