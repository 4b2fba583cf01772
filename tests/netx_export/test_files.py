"""A write appears whole or not at all, whatever stops it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import netx_export.files
from netx_export import read, write
from tests.strategies import random_network
from tests.support.equal import assert_same
from tests.support.networks import chain, graph

OLD, NEW = chain(), graph()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(OLD, tmp_path / "net.net")
    return tmp_path / "net.net"


def _untouched(path: Path) -> None:
    assert_same(read(path), OLD)
    assert [p.name for p in path.parent.iterdir()] == [path.name], "a draft was left behind"


def test_a_write_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(netx_export.files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(NEW, path)
    _untouched(path)


@pytest.mark.parametrize("limit", [0, 3_000, 20_000])
def test_a_full_disk_leaves_the_old_file(limit: int, path: Path) -> None:
    """The limit on file sizes makes the system refuse to write more, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(OSError):
            write(NEW, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    _untouched(path)
    write(NEW, path)
    assert_same(read(path), NEW)


def test_a_killed_process_leaves_the_old_file(path: Path) -> None:
    script = (
        "import os, signal, sys, netx_export.files as files\n"
        "from tests.support.networks import graph\n"
        "files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write(graph(), sys.argv[1])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert_same(read(path), OLD)
    write(NEW, path)
    assert_same(read(path), NEW)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        write(OLD, tmp_path / "nowhere" / "net.net")


def test_a_link_stays_a_link(path: Path) -> None:
    link = path.with_name("link.net")
    link.symlink_to(path)
    write(NEW, link)
    assert link.is_symlink()
    assert_same(read(path), NEW)


def test_the_file_has_the_usual_permissions(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write(random_network(1), tmp_path / "net.net")
    finally:
        os.umask(mask)
    assert (tmp_path / "net.net").stat().st_mode & 0o777 == 0o644
