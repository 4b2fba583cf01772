"""Files are checked before they are read, with an error of the caller's type that names the path."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from loihi_onespike.errors import DataError, ModelLoadError
from loihi_onespike.regular_files import check_readable, temporary_folder


@pytest.mark.parametrize("error", [DataError, ModelLoadError])
def test_what_cannot_be_read_is_refused(tmp_path: Path, error: type[Exception]) -> None:
    good, pipe, pointer = tmp_path / "good", tmp_path / "pipe", tmp_path / "pointer"
    good.write_bytes(b"content")
    os.mkfifo(pipe)
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    check_readable(good, error)
    for path, words in (
        (tmp_path / "none", "none: not there"),
        (tmp_path, "must be a regular file, got a folder"),
        (pipe, r"got a named pipe \(FIFO\)"),
        (pointer, "git lfs pull"),
        (Path("a\0b"), "cannot be read"),
    ):
        with pytest.raises(error, match=words):
            check_readable(path, error, "not there")


HOLDING = """
import sys, time
from loihi_onespike.regular_files import temporary_folder
with temporary_folder("onespike-test-") as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_folder_of_a_killed_process_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "onespike-other").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", HOLDING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as owner:
        try:
            assert owner.stdout is not None
            left = Path(owner.stdout.readline().strip())
            with temporary_folder("onespike-test-") as mine:
                assert left.is_dir() and mine.is_dir(), "a folder in use stays"
            assert not mine.exists() and (left / "file").exists()
        finally:
            owner.kill()
    assert left.is_dir()
    with temporary_folder("onespike-test-") as mine:
        assert [path.name for path in sorted(tmp_path.iterdir())] == ["onespike-other", mine.name]
