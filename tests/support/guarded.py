"""Reading of files that may crash, hang or fill the memory: in a process of its own, with limits.

`python -m tests.support.guarded READER MEMORY SECONDS PATH…` reads the files one after the other and prints a line of
JSON for each.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MEMORY = 2**30
"""Bytes that a reader may reserve beyond what it has after its imports."""
SECONDS = 5.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        error: name of the exception, empty where the file was read, "died" where the process ended or hung.
        message: message of the exception.
        typed: whether it was one of the typed errors.
        seconds: time that it took.
        megabytes: growth of the largest memory in use so far.
    """

    error: str
    message: str
    typed: bool
    seconds: float
    megabytes: float


def guarded(reader: str, paths: Sequence[Path], memory: int = MEMORY, seconds: float = SECONDS) -> dict[Path, Outcome]:
    """Read files in a child process; after a crash or a hang a new one goes on with the next file.

    Args:
        reader: a name of READERS.
        paths: the files.
        memory: bytes that the child may reserve beyond what it has after its imports.
        seconds: time for each file.
    """
    outcomes: dict[Path, Outcome] = {}
    while rest := [path for path in paths if path not in outcomes]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.guarded", reader, str(memory), str(seconds), *map(str, rest)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60 + seconds * len(rest),
        )  # fmt: skip
        found = [Outcome(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith('{"error"')]
        outcomes |= dict(zip(rest, found, strict=False))
        if len(found) < len(rest):
            last = done.stderr[-2000:]
            outcomes[rest[len(found)]] = Outcome("died", f"status {done.returncode}: {last}", False, seconds, 0.0)
    return outcomes


def _netx(path: str) -> object:
    import netx_export

    return netx_export.read(path)


def _npz(path: str) -> object:
    from loihi_onespike.data import load_data, npz  # noqa: F401  (the reader behind it, before memory is limited)

    return load_data(path, calibration_images=2)


def _weights(path: str) -> object:
    from torch import nn

    from loihi_onespike.models.weights import load_weights

    return load_weights(nn.Sequential(nn.Linear(4, 3)), Path(path))


def _board(path: str) -> object:
    from loihi_onespike.boards.specification import load_board

    return load_board(path)


READERS: dict[str, Callable[[str], object]] = {"netx": _netx, "npz": _npz, "weights": _weights, "board": _board}


def peak() -> float:
    """Largest memory in use so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def limit_memory(beyond: int) -> None:
    """Limit the address space to what is reserved now and some bytes more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + beyond
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def attempt(reader: Callable[[str], object], path: str, seconds: float) -> Outcome:
    """Read one file under a watchdog that ends the process when time is up.

    Args:
        reader: function that reads it.
        path: the file.
        seconds: time that it may take.
    """
    from loihi_onespike.errors import OneSpikeError

    before, start, error = peak(), time.perf_counter(), None
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        reader(path)
    except Exception as raised:  # whatever it is, it is the result
        error = raised
    faulthandler.cancel_dump_traceback_later()
    name = "" if error is None else type(error).__name__
    taken = time.perf_counter() - start
    return Outcome(name, str(error or ""), isinstance(error, OneSpikeError), taken, peak() - before)


def main(name: str, memory: str, seconds: str, *paths: str) -> None:
    """The child process: read the files and print what became of them."""
    faulthandler.enable()
    reader = READERS[name]
    with contextlib.suppress(Exception):  # imports everything before memory is limited
        reader("/nowhere/nothing" + Path(paths[0]).suffix)
    limit_memory(int(memory))
    for path in paths:
        print(json.dumps(vars(attempt(reader, path, float(seconds)))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
