"""The Lava processes of a NetX file.

net = Network("digits.net")                  # processes and connections, from the file alone
net = WholeNetwork("digits.net")             # one process with the same ports
graph = build(read("digits.net"), codes)     # either (processes="whole") with a source of input spikes in front
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import loihi_onespike.executors.lava.processes  # noqa: F401  # isort: skip  (before Lava, see there)
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2SimCfg
from numpy.typing import NDArray

from loihi_onespike.core.graphs import network as ir
from loihi_onespike.executors.lava.layers import Layer
from loihi_onespike.executors.lava.models import run_config
from loihi_onespike.executors.lava.processes.network import LavaNetwork, Network
from loihi_onespike.executors.lava.processes.process import PhaseInput
from loihi_onespike.executors.lava.processes.whole import WholeNetwork
from loihi_onespike.executors.lava.recording import Record
from loihi_onespike.executors.lava_options import LavaOptions, Precision, ProcessKind, SynapseKind

__all__ = ["Graph", "LavaNetwork", "Layer", "Network", "WholeNetwork", "build"]


@dataclass(frozen=True, eq=False)
class Graph:
    """A network with its source, ready for `net.run(RunSteps(…), graph.run_config("fixed_pt"))`."""

    source: PhaseInput
    net: LavaNetwork | WholeNetwork

    def processes(self) -> list[AbstractProcess]:
        """Every process, the hierarchical one too."""
        return [self.source, self.net, *self.net.leaves()]

    def run_config(self, precision: Precision) -> Loihi2SimCfg:
        """Configuration of Lava that selects the process models of a precision."""
        if isinstance(self.net, WholeNetwork):
            LavaOptions(precision=precision, processes="whole")
        return run_config(self.processes(), precision)


def build(
    network: str | Path | ir.Network,
    codes: NDArray[np.integer],
    *,
    processes: ProcessKind = "graph",
    synapses: SynapseKind = "own",
    period: int | None = None,
    records: Mapping[str, Record] | None = None,
) -> Graph:
    """Source and network as connected Lava processes.

    Args:
        network: the network or its file.
        codes: input codes (N, *input shape) as `core.encoding.encode_input` gives them.
        processes: a process per population and synapse group, or one for the network.
        synapses: which processes carry the synapses.
        period: steps between two images; by default the network's.
        records: what is recorded of each population.
    """
    LavaOptions(synapses=synapses, processes=processes)
    codes = np.asarray(codes)
    net: LavaNetwork | WholeNetwork
    if processes == "whole":
        net = WholeNetwork(network, period=period, images=len(codes), records=records)
    else:
        net = LavaNetwork(network, synapses=synapses, period=period, records=records)
    source = PhaseInput(codes=codes, code=net.network.input.code, period=net.period, name="input")
    source.s_out.connect(net.inp)
    return Graph(source, net)
