"""Compiled kernels where nothing can be written to the folders that numba would use."""

import numba
import pytest

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
