"""SIGINT and SIGTERM at one point of one command, and at random points of each: it ends and leaves nothing behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.executors.lava import why_unavailable
from tests.support.lava_processes import shared_memory

SECONDS = 60.0
"""Time in which a command must have ended after the signal, on a busy machine too."""
COMMANDS = {
    "convert": "convert digits --data digits -o made.h5",
    "tune": "tune digits --data digits --trials 3 --study study.db",
    "evaluate": "evaluate net.h5 --data digits --resume run",
    "run": "run net.h5 --data digits --images 200",
    "deploy": "deploy net.h5 --data digits --board oheo_gulch --dry-run",
}
ENDINGS = {0, 130, -signal.SIGINT, -signal.SIGTERM}
"""Finished before the signal, ended by it, or, while Python itself starts or ends, killed by it."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "net.h5"
    made = command(f"convert digits --data digits --timesteps 8 -o {path}")
    subprocess.run(made, check=True, capture_output=True)
    return path


def command(words: str) -> list[str]:
    return [sys.executable, "-m", "loihi_onespike", *words.split()]


def of_session(number: int) -> list[str]:
    """Command lines of the processes of a session that are not zombies."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:4]
            if int(session) == number and state != "Z":
                found.append(entry.joinpath("cmdline").read_text().replace("\0", " "))
        except (OSError, ValueError):
            continue
    return found


def ended(name: str, number: signal.Signals, delay: float, network: Path | None, folder: Path) -> int:
    """Exit status of a command that gets a signal after some seconds; checks what it leaves."""
    temporary, work = folder / "tmp", folder / "work"
    temporary.mkdir(parents=True)
    work.mkdir()
    if network is not None:
        (work / "net.h5").write_bytes(network.read_bytes())
    memory = set(os.listdir("/dev/shm"))
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command(COMMANDS[name]), cwd=work, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as child:  # fmt: skip
        try:
            child.wait(delay)
        except subprocess.TimeoutExpired:
            child.send_signal(number)
        said, _ = child.communicate(timeout=SECONDS)
    deadline = time.monotonic() + SECONDS
    while of_session(child.pid) and time.monotonic() < deadline:
        time.sleep(0.2)  # a process whose parent was ended at once needs a moment to see it
    assert not of_session(child.pid)
    starting = child.returncode < 0 and "loihi_onespike/cli/command.py" not in said
    assert starting or "Traceback" not in said, said
    assert not [path for path in work.rglob(".*") if path.name.endswith(".part")]
    left = [p.name for p in temporary.iterdir() if not p.name.startswith(("loihi-onespike-kernels", "torch"))]
    if child.returncode >= 0:  # otherwise it ended at once, and the next run removes the folder
        assert not left, (left, said)
    # Runs of other workers may have memory of their own, which a process of theirs has mapped.
    added = {entry for entry in set(os.listdir("/dev/shm")) - memory if entry.startswith("psm_")}
    in_use = {path.name for path in shared_memory({int(entry) for entry in os.listdir("/proc") if entry.isdigit()})}
    assert not {entry for entry in added - in_use if (Path("/dev/shm") / entry).exists()}
    return child.returncode


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="SIGINT", marks=pytest.mark.thorough), pytest.param(signal.SIGTERM, id="SIGTERM")],
)
def test_a_signal_while_a_command_works(number: signal.Signals, tmp_path: Path) -> None:
    assert ended("convert", number, 2.0, None, tmp_path) in ENDINGS


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_at_any_point(name: str, number: signal.Signals, network: Path, tmp_path: Path) -> None:
    if name == "run" and why_unavailable() is not None:
        pytest.skip("Lava is not installed")
    chance = random.Random(f"{name} {number}")
    for i, delay in enumerate(np.geomspace(2, 15, 3) * chance.uniform(0.8, 1.2)):
        status = ended(name, number, float(delay), network, tmp_path / str(i))
        assert status in ENDINGS, status
