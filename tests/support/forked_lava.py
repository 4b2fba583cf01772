"""Lava runs whose worker is forked from the process of the tests, which has imported Lava already.

A worker of its own takes longer to start than most networks of the tests take to run. What follows is as in a run of a
user: the session, the report, Lava's processes, their watch and their end.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, NoReturn

from loihi_onespike.executors.lava.child import Child

PAUSE_S = 0.005


class Forked:
    """A forked process, with what `Child` uses of `subprocess.Popen`.

    Attributes:
        pid: of the process.
        stdout: what it writes to standard output.
        returncode: as of `Popen`, None while it runs.
    """

    def __init__(self, work: Callable[[], None], folder: Path, log: Path) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _begin(work, folder, log, write)
        os.close(write)
        self.stdout = os.fdopen(read, "rb")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for its end."""
        until = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("a forked worker", timeout)
            time.sleep(PAUSE_S)
        return status

    def terminate(self) -> None:
        """Send SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)


def _begin(work: Callable[[], None], folder: Path, log: Path, out: int) -> NoReturn:
    status = 1
    try:
        gc.freeze()  # what the parent has is not searched, and so not copied
        os.setsid()
        os.chdir(folder)
        err = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor, place in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(descriptor, place)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
        resource_tracker._resource_tracker.__init__()  # type: ignore[misc]  # that of the parent is no child of this one
        work()
        status = 0
    finally:
        os._exit(status)


class ForkedChild(Child):
    """`Child` with a forked worker in place of a new interpreter."""

    def __init__(self, module: str, folder: Path, log: Path, search_path: Path) -> None:
        from loihi_onespike.executors.lava import netx, worker  # noqa: F401  imported once, for all forks

        import_module("lava.magma.compiler.compiler")  # which Lava imports when a run begins
        import_module("lava.magma.runtime.runtime")
        process: Any = Forked(lambda: worker.main(worker.Worker(folder)), folder, log)
        self.process = process
