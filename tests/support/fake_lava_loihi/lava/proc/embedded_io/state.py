"""Reads a variable of a core after every step and sends it in the next one, 24 bits without their sign."""

from __future__ import annotations

from typing import Any

import lava.fake_board  # noqa: F401
import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Read(AbstractProcess):
    def __init__(self, shape: tuple[int, ...], interval: int = 1, offset: int = 0) -> None:
        super().__init__(shape=shape, interval=interval, offset=offset % interval)
        self.ref = RefPort(shape=shape)
        self.out = OutPort(shape=shape)

    def connect_var(self, var: Var) -> None:
        self.ref.connect_var(var)


@implements(proc=Read, protocol=LoihiProtocol)
@requires(CPU)
class PyReadModel(PyLoihiProcessModel):
    ref: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.data = np.zeros(proc_params["shape"], np.int32)

    def run_spk(self) -> None:
        self.out.send(self.data)

    def post_guard(self) -> bool:
        return True

    def run_post_mgmt(self) -> None:
        self.data = self.ref.read().astype(np.int32) & 0xFFFFFF
