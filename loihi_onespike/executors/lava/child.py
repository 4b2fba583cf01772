"""A child process in a session of its own, its report line by line, and its end: no process and no memory is left."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loihi_onespike import errors

PACKAGE_ROOT = Path(errors.__file__).resolve().parents[1]
"""The folder that holds the package, for the search path of a child."""
POLL_S = 0.2
PAUSE_S = 0.005
GRACE_S = 5.0


HINTS = {
    signal.SIGKILL: "perhaps by the system, because memory ran out: run fewer images at a time",
    signal.SIGBUS: "disk or shared memory is full: make room, or give a container more (docker run --shm-size=8g)",
}


class OutOfTimeError(Exception):
    """The deadline has passed."""


def how_it_ended(status: int) -> str:
    """What an exit status says: "was killed by SIGKILL (…)" or "ended with exit status 1"."""
    if status >= 0:
        return f"ended with exit status {status}"
    number = signal.Signals(-status)
    return f"was killed by {number.name}" + (f" ({HINTS[number]})" if number in HINTS else "")


class Child:
    """python -m <module> <folder>, as a context manager that ends the whole process group at its exit.

    Its working directory is the folder, so that no file of the user's is imported by accident; a session of its own
    keeps Ctrl-C away from it and makes all of its descendants one group.
    """

    def __init__(self, module: str, folder: Path, log: Path, search_path: Path) -> None:
        environment = dict(os.environ)
        # One thread each: Lava runs a process per layer, and more threads than cores only wait for each other.
        environment |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        others = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = str(search_path) + (os.pathsep + others if others else "")
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, str(folder)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def reports(self, deadline: float | None) -> Iterator[dict[str, Any]]:
        """JSON lines until the child ends. Raises OutOfTimeError at `deadline` (time.monotonic)."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                # Descendants hold the pipe open, so its end says nothing; the child's end does, once all is read.
                ended = self.process.poll() is not None
                readable = selector.select(0 if ended else POLL_S)
                chunk = os.read(descriptor, 65536) if readable else b""
                *lines, pending = (pending + chunk).split(b"\n")
                yield from map(json.loads, lines)
                if ended and not chunk:
                    return
                if deadline is not None and time.monotonic() > deadline:
                    raise OutOfTimeError
                if readable and not chunk:
                    time.sleep(PAUSE_S)

    def end(self) -> None:
        """Ask the child to clean up, then end all remaining processes of its group."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        # SIGTERM first: Python's resource tracker ignores it, sees the others go, removes their shared memory and
        # leaves by itself.
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if self._group_ends(number):
                return

    def _group_ends(self, number: signal.Signals | None) -> bool:
        """Signal the group and wait until nobody in it runs any more."""
        patience = time.monotonic() + (GRACE_S if number else POLL_S)
        try:
            if number is not None:
                os.killpg(self.process.pid, number)
            while _runs(self.process.pid):
                if time.monotonic() > patience:
                    return False
                time.sleep(PAUSE_S)
        except ProcessLookupError:
            pass
        return True


def _runs(group: int) -> bool:
    """Whether a process of the group is no zombie; zombies wait for an init that some containers do not have."""
    os.killpg(group, 0)
    states = [_state(entry) for entry in Path("/proc").glob("[0-9]*/stat")]
    return not states or any(state != "Z" for pgid, state in states if pgid == group)


def _state(stat: Path) -> tuple[int, str]:
    """(process group, state letter) of a line "pid (command) state ppid pgrp …"."""
    try:
        state, _, pgid = stat.read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return 0, "Z"
    return int(pgid), state
