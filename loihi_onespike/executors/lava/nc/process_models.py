"""Process models of the neurons for Loihi 2 cores, after the five steps that public code shows.

    1  neurons = number of neurons, the shape made flat
    2  net.neurons_cfg.allocate_ucode   program file and shared constants
    3  net.neurons.allocate_ucode       state of every neuron
    4  net.ax_out.allocate              axons, with the payload's width
    5  a_in → neurons → neurons_cfg, neurons → ax_out → s_out

Importing this module needs lava-loihi; `executors.lava.nc.models()` does it. Nothing here has run on a board.
"""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.nc.model import AbstractNcProcessModel
from lava.magma.core.model.nc.net import NetL2
from lava.magma.core.model.nc.ports import NcInPort, NcOutPort
from lava.magma.core.model.nc.tables import Nodes
from lava.magma.core.model.nc.type import LavaNcType
from lava.magma.core.model.nc.var import NcVar
from lava.magma.core.resources import Loihi2NeuroCore
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from loihi_onespike.errors import LavaError
from loihi_onespike.executors.lava.nc.parameters import KEY, NcParameters
from loihi_onespike.executors.lava.processes.process import OneSpike, OneSpikeMaxPool, OneSpikeReadout


class _NcNeuronModel(AbstractNcProcessModel):
    """Allocation common to all; `v` is the one Var that the host reads back (24 bits, to be sign-extended)."""

    a_in: NcInPort = LavaNcType(NcInPort, np.int32, precision=24)
    v: NcVar = LavaNcType(NcVar, np.int32, precision=24)

    def parameters(self) -> NcParameters:
        try:
            return self.proc_params[KEY]
        except KeyError:
            raise LavaError(
                f"{self.proc_params.get('name') or type(self).__name__}: has no parameters for cores; call "
                "loihi_onespike.executors.lava.nc.prepare(net, ucode=...) before the run"
            ) from None

    def allocate_neurons(self, net: NetL2) -> Nodes:
        """Steps 1 to 3, and the part of step 5 that does not concern the output."""
        p = self.parameters()
        neurons_cfg = net.neurons_cfg.allocate_ucode(shape=(1,), ucode=str(p.ucode), **p.constants)
        state = {name: self.v if name == "v" else values for name, values in p.state.items()}
        neurons = net.neurons.allocate_ucode(shape=(p.neurons,), **state)
        self.a_in.connect(neurons)
        neurons.connect(neurons_cfg)
        return neurons


class _NcSpikingModel(_NcNeuronModel):
    s_out: NcOutPort = LavaNcType(NcOutPort, np.int32, precision=24)

    def allocate(self, net: NetL2) -> None:
        """All five steps."""
        neurons = self.allocate_neurons(net)
        p = self.parameters()
        ax_out = net.ax_out.allocate(shape=(p.neurons,), num_message_bits=p.message_bits)
        neurons.connect(ax_out)
        ax_out.connect(self.s_out)


@implements(proc=OneSpike, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
@tag("ucoded")
class NcOneSpikeModel(_NcSpikingModel):
    """One-spike neurons: ReLU, other activations, signed, average pooling, relays."""


@implements(proc=OneSpikeMaxPool, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
@tag("ucoded")
class NcMaxPoolModel(_NcSpikingModel):
    """First spike of the group."""


@implements(proc=OneSpikeReadout, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
@tag("ucoded")
class NcReadoutModel(_NcNeuronModel):
    """Integrating output. It sends nothing: s_out has no axons, the host reads v after the last input step."""

    s_out: NcOutPort = LavaNcType(NcOutPort, np.int32, precision=24)

    def allocate(self, net: NetL2) -> None:
        """Steps 1 to 3."""
        self.allocate_neurons(net)


MODELS: dict[type, type] = {OneSpike: NcOneSpikeModel, OneSpikeMaxPool: NcMaxPoolModel, OneSpikeReadout: NcReadoutModel}
