"""Lava in a program that has used multiprocessing, or numba's threads, before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.lava_processes import needs_lava

pytestmark = needs_lava

PROGRAM = """
import multiprocessing

multiprocessing.set_start_method({method!r})
from loihi_onespike.executors.lava import {module}

print(multiprocessing.get_start_method())
"""


def imported(method: str, module: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(method=method, module=module)
    return subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True, text=True)


@pytest.mark.parametrize(
    "module", ["netx", *(pytest.param(m, marks=pytest.mark.slow) for m in ("layers", "models", "stock"))]
)
def test_fork_set_before_is_no_obstacle(module: str) -> None:
    done = imported("fork", module)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["fork"]


def test_another_method_is_refused() -> None:
    done = imported("spawn", "netx")
    assert done.returncode == 1
    assert "LavaError: multiprocessing's start method: must be fork, got spawn" in done.stderr
