"""Lava runs whose worker is forked from a process that has imported Lava, and nothing else.

A worker of its own takes longer to start than most networks of the tests take to run. What follows is as in a run of a
user: the session, the report, Lava's processes, their watch and their end.

The process that forks is started once for all tests of a process (`python -m tests.support.forked_lava DESCRIPTOR`).
That of the tests would do too, but every fork copies the page tables of its parent, a run forks once for each of
Lava's processes, and after torch and some thousand tests this takes half of the time of a run.

    request   {"folder": "…", "log": "…"} with the descriptor of the worker's standard output
    answers   {"pid": 12} at once, {"pid": 12, "status": 0} when the worker has ended
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, NoReturn

from loihi_onespike.executors.lava.child import Child

PAUSE_S = 0.005
TIMEOUT_S = 60.0
LARGEST_MESSAGE = 65536
ROOT = Path(__file__).resolve().parents[2]
IMPORTED_BEFORE = (
    "loihi_onespike.executors.lava.netx",
    "loihi_onespike.executors.lava.worker",
    "lava.magma.compiler.compiler",  # which Lava imports when a run begins, as it does the next
    "lava.magma.runtime.runtime",
)


class Server:
    """The process that forks, seen from the tests."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        self.statuses: dict[int, int] = {}

    def fork(self, folder: Path, log: Path, out: int) -> int:
        """Begin a worker; returns its process number.

        Args:
            folder: its job.
            log: file for what it and Lava print.
            out: descriptor of its standard output.
        """
        request = json.dumps({"folder": str(folder), "log": str(log)}).encode()
        socket.send_fds(self.connection, [request], [out])
        while "status" in (answer := self._answer()):
            self.statuses[answer["pid"]] = answer["status"]
        return answer["pid"]

    def status(self, pid: int) -> int | None:
        """Exit status of a worker, None while it runs."""
        while pid not in self.statuses and select.select([self.connection], [], [], 0)[0]:
            answer = self._answer()
            self.statuses[answer["pid"]] = answer["status"]
        return self.statuses.get(pid)

    def close(self) -> None:
        """End it; workers that still run end with it."""
        self.connection.shutdown(socket.SHUT_RDWR)  # processes that tests have forked may hold a copy of it
        self.connection.close()
        self.process.wait(TIMEOUT_S)

    def _answer(self) -> dict[str, int]:
        answer = self.connection.recv(LARGEST_MESSAGE)
        if not answer:
            raise RuntimeError(f"the process that forks Lava's workers ended with status {self.process.wait()}")
        return json.loads(answer)


class Forked:
    """A forked process, with what `Child` uses of `subprocess.Popen`.

    Args:
        server: what forks it.
        folder, log: see `Server.fork`.

    Attributes:
        pid: of the process.
        stdout: what it writes to standard output.
        returncode: as of `Popen`, None while it runs.
    """

    def __init__(self, server: Server, folder: Path, log: Path) -> None:
        read, write = os.pipe()
        self.server = server
        self.pid = server.fork(folder, log, write)
        os.close(write)
        self.stdout = os.fdopen(read, "rb")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        if self.returncode is None:
            self.returncode = self.server.status(self.pid)
        return self.returncode

    def wait(self, timeout: float = TIMEOUT_S) -> int:
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


class ForkedChild(Child):
    """`Child` with a forked worker in place of a new interpreter.

    Attributes:
        server: what forks it, of all tests of this process.
    """

    server: Server

    def __init__(self, module: str, folder: Path, log: Path, search_path: Path) -> None:
        process: Any = Forked(self.server, folder, log)
        self.process = process


def _work(folder: Path, log: Path, out: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        os.chdir(folder)
        err = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor, place in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(descriptor, place)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
        resource_tracker._resource_tracker.__init__()  # type: ignore[misc]  # that of the parent is no child of this one
        from loihi_onespike.executors.lava import worker

        worker.main(worker.Worker(folder))
        status = 0
    finally:
        os._exit(status)


def serve(connection: socket.socket) -> None:
    """Fork a worker for every request and say how it ended, until the tests close the connection.

    Args:
        connection: to the process of the tests.
    """
    ended, notify = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(notify, False)
    usual = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(notify)
    while True:
        ready, _, _ = select.select([connection.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, LARGEST_MESSAGE)
            _tell_ended(connection)
        if connection.fileno() in ready:
            request, descriptors, _, _ = socket.recv_fds(connection, LARGEST_MESSAGE, 1)
            if not request:
                return
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, usual)
                for descriptor in (connection.detach(), ended, notify):
                    os.close(descriptor)
                job = json.loads(request)
                _work(Path(job["folder"]), Path(job["log"]), descriptors[0])
            os.close(descriptors[0])
            connection.send(json.dumps({"pid": pid}).encode())


def _tell_ended(connection: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:  # there is none
            return
        if pid == 0:
            return
        connection.send(json.dumps({"pid": pid, "status": os.waitstatus_to_exitcode(status)}).encode())


if __name__ == "__main__":
    for module in IMPORTED_BEFORE:
        import_module(module)
    gc.collect()
    gc.freeze()  # what all have is not searched, and so not copied
    serve(socket.socket(fileno=int(sys.argv[1])))
