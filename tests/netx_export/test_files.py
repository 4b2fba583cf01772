"""A write appears whole or not at all, whatever stops it."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import loihi_onespike.regular_files
from loihi_onespike.errors import WriteError
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

    monkeypatch.setattr(loihi_onespike.regular_files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(NEW, path)
    _untouched(path)


@pytest.mark.parametrize("limit", [0, 3_000, 20_000])
def test_a_full_disk_leaves_the_old_file(limit: int, path: Path) -> None:
    """The limit on file sizes makes the system refuse to write more, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(WriteError, match=r"cannot be written .*free space there"):
            write(NEW, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    _untouched(path)
    write(NEW, path)
    assert_same(read(path), NEW)


def test_a_killed_process_leaves_the_old_file(path: Path) -> None:
    script = (
        "import os, signal, sys, loihi_onespike.regular_files as files, netx_export\n"
        "from tests.support.networks import graph\n"
        "files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "netx_export.write(graph(), sys.argv[1])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert_same(read(path), OLD)
    assert len(list(path.parent.iterdir())) == 2, "the draft of the killed process"
    write(NEW, path)
    assert_same(read(path), NEW)
    assert list(path.parent.iterdir()) == [path], "the next write removes it"


def test_a_draft_in_use_stays(path: Path) -> None:
    used, stale = (path.with_name(f".{path.name}.{digit * 16}.part") for digit in "ab")
    others = path.with_name(f".{path.name}.old"), path.with_name(".other.net." + "a" * 16 + ".part")
    for file in (used, stale, *others):
        file.touch()
    with used.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        write(NEW, path)
    assert not stale.exists() and used.exists() and all(file.exists() for file in others)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_regular_files_are_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "net.net"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/null")
    else:
        path.mkdir()
    before = path.stat()
    with pytest.raises(WriteError, match=r"must be a regular file or a new one, got a .*; name another file"):
        write(NEW, path)
    after = path.stat()
    assert (before.st_mode, before.st_ino) == (after.st_mode, after.st_ino)


def test_a_special_folder_is_named() -> None:
    """Nobody can make files there, not even root."""
    with pytest.raises(WriteError, match=r"^/proc/net\.net: cannot be written \(.*name a file in a folder"):
        write(NEW, "/proc/net.net")


def test_a_file_as_folder_is_named(path: Path) -> None:
    with pytest.raises(WriteError, match=r"below\.net: cannot be written"):
        write(NEW, path / "below.net")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="cannot be written"):
        write(NEW, tmp_path / ("n" * 5000))


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
