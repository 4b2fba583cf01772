"""What all tests share: one thread for each of several workers, random numbers that do not depend on other tests."""

import gc
import os
import random
import sys
from collections.abc import Iterator

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # The threads of one worker would wait, spinning, for those of another. Before torch is imported, and inherited by
    # the processes that a test starts; a run in one process keeps all threads.
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")


@pytest.hookimpl(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    """Search for no garbage while modules are imported and tests are made, nor later among what all tests share."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()
    gc.freeze()


def _seed() -> None:
    """Begin the streams of random numbers anew; a library that is not imported yet has given none."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def pytest_collectstart() -> None:
    """Arrays that a module makes when it is imported do not depend on the modules before it."""
    _seed()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A test, and a fixture that it is the first to ask for, do not depend on the tests that ran before."""
    _seed()


@pytest.fixture(scope="session")
def lava_server() -> Iterator[None]:
    """The process from which workers of Lava runs are forked."""
    from tests.support.forked_lava import ForkedChild, Server

    ForkedChild.server = Server()
    yield
    ForkedChild.server.close()


@pytest.fixture
def forked_lava(monkeypatch: pytest.MonkeyPatch, lava_server: None) -> None:
    """Fork the workers of Lava runs from a process that is there in place of starting an interpreter for each."""
    from loihi_onespike.executors.lava import runner
    from tests.support.forked_lava import ForkedChild

    monkeypatch.setattr(runner, "Child", ForkedChild)
