"""What the make script of every format version does: networks, and beside each what the oracle computes from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.executors import reference
from netx_export import VERSION, write
from tests.strategies import random_codes


def make_golden_files(folder: Path, version: int, networks: Iterable[Network]) -> None:
    """<network>.h5, and <network>.npz with codes, phases, end potentials and outputs of four images.

    Exits where the format is at another version than the folder's.
    """
    if version != VERSION:
        raise SystemExit(f"the format is at version {VERSION}; this folder keeps version {version}")
    for network in networks:
        codes = random_codes(network, seed=1, images=4)
        trace = reference.run(network, codes)
        recorded = {f"phases/{n}": layer.words for n, layer in trace.layers.items() if layer.words is not None}
        recorded |= {f"v/{n}": layer.v for n, layer in trace.layers.items() if layer.v is not None}
        write(network, folder / f"{network.name}.h5")
        np.savez_compressed(folder / f"{network.name}.npz", codes=codes, output=trace.output, **recorded)
