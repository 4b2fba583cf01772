"""What the caller hands to the worker, and what comes back: a folder.

job.json      precision, synapses, processes, period, images
network.net   the network as a NetX file
codes.npy     (N, *input shape) input codes
worker.log    everything that Lava and Python print
<i>.*.npy     what population i did, written by its process (see `recording`)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import netx_export
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population
from loihi_onespike.executors.lava.recording import Record
from loihi_onespike.executors.lava_options import Precision, ProcessKind, SynapseKind

JOB, NETWORK, CODES, LOG = "job.json", "network.net", "codes.npy", "worker.log"


@dataclass(frozen=True)
class LavaJob:
    """One run on Lava, as the worker process gets it.

    Attributes:
        precision: tag of the process models.
        synapses: which processes carry the synapses.
        processes: a process per population and synapse, or one for all.
        period: steps between two images.
        images: number of images.
    """

    precision: Precision
    synapses: SynapseKind
    processes: ProcessKind
    period: int
    images: int

    def write(self, folder: Path, network: Network, codes: NDArray[np.integer]) -> None:
        """Write the job, the network and the input codes to a folder.

        Args:
            folder: existing folder.
            network: network that runs.
            codes: input codes (N, *input shape).
        """
        (folder / JOB).write_text(json.dumps(asdict(self)))
        netx_export.write(network, folder / NETWORK)
        np.save(folder / CODES, codes)

    @classmethod
    def read(cls, folder: Path) -> tuple[LavaJob, Network, NDArray[np.integer]]:
        """The job, the network and the input codes of a folder."""
        job = cls(**json.loads((folder / JOB).read_text()))
        return job, netx_export.read(folder / NETWORK), np.load(folder / CODES)

    def records(self, folder: Path, network: Network) -> dict[str, Record]:
        """Where each population but the input is recorded."""
        v_dtype = np.int32 if self.precision == "fixed_pt" else np.float64
        return {
            p.name: Record(folder, str(number), self.images, p.shape, isinstance(p, Population), v_dtype)
            for number, p in enumerate(network.populations)
            if not isinstance(p, InputPopulation)
        }

    def steps(self, network: Network) -> int:
        """Steps until the last window of every population is decided."""
        ends = [0]
        for p in network.populations:
            if not isinstance(p, InputPopulation):
                decided = p.wait + p.timesteps if isinstance(p, Population) else 0
                ends.append(network.starts[p.name] + max(p.membrane.input_steps, decided))
        return max(ends) + self.period * (self.images - 1)
