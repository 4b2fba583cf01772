"""Makes the golden files of format version 2:  python -m tests.golden.netx_v2.make

Run once, when version 2 was fixed. The files are kept as they are; a new version of the format gets a new folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loihi_onespike.sim import reference
from netx_export import VERSION, write
from tests.strategies import random_codes
from tests.support.networks import levels

FOLDER = Path(__file__).parent


def main() -> None:
    if VERSION != 2:
        raise SystemExit(f"the format is at version {VERSION}; this folder keeps version 2")
    for network in (levels(),):
        codes = random_codes(network, seed=1, images=4)
        trace = reference.run(network, codes)
        recorded = {f"phases/{n}": layer.phases for n, layer in trace.layers.items() if layer.phases is not None}
        recorded |= {f"v/{n}": layer.v for n, layer in trace.layers.items() if layer.v is not None}
        write(network, FOLDER / f"{network.name}.h5")
        np.savez_compressed(FOLDER / f"{network.name}.npz", codes=codes, output=trace.output, **recorded)


if __name__ == "__main__":
    main()
