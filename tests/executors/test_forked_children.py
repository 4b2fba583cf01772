"""A process that is forked after an executor ran can run it too, and does not wait for threads that are gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

SCRIPT = """
import os, signal, sys
import torch
from loihi_onespike.executors.fast.fast_executor import FastExecutor
from tests.strategies import random_case

torch.set_num_threads(2)
case = random_case(3, ops=("conv",))
executor = FastExecutor(case.network) if "fast" in sys.argv else None
found = executor and executor.run(case.codes).output
torch.ones(2**22).add_(1)  # the threads of torch exist from here on
child = os.fork()
if child == 0:
    signal.alarm(20 if executor else 5)
    torch.ones(2**22).add_(1)
    same = executor is None or (executor.run(case.codes).output == found).all()
    os._exit(0 if same and torch.get_num_threads() == 1 else 3)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert torch.get_num_threads() == 2
sys.exit(0 if status == 0 else 4 if status == -signal.SIGALRM else 5)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks, with the OpenMP runtime of GNU")
@pytest.mark.parametrize(("given", "status"), [("fast", 0), ("torch alone", 4)])
def test_a_forked_child_computes(given: str, status: int) -> None:
    """Torch alone hangs in the child, which shows that the case is the right one."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, *given.split()]
    done = subprocess.run(command, cwd=root, timeout=120, check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == status
    assert "OpenMP" not in done.stderr  # libgomp ends a child that uses numba's own threads after a fork
