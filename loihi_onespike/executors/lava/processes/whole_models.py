"""ProcessModel of the whole network: integers, bit for bit equal to the oracle and to the process graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from loihi_onespike.executors.lava.processes.whole import WholeNetwork
from loihi_onespike.executors.lava.stepper import Stepper


@implements(proc=WholeNetwork, protocol=LoihiProtocol)
@requires(CPU)
@tag("whole_network", "fixed_pt", "bit_accurate_loihi")
class PyWholeNetworkModel(PyLoihiProcessModel):
    """Every time step advances every population whose window is open by one step."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int8, precision=1)
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
