"""A whole one-spike network as one leaf Process: the ports of `network.Network`, and no processes within."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var

import netx_export
from loihi_onespike.core.graphs import network as ir
from loihi_onespike.executors.lava.layers import check_messages, checked_period
from loihi_onespike.executors.lava.recording import Record
from loihi_onespike.executors.lava.table import layer_table


class WholeNetwork(AbstractProcess):
    """The network of a NetX file in one process: inp → every population, step by step → out.

    Takes the place of `network.Network` wherever the layers' own processes are not wanted: same ports, same time
    steps, same messages (out carries in a step what the graph's readout sends in it), a fraction of the time. Images
    follow each other every `period` steps; the first spike of image 0 is expected in time step 1.

    Args:
        net_config: path of a NetX file, or the network itself.
        period: steps between two images, by default the network's own (the shortest).
        images: windows after which the network rests, None for never.
        records: what to record, by population.

    Ports: inp (input shape) spikes of the input code; out (readout shape) v of the readout after every step.
    Vars: v (readout shape), the same values.

    Raises:
        ConfigurationError: period too short.
        HeadroomError: a sum beyond 32 bits.
    """

    def __init__(
        self,
        net_config: str | Path | ir.Network,
        *,
        period: int | None = None,
        images: int | None = None,
        records: Mapping[str, Record] | None = None,
        name: str | None = None,
    ) -> None:
        network = net_config if isinstance(net_config, ir.Network) else netx_export.read(net_config)
        period = network.period_steps if period is None else period
        super().__init__(network=network, period=period, images=images, records=records, name=name or network.name)
        self.network, self.period = network, checked_period(network, period)
        for population in network.populations:
            if not isinstance(population, ir.InputPopulation):
                check_messages(network, population)
        readout = network.readout
        self.inp = InPort(shape=network.input.shape)
        self.out = OutPort(shape=readout.shape)
        self.v = Var(shape=readout.shape, init=np.broadcast_to(readout.membrane.bias, readout.shape))

    def __len__(self) -> int:
        return len(self.network.populations) - 1

    def __str__(self) -> str:
        return layer_table(self.network)

    def leaves(self) -> list[AbstractProcess]:
        """Processes within: none."""
        return []
