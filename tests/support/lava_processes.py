"""Processes and shared memory of a Lava run, as /proc shows them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from loihi_onespike.executors.lava import why_unavailable

needs_lava = [
    pytest.mark.lava,
    pytest.mark.skipif(why_unavailable() is not None, reason=why_unavailable() or "Lava is installed"),
]

forked = pytest.mark.usefixtures("forked_lava")
"""Mark of a test whose Lava runs are forked from a process that has imported Lava (`forked_lava.py`)."""


def worker_pid() -> int:
    """Process number of the worker that this process has started."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"executors.lava.worker" in entry.joinpath("cmdline").read_bytes():
                return int(entry.name)
        except (OSError, ValueError):
            continue
    raise LookupError("no worker runs")


def group_members(group: int) -> set[int]:
    """Processes of a group that are not zombies."""
    members = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, pgid = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(pgid) == group and state != "Z":
            members.add(int(entry.name))
    return members


def shared_memory(pids: set[int]) -> set[Path]:
    """Shared memory files that processes have mapped."""
    lines = []
    for pid in pids:
        with contextlib.suppress(OSError):  # the process may have ended
            lines += Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {Path(line.split()[5]) for line in lines if "/dev/shm/psm_" in line}


class Watch:
    """Progress callback that records processes and memory at its first call, then calls `action(worker pid)`."""

    def __init__(self, action: object = None) -> None:
        self.action, self.worker = action, 0
        self.memory: set[Path] = set()
        self.calls: list[tuple[int, int]] = []

    def __call__(self, done: int, steps: int) -> None:
        self.calls.append((done, steps))
        if self.worker == 0:
            self.worker = worker_pid()
            self.memory = shared_memory(group_members(self.worker))
            if callable(self.action):
                self.action(self.worker)

    def nothing_left(self) -> bool:
        """True where no process and no shared memory of the run remain."""
        assert self.worker and self.memory, "the run was not seen"
        return not group_members(self.worker) and not any(path.exists() for path in self.memory)
