"""ProcessModels of the input source. Messages are small integers, so one behaviour serves every precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from loihi_onespike.executors.lava.processes.process import PhaseInput


@implements(proc=PhaseInput, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "bit_accurate_loihi", "floating_pt")
class PyPhaseInputModel(PyLoihiProcessModel):
    """Spikes of the code, image after image."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=8)
    codes: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=16)
    start_step: int = LavaPyType(int, np.int32, precision=32)
    period: int = LavaPyType(int, np.int32, precision=32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.code = proc_params["code"]
        self.silence = np.zeros(proc_params["codes"].shape[1:], np.int8)

    def run_spk(self) -> None:
        """Send the spikes of the image whose window this time step belongs to."""
        image, t = divmod(self.time_step - self.start_step - 1, self.period)
        t += 1
        if not 0 <= image < len(self.codes) or t > self.code.timesteps:
            self.s_out.send(self.silence)
        else:
            self.s_out.send(self.code.spikes(self.codes[image], t).astype(np.int8))
