"""Frames held on the chip and replayed for ever."""

from __future__ import annotations

from typing import Any

import lava.fake_board  # noqa: F401
import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class CyclicBuffer(AbstractProcess):
    def __init__(self, first_frame: np.ndarray, replay_frames: np.ndarray) -> None:
        assert replay_frames.shape[0] == first_frame.size, "(neurons, steps) frames"
        super().__init__(first_frame=first_frame, replay_frames=replay_frames)
        self.a_in = InPort(shape=first_frame.shape)
        self.s_out = OutPort(shape=first_frame.shape)


@implements(proc=CyclicBuffer, protocol=LoihiProtocol)
@requires(CPU)
class PyCyclicBufferModel(PyLoihiProcessModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.frames = np.column_stack([proc_params["first_frame"], proc_params["replay_frames"]])

    def run_spk(self) -> None:
        self.s_out.send(self.frames[:, (self.time_step - 1) % self.frames.shape[1]])
