"""ProcessModels of the synapses: event-driven sums behind a line of `axon_delay + 1` steps."""

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

from loihi_onespike.executors.lava.kernels import Kernel, event_kernel
from loihi_onespike.executors.lava.processes.process import OneSpikeSynapse


class _SynapseModel(PyLoihiProcessModel):
    """Slot `time_step mod (axon_delay + 1)` of the line is sent, and takes the sums of this step's spikes."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int8, precision=8)
    weight_exp: int = LavaPyType(int, np.uint8, precision=3)
    axon_delay: int = LavaPyType(int, np.uint8, precision=6)
    weights: NDArray[Any]
    a_buff: NDArray[Any]
    a_out: PyOutPort
    sum_dtype: Any

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.kernel: Kernel | None = None

    def run_spk(self) -> None:
        slot = self.a_buff[self.time_step % (self.axon_delay + 1)]
        # First send, then receive: nobody waits for the spikes of this step before the sums of earlier ones are out.
        self.a_out.send(slot)
        spikes = self.s_in.recv()
        if not spikes.any():
            slot[...] = 0
            return
        if self.kernel is None:
            self.kernel = self.make_kernel()
        sums = self.kernel(spikes.ravel()).reshape(slot.shape)
        np.multiply(sums, 2**self.weight_exp, out=slot)

    def make_kernel(self) -> Kernel:
        """The kernel of the map with the weights that the Var holds now."""
        op = self.proc_params["op"]
        op = op.with_weight_values(self.weights.astype(np.int64).reshape(op.weight_values.shape))
        return event_kernel(op, self.proc_params["pre_shape"], self.proc_params["index"], self.sum_dtype)

    def on_var_update(self) -> None:
        self.kernel = None


@implements(proc=OneSpikeSynapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi")
class PySynapseModelFixed(_SynapseModel):
    """Integer sums; 32 bits hold them, the builder checks that."""

    sum_dtype = np.int32
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    a_buff: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    weights: NDArray[np.int16] = LavaPyType(np.ndarray, np.int16, precision=9)


@implements(proc=OneSpikeSynapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PySynapseModelFloat(_SynapseModel):
    """The same sums as real numbers."""

    sum_dtype = np.float64
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    a_buff: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    weights: NDArray[np.float64] = LavaPyType(np.ndarray, float)
