"""Arrays in a zip archive, read only when their declared sizes are what the file holds and justifies."""

from __future__ import annotations

import io
import zipfile
import zlib
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from loihi_onespike.errors import DataError
from loihi_onespike.regular_files import budget

NPY_MAGIC = npy.MAGIC_PREFIX
SUFFIX = ".npy"
LABELS = "y"
"""Name of the array of class numbers."""
NAMES = ("x", LABELS, "x_calibration")
"""Arrays that are always read; others are read where they may be inputs of a model, and left alone where not."""
NUMBERS = "fiub"
"""Kinds of arrays that hold real numbers."""
ARCHIVE_ERRORS = (OSError, ValueError, EOFError, LookupError, ArithmeticError, TypeError, RuntimeError, MemoryError,
                  SyntaxError, AttributeError, NotImplementedError, TokenError, zipfile.BadZipFile,
                  zlib.error)  # fmt: skip
"""Exceptions that zipfile and numpy raise on damaged files."""
BLOCK_BYTES = 2**24
MAX_HEADER_BYTES = 10_000
"""Longest header, as in numpy."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compressions that numpy writes."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of NAMES in an archive, those of other names that may be inputs (N, …), and empty ones for the rest.

    Args:
        path: the file.

    Raises:
        DataError: an array declares another size than it has, more than the file justifies, or is not numeric.
    """
    left = budget(path.stat().st_size)
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        for filename, info in members.items():
            name = filename.removesuffix(SUFFIX)
            if name not in NAMES and not (name.isidentifier() and _may_be_samples(archive, info)):
                arrays[ascii(name)[1:-1][:40]] = np.empty(0)
                continue
            if info.compress_type not in METHODS:
                raise DataError(f"{path}: {name}: must be stored or deflated; write it with numpy.savez")
            if info.file_size > left:
                raise DataError(
                    f"{path}: {name}: requires {info.file_size} bytes, limit {left} of the "
                    f"{budget(path.stat().st_size)} that a file of {path.stat().st_size} bytes may take; write it "
                    "without compression, with numpy.savez"
                )
            left -= info.file_size
            with archive.open(info) as member:
                arrays[name] = _array(member, info.file_size, f"{path}: {name}")
    return arrays


def _may_be_samples(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Whether the header of an array says that it holds numbers (N, …); False for what is no array."""
    try:
        with archive.open(info) as member:
            (shape, _, dtype), _ = _header(member, info.filename)
    except (*ARCHIVE_ERRORS, DataError):
        return False
    return len(shape) >= 2 and dtype.kind in NUMBERS


def _header(member: IO[bytes], what: str) -> tuple[tuple[tuple[int, ...], bool, np.dtype[Any]], int]:
    """Shape, order and type of an array, and the length of the header behind the version."""
    version = npy.read_magic(member)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{what}: must be of version 1 or 2 of numpy's format, got {version}")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    start = io.BytesIO(_header_bytes(member, version))
    return read(start), len(start.getvalue())


def _array(member: IO[bytes], size: int, what: str) -> NDArray[Any]:
    """One array, whose header is compared with the bytes that follow before they are read."""
    (shape, fortran, dtype), length = _header(member, what)
    if dtype.hasobject or dtype.kind not in "fiubcUSmM":
        raise DataError(f"{what}: must be numbers, got {dtype}; only numeric arrays are loaded, never pickled objects")
    if any(not isinstance(n, int) or n < 0 for n in shape):
        raise DataError(f"{what}: must have axes of 0 and more, got {shape}")
    declared, there = prod(shape) * dtype.itemsize, size - len(npy.MAGIC_PREFIX) - 2 - length
    if declared != there:
        raise DataError(f"{what}: claims {declared} bytes by its shape {str(shape)[:80]}, {there} are stored")
    data, done = np.empty(declared, np.uint8), 0
    while count := member.readinto(data[done : done + BLOCK_BYTES].data):  # type: ignore[attr-defined]
        done += count
    if done != declared:
        raise DataError(f"{what}: claims {declared} bytes, {done} are stored")
    array = data.view(dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _header_bytes(member: IO[bytes], version: tuple[int, int]) -> bytes:
    """The header with its length, at most as long as numpy allows."""
    width = 2 if version == (1, 0) else 4
    length = member.read(width)
    count = int.from_bytes(length, "little")
    if count > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {count} bytes, limit {MAX_HEADER_BYTES}")
    return length + member.read(count)
