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
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

import netx_export
from loihi_onespike.core.graphs.network import InputPopulation, Network, Population
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.executors.lava.recording import Record

Precision: TypeAlias = Literal["fixed_pt", "floating_pt"]
"""Tag of the process models: integers equal to the oracle, or real numbers that neither round nor saturate."""
PRECISIONS = get_args(Precision)
SynapseKind: TypeAlias = Literal["own", "stock"]
"""own: our event-driven Synapse everywhere; stock: Lava's Dense, Conv and Sparse wherever they are exact."""
SYNAPSE_KINDS = get_args(SynapseKind)
ProcessKind: TypeAlias = Literal["graph", "whole"]
"""graph: a Lava process per population and per synapse; whole: one for the network, an order of magnitude faster."""
PROCESS_KINDS = get_args(ProcessKind)

JOB, NETWORK, CODES, LOG = "job.json", "network.net", "codes.npy", "worker.log"


def check_options(precision: str, synapses: str, processes: str) -> None:
    """Raise ConfigurationError for an option, or a combination of them, that no process model serves."""
    options = (
        ("precision", precision, PRECISIONS),
        ("synapses", synapses, SYNAPSE_KINDS),
        ("processes", processes, PROCESS_KINDS),
    )
    for option, found, supported in options:
        if found not in supported:
            raise ConfigurationError(f"{option}: found {found!r}, supported {' and '.join(supported)}")
    if synapses == "stock" and precision != "fixed_pt":
        raise ConfigurationError(
            "synapses: found stock with floating_pt, supported stock with fixed_pt; Lava's floating-point Dense and "
            "Sparse ignore weight_exp, use own synapses"
        )
    if processes == "whole" and (precision, synapses) != ("fixed_pt", "own"):
        raise ConfigurationError(
            f"processes: found whole with {precision} and {synapses} synapses, supported whole with fixed_pt and own "
            "synapses; use the process graph for the others"
        )


@dataclass(frozen=True)
class Job:
    """Options of one run.

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
        (folder / JOB).write_text(json.dumps(asdict(self)))
        netx_export.write(network, folder / NETWORK)
        np.save(folder / CODES, codes)

    @classmethod
    def read(cls, folder: Path) -> tuple[Job, Network, NDArray[np.integer]]:
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
