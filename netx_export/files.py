"""Reading and writing of network files."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.verify_network import verify
from netx_export.decode import decode
from netx_export.encode import encode
from netx_export.storage import image, load


def write(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network as a NetX file.

    The file appears completely or not at all: it is written beside its destination, flushed to disk and renamed. If
    anything fails, a file that was at `path` before is unchanged.

    Args:
        network: The network.
        path: Path of the file.

    Raises:
        GraphError: the network breaks a rule of `core.graphs.verify_network`, or holds what a file cannot store.
        OSError: the folder is missing (FileNotFoundError), full or not writable.
    """
    data = image(encode(verify(network)))
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent}: no such folder; create it before writing {target.name}")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
        _folder_to_disk(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _folder_to_disk(path: Path) -> None:
    """A rename lasts only once its folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: str | os.PathLike[str]) -> Network:
    """Read a network file of any version so far; the network is verified.

    Args:
        path: Path of the file.

    Raises:
        FormatError: the file is damaged, truncated, foreign or of a newer version; `field` names the entry.
        OSError: the file is missing or not readable.
    """
    return decode(load(path))
