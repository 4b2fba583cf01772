"""A whole one-spike network as one hierarchical Lava Process, after lava.lib.dl.netx.hdf5.Network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

import netx_export
from loihi_onespike.core.graphs import network as ir
from loihi_onespike.executors.lava.layers import build_layers
from loihi_onespike.executors.lava.recording import Record
from loihi_onespike.executors.lava.table import layer_table
from loihi_onespike.executors.lava_options import SynapseKind


class LavaNetwork(AbstractProcess):
    """Processes of a NetX file (or of a network in memory), connected: inp → layers → out.

    Used like `lava.lib.dl.netx.hdf5.Network`, and beside it: that class knows neither this neuron nor pooling,
    residuals and concatenation. Images follow each other every `period` steps; the first spike of image 0 is expected
    in time step 1.

    Args:
        net_config: path of a NetX file, or the network itself.
        synapses: "own" or "stock", see `executors.lava_options`.
        period: steps between two images, by default the network's own (the shortest).
        records: what to record, by population.

    Attributes:
        network: the integer network.
        layers: one `Layer` (population, neuron process, synapse processes) per population behind the input.

    Ports: inp (input shape) spikes of the input code; out (readout shape) v of the readout after every step. Further
    readouts have ports out_1, out_2 and so on, in the order of the network.
    `len(net)` counts the layers, `str(net)` is a table of them.
    """

    def __init__(
        self,
        net_config: str | Path | ir.Network,
        *,
        synapses: SynapseKind = "own",
        period: int | None = None,
        records: Mapping[str, Record] | None = None,
        name: str | None = None,
    ) -> None:
        network = net_config if isinstance(net_config, ir.Network) else netx_export.read(net_config)
        super().__init__(net_config=network.name, name=name or network.name)
        self.network = network
        self.period = network.period_steps if period is None else period
        self.inp = InPort(shape=network.input.shape)
        self.layers = build_layers(network, self.inp, synapses=synapses, period=self.period, records=records)
        of_readouts = [layer for layer in self.layers if isinstance(layer.population, ir.Readout)]
        self.in_layer, self.out_layer = self.layers[0], of_readouts[0]
        for number, layer in enumerate(of_readouts):
            port = OutPort(shape=layer.population.shape)
            setattr(self, f"out_{number}" if number else "out", port)
            layer.neuron.s_out.connect(port)

    def __len__(self) -> int:
        return len(self.layers)

    def __str__(self) -> str:
        return layer_table(self.network)

    def leaves(self) -> list[AbstractProcess]:
        """Every process that runs, in the order of the layers."""
        return [process for layer in self.layers for process in (*layer.synapses.values(), layer.neuron)]


@implements(proc=LavaNetwork, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi", "floating_pt")
class PyNetworkModel(AbstractSubProcessModel):
    """The processes that the network has made; `whole.WholeNetwork` runs all of it in one process."""

    def __init__(self, proc: AbstractProcess) -> None:
        pass


Network = LavaNetwork
"""The name that users of `lava.lib.dl.netx.hdf5.Network` look for."""
