"""One mutant and its tests, in a child process.

The parent imports the large libraries and nothing of ours. A child, forked from it, begins with these and imports the
changed code, so that a mutant takes the time of its tests alone. A child that exceeds its time is killed with all that
it started, which counts as killed: the tests noticed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

for _name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"  # before the libraries are imported, which a child does not do again

import h5py  # noqa: E402, F401  imported for the children
import hypothesis  # noqa: E402, F401
import numba  # noqa: E402, F401
import pytest  # noqa: E402
import scipy.linalg  # noqa: E402, F401
import torch  # noqa: E402, F401

from tests.mutation.mutants import Mutant  # noqa: E402
from tests.mutation.targets import Target  # noqa: E402

MEMORY = 12 * 2**30
"""Address space of a child; a mutant may ask for any amount."""
LEAST_SECONDS = 30.0
"""Time that every mutant has, beside three times that of the code without a change."""
ROOT = Path(__file__).resolve().parents[2]


def working_copy(folder: Path) -> Path:
    """A copy of the files of the repository, changed ones as they are, in which modules can be overwritten."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


class Trials:
    """Runs mutants in a copy of the repository.

    Args:
        tree: the copy.
    """

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._usual: dict[str, float] = {}

    def run(self, mutant: Mutant, target: Target) -> tuple[bool, float, str]:
        """Whether the tests of its module notice a mutant, seconds that it took, and by what it was noticed."""
        module = mutant.mutation.path
        tests = target.tests(self.tree, module)
        if module not in self._usual:
            code, seconds, said = self._child(tests, target, None)
            if code != 0:
                raise RuntimeError(f"{module}: its tests must pass without a mutation, got exit {code}\n{said}")
            self._usual[module] = seconds
        path = self.tree / module
        before = path.read_text()
        path.write_text(mutant.source)
        try:
            code, seconds, said = self._child(tests, target, LEAST_SECONDS + 3 * self._usual[module])
        finally:
            path.write_text(before)
        failed = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return code != 0, seconds, failed[0] if failed else ("" if code == 0 else f"exit {code}")

    def _child(self, tests: list[str], target: Target, seconds: float | None) -> tuple[int, float, str]:
        said = self.tree.parent / "said"
        begin = time.monotonic()
        child = os.fork()
        if child == 0:
            _test(self.tree, tests, target.without, said)
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if seconds is not None and time.monotonic() - begin > seconds:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return -signal.SIGKILL, time.monotonic() - begin, "ERROR out of time"
            time.sleep(0.05)
        return os.waitstatus_to_exitcode(done[1]), time.monotonic() - begin, said.read_text(errors="replace")


def _test(tree: Path, tests: list[str], without: tuple[str, ...], said: Path) -> None:
    """Run pytest in this process and end it."""
    code = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        sys.dont_write_bytecode = True  # a mutant of the same length and second would be taken for its module
        for name in [n for n in sys.modules if n.partition(".")[0] in ("tests", "loihi_onespike", "netx_export")]:
            del sys.modules[name]
        left_out = [f"--deselect={name}" for name in without]
        code = int(
            pytest.main(["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist",
                         "-m", "not slow and not lava", "--hypothesis-seed=0", *left_out, *tests])
        )  # fmt: skip
    finally:
        sys.stdout.flush()
        os._exit(code)
