"""Files of torch.save, read so that nothing in them is run: tensors in plain containers, and nothing else.

`torch.load(weights_only=True)` alone is not enough before torch 2.6: it gives archives of TorchScript to their
interpreter, and extracts old tar files. Both are refused before torch sees the file.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from pickle import UnpicklingError

import torch

ZIP_START = b"PK\x03\x04"


class UnsafeArchiveError(Exception):
    """A file with more than tensors in it, which is not loaded."""


def load_tensors(source: Path | bytes, zip_only: bool = False) -> object:
    """What torch.save wrote into a file, or into the bytes of one, on the CPU.

    Args:
        source: path of the file, or its bytes.
        zip_only: refuse the format of torch before 1.6, too.

    Raises:
        UnsafeArchiveError: there is more than tensors in it, or it is of a kind that torch does not load safely.
        RuntimeError, EOFError, OSError, ValueError, KeyError: as torch.load raises them for damaged files.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        is_zip = file.read(len(ZIP_START)) == ZIP_START
        file.seek(0)
        if is_zip:
            if "constants.pkl" in torch._C.PyTorchFileReader(file).get_all_records():  # type: ignore[attr-defined]
                raise UnsafeArchiveError("it is a TorchScript archive, which is a program")
        elif zip_only:
            raise UnsafeArchiveError("it is not a zip archive, as torch.save writes them")
        elif _is_tar(file):
            raise UnsafeArchiveError("it is a tar file, a format of torch before 0.1.10")
        file.seek(0)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except UnpicklingError as error:
            raise UnsafeArchiveError("it contains more than tensors, or is damaged") from error


def _is_tar(file: io.BufferedIOBase) -> bool:
    try:
        with tarfile.open(fileobj=file, mode="r:"):
            return True
    except tarfile.TarError:
        return False
    finally:
        file.seek(0)
