"""What all tests share: one thread for each of several workers."""

import gc
import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # The threads of one worker would wait, spinning, for those of another. Before torch is imported, and inherited by
    # the processes that a test starts; a run in one process keeps all threads.
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """Leave what all tests share, libraries and thousands of items, out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def forked_lava(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the workers of Lava runs from this process in place of starting an interpreter for each."""
    from loihi_onespike.executors.lava import runner
    from tests.support.forked_lava import ForkedChild

    monkeypatch.setattr(runner, "Child", ForkedChild)
