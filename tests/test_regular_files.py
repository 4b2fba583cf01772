"""Files are checked before they are read, with an error of the caller's type that names the path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loihi_onespike.errors import DataError, ModelLoadError
from loihi_onespike.regular_files import check_readable


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
