"""Runs that go wrong, for real: what the error says, and that no process and no shared memory is left."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from loihi_onespike.errors import LavaError
from loihi_onespike.executors.lava import run
from loihi_onespike.executors.lava.job import NETWORK
from tests.support.lava_networks import chain, codes
from tests.support.lava_processes import Watch, group_members, needs_lava

pytestmark = needs_lava
NET = chain(3)
MANY = codes(NET, 400)
"""Seconds of work, so that there is time to interfere."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs make their folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


BROKEN = """
from loihi_onespike.executors.lava import kernels


def broken(op, *_):
    if getattr(op, "groups", 0) and op.weight.shape[1] == 4:
        return lambda spikes: 1 / 0
    return kernels.whole(op, *_)


kernels.whole, kernels.event_kernel = kernels.event_kernel, broken
"""


def test_exception_in_a_process_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patches = folder / "patches"
    patches.mkdir()
    (patches / "sitecustomize.py").write_text(BROKEN)  # runs in the worker before anything else
    monkeypatch.setenv("PYTHONPATH", str(patches))
    watch = Watch()
    with pytest.raises(LavaError) as error:
        run(NET, MANY, progress=watch, timeout_s=60)
    message = str(error.value)
    assert "process 'synapse conv2' failed" in message
    assert "ZeroDivisionError: division by zero" in message and "in run_spk" in message, "the traceback comes along"
    assert f"of {NET.steps(400)} steps" in message
    assert not group_members(watch.worker)
    assert list(folder.iterdir()) == [patches]


def test_a_lava_process_is_killed(folder: Path) -> None:
    def kill_one(worker: int) -> None:
        os.kill(max(group_members(worker)), signal.SIGKILL)

    watch = Watch(kill_one)
    with pytest.raises(LavaError, match=r"steps\): it was killed by SIGKILL \(perhaps by the system"):
        run(NET, MANY, progress=watch, timeout_s=60)
    assert watch.nothing_left()


def test_the_worker_is_killed(folder: Path) -> None:
    watch = Watch(lambda worker: os.kill(worker, signal.SIGKILL))
    with pytest.raises(LavaError, match=r"worker failed \(after at least \d+ of \d+ steps\): it was killed by SIGKILL"):
        run(NET, MANY, progress=watch, timeout_s=60)
    assert watch.nothing_left()
    assert not list(folder.iterdir())


@pytest.mark.thorough
def test_time_is_out(folder: Path) -> None:
    def stop_one(worker: int) -> None:
        os.kill(max(group_members(worker)), signal.SIGSTOP)

    watch = Watch(stop_one)
    started = time.monotonic()
    with pytest.raises(LavaError, match=r"not finished after 4 s \(after at least \d+ of \d+ steps\)"):
        run(NET, MANY, progress=watch, timeout_s=4)
    assert time.monotonic() - started < 10
    assert watch.nothing_left()


def test_time_is_out_while_starting(folder: Path) -> None:
    with pytest.raises(LavaError, match=r"not finished after 0\.05 s \(before the first step\)"):
        run(NET, MANY, timeout_s=0.05)
    assert not list(folder.iterdir())


def test_interrupted_by_the_user(folder: Path) -> None:
    def interrupt(worker: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    watch = Watch(interrupt)
    # a job in the background of a script starts with SIGINT ignored, and Python leaves it at that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(NET, MANY, progress=watch, timeout_s=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert watch.nothing_left()
    assert not list(folder.iterdir())


def test_the_parent_is_gone(tmp_path: Path) -> None:
    """A caller that is killed takes the run with it."""
    pid = os.fork()
    if pid == 0:
        os.setsid()

        def note(done: int, steps: int) -> None:
            from tests.support.lava_processes import worker_pid

            (tmp_path / "draft").write_text(str(worker_pid()))
            (tmp_path / "draft").rename(tmp_path / "worker")

        tempfile.tempdir = str(tmp_path)
        try:
            run(NET, codes(NET, 5000), progress=note)
        finally:
            os._exit(1)
    while not (tmp_path / "worker").exists():
        time.sleep(0.05)
    worker = int((tmp_path / "worker").read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    patience = time.monotonic() + 10
    while group_members(worker) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not group_members(worker)


def test_an_unreadable_network_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while building, before there is any Lava process."""
    from loihi_onespike.executors.lava import job

    def write(network: object, path: Path) -> None:
        assert path.name == NETWORK
        path.write_bytes(b"no network")

    monkeypatch.setattr(job.netx_export, "write", write)
    with pytest.raises(LavaError, match=r"the worker failed \(before the first step\)") as error:
        run(NET, MANY[:1], timeout_s=60)
    assert "FormatError" in str(error.value)


def test_more_sum_than_a_message_holds(folder: Path) -> None:
    from loihi_onespike.core.graphs.network import Network, Readout, Synapse
    from loihi_onespike.core.maps import Dense
    from loihi_onespike.errors import HeadroomError
    from loihi_onespike.executors.lava.layers import check_messages
    from tests.support.lava_networks import membrane

    out = Readout("out", (1,), membrane(8192, 4))
    wide = Dense(np.full((1, 66_053), 254, np.int16))
    message = "out: the synaptic input of one step, at worst, requires 33 bits, limit 32"
    with pytest.raises(HeadroomError, match=message):
        check_messages(Network("n", (NET.input, out), (Synapse("out", "input", "out", wide, None, 7),)), out)
    fits = Dense(np.full((1, 66_052), 254, np.int16))
    check_messages(Network("n", (NET.input, out), (Synapse("out", "input", "out", fits, None, 7),)), out)
