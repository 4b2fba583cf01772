"""What the caller hands to the process that talks to the board, and what comes back, as files of one folder.

job.json      options of the run
network.net   the network as a NetX file
codes.npy     (N, *input shape) input codes
worker.log    everything that Lava and Python print
spikes.<i>.npy, v.<i>.npy, measured.json   results
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import netx_export
from loihi_onespike.boards.deployment.access import Access, Ethernet, Slurm
from loihi_onespike.core.graphs.network import Network

JOB, NETWORK, CODES, LOG = "job.json", "network.net", "codes.npy", "worker.log"
MEASURED = "measured.json"


@dataclass(frozen=True)
class BoardJob:
    """One run on a board.

    Attributes:
        access: How the board is reached.
        stepping: Stepping of its chips.
        program: Path of the microcode file of every population, by name.
        spikes: Names of the populations whose spikes are read back.
        v: Names of the populations whose potentials are read back after every step.
        start: Steps before the first window of the input.
        steps: Length of the run.
        profile: Measure time and energy, and read nothing back.
        compute_only: The input is replayed from the chip, and the host stays out of the loop.
    """

    access: Access
    stepping: str
    program: dict[str, str]
    spikes: tuple[str, ...]
    v: tuple[str, ...]
    start: int
    steps: int
    profile: bool = False
    compute_only: bool = False

    def write(self, folder: Path, network: Network, codes: NDArray[np.integer]) -> None:
        """Write the job, the network and the input codes into a folder.

        Args:
            folder: Existing folder, empty.
            network: The network to run.
            codes: (N, *input shape) input codes.
        """
        fields = {**asdict(self), "access_kind": type(self.access).__name__}
        (folder / JOB).write_text(json.dumps(fields))
        netx_export.write(network, folder / NETWORK)
        np.save(folder / CODES, codes)

    @classmethod
    def read(cls, folder: Path) -> tuple[BoardJob, Network, NDArray[np.integer]]:
        """Read what `write` wrote.

        Args:
            folder: Folder of the job.

        Returns:
            The job, the network and the (N, *input shape) input codes.
        """
        fields: dict[str, Any] = json.loads((folder / JOB).read_text())
        kind = {"Slurm": Slurm, "Ethernet": Ethernet}[fields.pop("access_kind")]
        fields["access"] = kind(**fields["access"])
        fields |= {name: tuple(fields[name]) for name in ("spikes", "v")}
        return cls(**fields), netx_export.read(folder / NETWORK), np.load(folder / CODES)

    def spikes_file(self, folder: Path, population: str) -> Path:
        """File of the spikes of a population, (steps, *shape).

        Files are numbered, because names of populations may hold any character.
        """
        return folder / f"spikes.{self.spikes.index(population)}.npy"

    def v_file(self, folder: Path, population: str) -> Path:
        """File of the potentials of a population, (steps, *shape), as the board sends them."""
        return folder / f"v.{self.v.index(population)}.npy"
