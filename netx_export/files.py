"""Reading and writing of network files."""

from __future__ import annotations

import os

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.verify_network import verify
from loihi_onespike.regular_files import write_whole
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
        WriteError: the folder is missing, full or not writable, or the path is not that of a regular file.
    """
    write_whole(path, image(encode(verify(network))))


def read(path: str | os.PathLike[str]) -> Network:
    """Read a network file of any version so far; the network is verified.

    Args:
        path: Path of the file.

    Raises:
        FormatError: the file is damaged, truncated, foreign, of a newer version, or asks for more memory than a file
            of its size justifies; `field` names the entry.
        OSError: the file is missing or not readable.
    """
    return decode(load(path))
