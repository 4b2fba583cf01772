"""The decorator of all compiled kernels: numba's `njit` with a folder for the machine code that can be written to.

numba keeps compiled kernels beside the source file, in the user's cache folder, or where NUMBA_CACHE_DIR says, and
raises an error where none of these can be written to: an installation that is read-only, used without a home folder.
There the kernels are kept in a private folder for temporary files, or, failing that too, compiled in every process.

The first compilation of a process is logged (`loihi_onespike.kernels`, level INFO), since it takes a while that later
processes do not need; the command line prints it.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import event

LOG = logging.getLogger("loihi_onespike.kernels")
KERNELS: list[Any] = []
"""All kernels of the modules that are imported, in the order in which they were defined."""


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` for a kernel that keeps its machine code and releases the interpreter lock.

    Args:
        **options: further options of `numba.njit`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        KERNELS.append(_compiled(function))
        return KERNELS[-1]

    def _compiled(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # no folder of numba's own can be written to
            folder = _private_folder()
        if folder is None:
            return numba.njit(nogil=True, **options)(function)
        numba.config.CACHE_DIR = str(folder)
        return numba.njit(cache=True, nogil=True, **options)(function)

    return decorate


def has_machine_code(kernel: Any) -> bool:
    """Whether numba keeps machine code of a kernel, for whatever types of arguments.

    Args:
        kernel: one of KERNELS.
    """
    folder, function = kernel.stats.cache_path, kernel.py_func
    if folder is None:
        return False
    place = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}-{function.__code__.co_firstlineno}"
    return any(Path(folder).glob(f"{place}.py{sys.version_info.major}{sys.version_info.minor}*.nbi"))


class _FirstCompilation(event.Listener):
    """Logs the first compilation of one of our kernels in this process."""

    told = False

    def on_start(self, event: Any) -> None:
        function = getattr(event.data.get("dispatcher"), "py_func", None)
        if not self.told and str(getattr(function, "__module__", "")).startswith("loihi_onespike."):
            self.told = True
            LOG.info(
                "parts of the program are compiled when they are first used, and kept: this run takes up to two "
                "minutes longer, later ones do not"
            )

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _FirstCompilation())


def _private_folder() -> Path | None:
    """A folder that only this user can write to, since numba runs what it finds there; None if there can be none."""
    try:
        folder = Path(tempfile.gettempdir()) / f"loihi-onespike-kernels-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except (OSError, AttributeError):  # AttributeError: a system without user numbers
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if private and os.access(folder, os.W_OK) else None
