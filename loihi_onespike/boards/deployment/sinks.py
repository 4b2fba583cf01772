"""Sinks for spikes and potentials that come from a board.

Models are named, never searched, see `boards.deployment.board_graph`.

The step that a message belongs to is the step of the sink less the adapter's delay; windows are those of the population
that sent it, and image n stands in window n + 1 (`boards.deployment.board_job`).
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

from loihi_onespike.boards.deployment.sign_extension import sign_extended
from loihi_onespike.core.codes import WORD_DTYPE


class _Sink(AbstractProcess):
    """Keeps the windows of `images` images in a file (images, *shape)."""

    def __init__(
        self, *, shape: tuple[int, ...], file: Path, images: int, start: int, period: int, delay: int, **more: Any
    ) -> None:
        super().__init__(shape=shape, file=file, images=images, start=start, period=period, delay=delay, **more)
        self.a_in = InPort(shape=shape)


class SpikeSink(_Sink):
    """Spike phases: the first spike of every neuron and window, by its sign.

    Args:
        wait: wait of the population that sends.
    """

    def __init__(self, *, wait: int, **common: Any) -> None:
        open_memmap(common["file"], "w+", WORD_DTYPE, (common["images"], *common["shape"]))
        super().__init__(wait=wait, **common)


class StateSink(_Sink):
    """Potentials of a readout.

    Args:
        at: local step whose potential is kept.
    """

    def __init__(self, *, at: int, **common: Any) -> None:
        open_memmap(common["file"], "w+", np.int32, (common["images"], *common["shape"]))
        super().__init__(at=at, **common)


class _SinkModel(PyLoihiProcessModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.options = {k: proc_params[k] for k in ("file", "images", "start", "period", "delay")}
        self.kept: NDArray[Any] | None = None

    def place(self) -> tuple[int, int]:
        """(image, local step) that the message of this step belongs to."""
        o = self.options
        window, t = divmod(self.time_step - o["delay"] - o["start"] - 1, o["period"])
        return window - 1, t + 1

    def file(self) -> NDArray[Any]:
        if self.kept is None:
            self.kept = np.load(self.options["file"], mmap_mode="r+")
        return self.kept


@implements(proc=SpikeSink, protocol=LoihiProtocol)
@requires(CPU)
class PySpikeSinkModel(_SinkModel):
    """Keeps the phase of the first spike of every neuron and window."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.wait = proc_params["wait"]

    def run_spk(self) -> None:
        """Receive the spikes of one step."""
        spikes = self.a_in.recv()
        image, t = self.place()
        if not 0 <= image < self.options["images"] or not spikes.any():
            return
        phases = self.file()[image]
        new = (spikes != 0) & (phases == 0)
        phases[new] = (np.sign(spikes) * (t - self.wait))[new]


@implements(proc=StateSink, protocol=LoihiProtocol)
@requires(CPU)
class PyStateSinkModel(_SinkModel):
    """Keeps the sign-extended potentials of one local step of every window."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.at = proc_params["at"]

    def run_spk(self) -> None:
        """Receive the potentials of one step."""
        v = self.a_in.recv()
        image, t = self.place()
        if 0 <= image < self.options["images"] and t == self.at:
            self.file()[image] = sign_extended(v)


MODELS: dict[type, type] = {SpikeSink: PySpikeSinkModel, StateSink: PyStateSinkModel}
