"""The sink on the host for spikes and potentials that come from a board.

Its model is named, never searched, see `backends.lava.board_graph`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.lib.format import open_memmap
from numpy.typing import NDArray


class StepSink(AbstractProcess):
    """Keeps what arrives in every step in a file (steps, *shape).

    Args:
        shape: shape of a message.
        file: the file, which is created.
        steps: length of the run.
        name: name of the process.
    """

    def __init__(self, *, shape: tuple[int, ...], file: Path, steps: int, name: str) -> None:
        open_memmap(file, "w+", np.int32, (steps, *shape))
        super().__init__(shape=shape, file=file, steps=steps, name=name)
        self.a_in = InPort(shape=shape)


@implements(proc=StepSink, protocol=LoihiProtocol)
@requires(CPU)
class PyStepSinkModel(PyLoihiProcessModel):
    """Writes one row per step."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.path, self.steps = proc_params["file"], proc_params["steps"]
        self.rows: NDArray[Any] | None = None

    def run_spk(self) -> None:
        """Receive the message of one step."""
        message = self.a_in.recv()
        if self.rows is None:
            self.rows = np.load(self.path, mmap_mode="r+")
        if self.time_step <= self.steps:
            self.rows[self.time_step - 1] = message


MODELS: dict[type, type] = {StepSink: PyStepSinkModel}
