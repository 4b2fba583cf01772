"""Compiled kernels where nothing can be written to the folders that numba would use."""

import logging
from types import SimpleNamespace

import numba
import pytest
from numba.core import event

from loihi_onespike.executors import compiled


def doubled(x):
    return 2 * x


@pytest.fixture
def no_folder(monkeypatch):
    """numba finds no folder for its cache, as in a read-only installation without a home folder."""
    real = numba.njit

    def refuse(cache=False, **options):
        if cache and not numba.config.CACHE_DIR:
            raise RuntimeError("cannot cache function")
        return real(**options)

    monkeypatch.setattr(compiled.numba, "njit", refuse)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")


def test_private_folder(no_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    assert compiled.njit()(doubled)(3) == 6
    (folder,) = tmp_path.iterdir()
    assert str(folder) == numba.config.CACHE_DIR and folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_others_can_write_to_is_not_used(no_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    assert compiled.njit()(doubled)(3) == 6
    (folder,) = tmp_path.iterdir()
    folder.chmod(0o777)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    assert compiled.njit()(doubled)(3) == 6 and not numba.config.CACHE_DIR


def compiles(function):
    with event.trigger_event("numba:compile", data={"dispatcher": SimpleNamespace(py_func=function)}):
        pass


def test_the_first_compilation_of_a_process_is_said_once(caplog, monkeypatch):
    listener = next(k for k in event._registered["numba:compile"] if isinstance(k, compiled._FirstCompilation))
    monkeypatch.setattr(listener, "told", False)
    caplog.set_level(logging.INFO, "loihi_onespike")
    compiles(doubled)  # not one of ours
    assert not caplog.messages
    compiles(compiled.has_machine_code)
    compiles(compiled.has_machine_code)
    (message,) = caplog.messages
    assert "compiled when they are first used, and kept" in message


def test_kernels_with_machine_code(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kernel = compiled.njit()(doubled)
    assert compiled.KERNELS.pop() is kernel and not compiled.has_machine_code(kernel)
    assert kernel(2) == 4 and compiled.has_machine_code(kernel)
