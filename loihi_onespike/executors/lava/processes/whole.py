"""A whole one-spike network as one leaf Process: the ports of `network.Network`, and no processes within.

Its model computes with integers, bit for bit equal to the oracle and to the process graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

import netx_export
from loihi_onespike.core.graphs import network as ir
from loihi_onespike.core.graphs.output_form import joined
from loihi_onespike.executors.lava.layers import check_messages, checked_period
from loihi_onespike.executors.lava.recording import Record
from loihi_onespike.executors.lava.stepper import Stepper
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

    Ports: inp (input shape) spikes of the input code; out (readout shape) v of the readout after every step; of several
    readouts the values of all, flat and side by side.
    Vars: v (shape of out), the same values.

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
        rest = joined([np.broadcast_to(p.membrane.bias, p.shape)[None] for p in network.readouts])[0]
        self.inp = InPort(shape=network.input.shape)
        self.out = OutPort(shape=rest.shape)
        self.v = Var(shape=rest.shape, init=rest)

    def __len__(self) -> int:
        return len(self.network.populations) - 1

    def __str__(self) -> str:
        return layer_table(self.network)

    def leaves(self) -> list[AbstractProcess]:
        """Processes within: none."""
        return []


@implements(proc=WholeNetwork, protocol=LoihiProtocol)
@requires(CPU)
@tag("whole_network", "fixed_pt", "bit_accurate_loihi")
class PyWholeNetworkModel(PyLoihiProcessModel):
    """Every time step advances every population whose window is open by one step."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int8, precision=8)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.stepper = Stepper(
            proc_params["network"],
            period=proc_params["period"],
            images=proc_params["images"],
            records=proc_params["records"],
        )

    def run_spk(self) -> None:
        """One time step of the whole network."""
        # First send, then receive: what this step's input changes arrives later, so a loop back to inp may be closed.
        self.stepper.advance(self.time_step)
        self.v[...] = self.stepper.output
        self.out.send(self.v)
        self.stepper.receive(self.time_step, self.inp.recv())
