"""Fuzzing in child processes: a crash, a hang, too much memory or an error without a type is a finding.

Mutation number n of a kind is always the same, so that `--first n --count 1` repeats a finding.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzzing import networks
from tests.fuzzing.mutations import mutate_archive, mutate_bytes
from tests.fuzzing.seeds import KINDS
from tests.support.guarded import MEMORY, ROOT, SECONDS, attempt, limit_memory

RUN = 5000
"""Mutations that one child process reads."""
STARTS = 900.0
"""Seconds that a child process has to import, and to compile kernels, on a busy machine too."""
ROUND = 1000
"""Mutations of a round over all kinds, times the weight of the kind."""
NETWORKS = 20
"""Random networks of one child process."""
SHARE = 0.2
"""Of the time that random networks may take, so that compilation on a slow machine leaves time for the files."""
IN_MEMORY = Path("/dev/shm")
"""Where files are written, if there is such a folder: writing to a disk takes longer than reading what was written."""
PATIENCE = 6
"""A mutation that took too long is read once more with so many times the time."""
HUNG = "Timeout ("
"""With which faulthandler begins when time is up."""


@dataclass
class Tally:
    """What became of the mutations of one kind.

    Attributes:
        kind: kind of file.
        tried: mutations that were read.
        accepted: how many were read without an error.
        seconds, megabytes: of the slowest one and of the one that raised the memory in use most.
        findings: number of a mutation and what was wrong.
    """

    kind: str
    tried: int = 0
    accepted: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0
    findings: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: Mapping[str, Any]) -> None:
        """Count what a child process printed about a mutation."""
        self.tried += 1
        self.accepted += line["accepted"]
        self.seconds = max(self.seconds, line["seconds"])
        self.megabytes = max(self.megabytes, line["megabytes"])
        if line["wrong"]:
            self.findings.append((line["number"], line["wrong"]))

    def join(self, other: Tally) -> None:
        """Count the mutations of another tally too."""
        self.tried, self.accepted = self.tried + other.tried, self.accepted + other.accepted
        self.seconds, self.megabytes = max(self.seconds, other.seconds), max(self.megabytes, other.megabytes)
        self.findings += other.findings


def mutation(kind: str, number: int) -> tuple[bytes, bool]:
    """Bytes of a mutation, and whether it is one of bytes, which the digests of a NetX file must notice.

    Args:
        kind: a name of `KINDS`.
        number: number of the mutation.
    """
    rng = random.Random(f"{kind} {number}")
    change = rng.choice(KINDS[kind].mutations)
    return change(KINDS[kind].files(), rng), change in (mutate_bytes, mutate_archive)


def fuzz(kind: str, first: int, count: int) -> Tally:
    """Read some mutations in child processes, and continue with the next one where a child dies.

    Args:
        kind: a name of `KINDS`.
        first: number of the first mutation.
        count: how many.
    """
    tally, end = Tally(kind), first + count
    while first < end:
        size = min(RUN, end - first)
        lines, ended = _child(kind, first, size, SECONDS)
        if len(lines) < size and ended.startswith(HUNG):  # or the machine was busy: once more, alone and with more time
            again, ended = _child(kind, first + len(lines), 1, PATIENCE * SECONDS)
            lines += again
            size = len(lines) if again else size
        for line in lines:
            tally.add(line)
        first += len(lines)
        if len(lines) < size:
            tally.tried += 1
            tally.findings.append((first, f"the process ended with {ended}"))
            first += 1
    return tally


def _child(kind: str, first: int, count: int, seconds: float) -> tuple[list[dict[str, Any]], str]:
    """The lines of a child process that reads mutations, and what it said at its end."""
    command = [sys.executable, "-m", "tests.fuzzing", "--child", kind, str(first), str(count), str(seconds)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.run(command, cwd=ROOT, stdout=out, stderr=err, check=False, timeout=STARTS + seconds * count)
        for stream in (out, err):
            stream.seek(0)
        lines = [json.loads(line) for line in out if line.startswith('{"number"')]
        said = err.read()[-2000:]
    own = "tests/fuzzing" in said.partition("Fatal Python error")[0] and HUNG not in said
    if child.returncode == 1 and own:
        raise RuntimeError(f"fuzzing of {kind} failed at mutation {first + len(lines)}: {said}")
    return lines, f"{HUNG if HUNG in said else 'status'} {child.returncode}: {said}"


def read_in_child(kind: str, first: int, count: int, seconds: float) -> None:
    """The child process: read mutations and print a line for each.

    Args:
        kind: a name of `KINDS`.
        first: number of the first mutation.
        count: how many.
        seconds: time that each may take.
    """
    import faulthandler

    faulthandler.enable()
    warnings.simplefilter("ignore")
    if kind == networks.KIND:
        for number in range(first, first + count):
            print(json.dumps(networks.examine(number)), flush=True)
        return
    described = KINDS[kind]
    if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK):
        tempfile.tempdir = str(IN_MEMORY)
    with tempfile.TemporaryDirectory(prefix="onespike-fuzzing-") as folder:
        path = Path(folder) / f"file{described.suffix}"
        whole: set[str] = set()
        for data in described.files():  # imports everything before memory is limited
            path.write_bytes(data)
            whole.add(_fingerprint(kind, described.read(path)))
        limit_memory(MEMORY)
        for number in range(first, first + count):
            line = examine(kind, number, path, whole, seconds)
            print(json.dumps(line), flush=True)


def examine(kind: str, number: int, path: Path, whole: set[str], seconds: float = SECONDS) -> dict[str, Any]:
    """Read one mutation and say what was wrong with that, as the line that a child process prints.

    Args:
        kind: a name of `KINDS`.
        number: number of the mutation.
        path: where to write it.
        whole: fingerprints of the valid files.
        seconds: time that it may take.
    """
    described = KINDS[kind]
    data, bytes_only = mutation(kind, number)
    path.write_bytes(data)
    results: list[object] = []
    outcome = attempt(lambda p: results.append(described.read(Path(p))), str(path), seconds)
    wrong = ""
    if outcome.error and not outcome.typed:
        wrong = f"{outcome.error}: {outcome.message[:500]}"
    elif outcome.error and not _printable(outcome.message):
        wrong = f"a message that cannot be printed: {ascii(outcome.message)[:500]}"
    elif outcome.megabytes > described.megabytes:
        wrong = f"took {outcome.megabytes:.0f} MB"
    elif results and kind == "netx" and bytes_only and _fingerprint(kind, results[0]) not in whole:
        wrong = "another network was accepted"
    return {
        "number": number, "accepted": not outcome.error, "seconds": outcome.seconds,
        "megabytes": outcome.megabytes, "wrong": wrong,
    }  # fmt: skip


def _fingerprint(kind: str, result: object) -> str:
    if kind != "netx":
        return ""
    from netx_export.encode import encode
    from netx_export.storage import digest

    return json.dumps({name: digest(array) for name, array in sorted(encode(result).items())})  # type: ignore[arg-type]


def _printable(message: str) -> bool:
    with contextlib.suppress(UnicodeEncodeError):
        return bool(message.encode("utf-8")) and len(message) < 20_000
    return False


def rounds(seconds: float, first: int) -> Iterator[list[Tally]]:
    """The tallies of all kinds after every round, until time is up; a round begins where the last one ended.

    Args:
        seconds: time.
        first: number of the first mutation of every kind.
    """
    counts = {kind: ROUND * described.weight for kind, described in KINDS.items()} | {networks.KIND: NETWORKS}
    tallies = {kind: Tally(kind) for kind in counts}
    at, spent = dict.fromkeys(counts, first), dict.fromkeys(counts, 0.0)
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        for kind, count in counts.items():
            now = time.monotonic()
            if now > start + seconds:
                break
            if kind == networks.KIND and spent[kind] > SHARE * (now - start):
                continue
            found = fuzz(kind, at[kind], count)
            at[kind] += count
            spent[kind] += time.monotonic() - now
            tallies[kind].join(found)
        yield list(tallies.values())


def table(tallies: list[Tally]) -> str:
    """A line per kind, and one of all files."""
    lines = [f"{'kind':12} {'tried':>8} {'accepted':>9} {'slowest':>9} {'memory':>8} {'findings':>9}"]
    files = Tally("files")
    for tally in tallies:
        if tally.kind != networks.KIND:
            files.join(tally)
    lines += [
        f"{t.kind:12} {t.tried:8d} {t.accepted:9d} {t.seconds:7.2f} s {t.megabytes:5.0f} MB {len(t.findings):9d}"
        for t in (*tallies, files)
    ]
    return "\n".join(lines)


def findings(tallies: list[Tally]) -> str:
    """A line per finding, which begins with the options that repeat it."""
    return "\n".join(
        f"--kind {t.kind} --first {number} --count 1: {wrong}" for t in tallies for number, wrong in t.findings
    )
