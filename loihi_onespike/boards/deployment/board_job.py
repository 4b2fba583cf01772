"""What the caller hands to the process that talks to the board, and what comes back, as files of one folder.

job.json      options of the run
network.net   the network as a NetX file
codes.npy     (N, *input shape) input codes
worker.log    everything that Lava and Python print
spikes.<i>.npy, output.npy, measured.json   results
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
OUTPUT, MEASURED = "output.npy", "measured.json"


@dataclass(frozen=True)
class BoardJob:
    """One run on a board.

    Attributes:
        access: How the board is reached.
        stepping: Stepping of its chips.
        program: Path of the microcode file of every population, by name.
        taps: Names of the populations whose spikes are read back.
        input_delay: Steps that the input adapter adds.
        output_delay: Steps that the output adapters add.
        profile_steps: Length in steps of a run that is measured; None for a run whose results are read back.
        compute_only: The input is replayed from the chip, and the host stays out of the loop.
    """

    access: Access
    stepping: str
    program: dict[str, str]
    taps: tuple[str, ...]
    input_delay: int
    output_delay: int
    profile_steps: int | None = None
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
        fields["taps"] = tuple(fields["taps"])
        return cls(**fields), netx_export.read(folder / NETWORK), np.load(folder / CODES)

    def spikes(self, folder: Path, population: str) -> Path:
        """File of the spike phases of a population that is read back.

        Files are numbered, because names of populations may hold any character.
        """
        return folder / f"spikes.{self.taps.index(population)}.npy"

    def steps(self, network: Network, images: int) -> int:
        """Steps until the last image has left every population and the adapters.

        Image n takes window n + 1 of every population: window 0 stays empty, so that the source can start ahead of the
        input
        adapter's delay while all neurons keep their start step.

        Args:
            network: The network that runs.
            images: Number of images, N.

        Returns:
            Number of steps of the run.
        """
        last = max(network.starts.values()) + (images + 1) * network.period_steps
        return last + self.output_delay + 1
