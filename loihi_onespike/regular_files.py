"""Files as everything here reads and writes them: regular ones alone, checked before they are opened, written whole.

A named pipe, a device or a folder in the place of a file is refused before anything waits for it or replaces it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loihi_onespike.errors import MissingFolderError, WriteError

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
DRAFT = ".{name}.{mark}.part"
BASE_BUDGET = 2**27
"""Bytes that the content of any file may take in memory, 128 MiB."""
BUDGET_RATIO = 64
"""Further bytes of content per byte of the file; compressed weights and images need less than half of it."""


def budget(file_bytes: int) -> int:
    """Bytes of content that a file of this size justifies: 128 MiB and 64 times its size."""
    return BASE_BUDGET + BUDGET_RATIO * file_bytes


def kind_of(mode: int) -> str:
    """What a file of this mode is, in words; empty for a regular file."""
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "a special file")


def objection(path: str | os.PathLike[str]) -> str:
    """Why a path cannot be read as a file: it is no regular file, or a pointer of Git LFS; empty when it can.

    Nothing is waited for: a named pipe is opened without blocking.

    Raises:
        OSError: the file does not exist or is not readable.
    """
    found = kind_of(os.stat(path).st_mode)
    if not found:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            found = kind_of(os.fstat(handle).st_mode)
            if not found and os.read(handle, len(LFS_POINTER)) == LFS_POINTER:
                return "is a pointer of Git LFS and not the file itself; fetch the file with: git lfs pull"
        finally:
            os.close(handle)
    return f"must be a regular file, got {found}; copy its content to a file" if found else ""


def check_readable(path: str | os.PathLike[str], error: type[Exception], missing: str = "no such file") -> None:
    """Raise `error` where a path cannot be read as a file: missing, unreadable, or no regular file (`objection`).

    Args:
        path: the file.
        error: type of the error, which gets one text.
        missing: what the error says of a file that does not exist.
    """
    try:
        against = objection(path)
    except FileNotFoundError:
        raise error(f"{path}: {missing}") from None
    except (OSError, ValueError) as found:
        raise error(f"{path}: cannot be read ({getattr(found, 'strerror', None) or found})") from found
    if against:
        raise error(f"{path}: {against}")


def check_target(path: str | os.PathLike[str]) -> Path:
    """The file that a path stands for, links resolved, where it may be written or replaced.

    Raises:
        WriteError: the path is no regular file, or its folder does not exist (MissingFolderError).
    """
    target = Path(os.path.realpath(path))
    with reported(target):
        try:
            found = kind_of(os.stat(target).st_mode)
        except FileNotFoundError:
            if not target.parent.is_dir():
                raise MissingFolderError(
                    f"{target.parent}: no such folder; create it before writing {target.name}"
                ) from None
            return target
    if found:
        raise WriteError(f"{target}: must be a regular file or a new one, got {found}; name another file")
    return target


def check_folder(target: Path) -> None:
    """Check that a draft can be made beside a file; called before long work.

    Raises:
        WriteError: the folder is read-only, or takes no files.
    """
    with reported(target):
        draft, handle = _new_draft(target)
        os.close(handle)
        draft.unlink()


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Errors of the system become a WriteError that names the path and a remedy."""
    try:
        yield
    except WriteError:
        raise
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise WriteError(
            f"{path}: cannot be written ({said}); free space there, or name a file in a folder that you may write to"
        ) from error


def write_whole(path: str | os.PathLike[str], data: bytes, replace: bool = True) -> None:
    """The whole file or none: written beside its destination, flushed to disk and renamed.

    Drafts that a killed process left for the same file are removed. A draft in use is locked and stays.

    Args:
        path: file to write; a link stays a link, and what it leads to is written.
        data: content.
        replace: whether to replace an existing file; with False one that is there stays as it is.

    Raises:
        WriteError: the folder is missing, full or not writable, or the path is not that of a regular file.
    """
    target = check_target(path)
    with reported(target):
        remove_stale_drafts(target)
        draft, handle = _new_draft(target)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                if replace:
                    os.replace(draft, target)
                else:
                    _link(draft, target)
            _folder_to_disk(target.parent)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()


def remove_stale_drafts(target: Path) -> None:
    """Remove drafts of a file that no process holds any more."""
    drafts = re.compile(re.escape(f".{target.name}.") + r"[0-9a-f]{16}(\.part)?")
    for entry in os.scandir(target.parent):
        if not drafts.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
            continue
        with contextlib.suppress(OSError):
            handle = os.open(entry.path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
            try:
                if _locked(handle):
                    os.unlink(entry.path)
            finally:
                os.close(handle)


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder for temporary files that is removed at the end.

    Folders of the same prefix that a killed process of this user left are removed first. A folder in use is locked by
    its owner and stays.

    Args:
        prefix: beginning of its name.
    """
    parent = Path(tempfile.gettempdir())
    for entry in os.scandir(parent):
        if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
            _remove_if_left(Path(entry.path))
    folder, handle = _locked_folder(prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _locked_folder(prefix: str) -> tuple[Path, int]:
    """A new folder, locked; another process may remove it between making and locking."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY)
            _locked(handle)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(folder), os.fstat(handle)):
                    return folder, handle
            os.close(handle)


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            if os.fstat(handle).st_uid == os.getuid() and _locked(handle):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)


def _new_draft(target: Path) -> tuple[Path, int]:
    """A new file beside the target, locked; another process may remove it between making and locking."""
    while True:
        draft = target.with_name(DRAFT.format(name=target.name, mark=secrets.token_hex(8)))
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        _locked(handle)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(draft), os.fstat(handle)):
                return draft, handle
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether the file could be locked; False where another process holds it or the folder has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _link(draft: Path, target: Path) -> None:
    """A name for the draft, unless it is taken; where there are no hard links the last of equals stays."""
    try:
        os.link(draft, target)
    except FileExistsError:
        pass
    except OSError:
        os.replace(draft, target)


def _folder_to_disk(path: Path) -> None:
    """A rename lasts only once its folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
