"""The stand-in for a board: the published instruction set on the interpreter, behind adapters with delays of their own.

It shows the whole path without a board and without Lava. How it reads the instructions and what its adapters add can be
set, so that a run shows what another reading would look like (docs/bringup.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from loihi_onespike.boards.deployment.backends.board_backend import (
    BackendEntry,
    BoardBackend,
    BoardRecord,
    BoardSettings,
    InputStream,
    Probes,
    Progress,
    Readings,
)
from loihi_onespike.boards.deployment.delays import AdapterDelays
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.errors import DeploymentError
from loihi_onespike.executors.microcode.machine import MicrocodeMachine
from loihi_onespike.microcode.semantics import READ_AS_STATED, Semantics


class StandInBoard(BoardBackend):
    """A board whose cores are interpreters.

    Args:
        settings: Not used, since nothing has to be reached.
        semantics: How its cores read the instructions.
        delays: Steps that its adapters add.
    """

    def __init__(
        self,
        settings: BoardSettings | None = None,
        semantics: Semantics = READ_AS_STATED,
        delays: AdapterDelays | None = None,
    ) -> None:
        self.semantics, self.delays = semantics, delays or AdapterDelays()
        self.network: Network | None = None
        self.machine: MicrocodeMachine | None = None

    def allocate(self, network: Network, probes: Probes) -> None:
        self.network, self.probes = network, probes

    def load(self, programs: Mapping[str, Path]) -> None:
        # No file is read: files hold what only Intel's tools can read. The programs are written from the network.
        assert self.network is not None, "allocate comes first"
        self.machine = MicrocodeMachine(self.network, semantics=self.semantics)

    def step(self, stream: InputStream, steps: int, progress: Progress | None = None) -> None:
        assert self.network is not None and self.machine is not None, "load comes first"
        shapes = {p.name: p.shape for p in self.network.populations}

        def zeros(names: tuple[str, ...]) -> dict[str, np.ndarray]:
            return {name: np.zeros((steps, *shapes[name]), np.int32) for name in names}

        self.record = BoardRecord(zeros(self.probes.spikes), zeros(self.probes.v))
        for step in range(1, steps + 1):
            sent = self.machine.step(stream.frame(step - self.delays.input))
            for name, rows in self.record.spikes.items():
                _arrive(rows, step + self.delays.spikes, sent[name])
            for name, rows in self.record.v.items():
                _arrive(rows, step + self.delays.state, self.machine.potential(name))
            if progress is not None:
                progress(step, steps)

    def read(self) -> BoardRecord:
        return self.record

    def measure(
        self, stream: InputStream, steps: int, compute_only: bool, progress: Progress | None = None
    ) -> Readings:
        raise DeploymentError("stand-in: has no time and energy of a board to measure; leave out --profile")


def _arrive(rows: np.ndarray, step: int, values: np.ndarray) -> None:
    if step <= len(rows):
        rows[step - 1] = values.reshape(rows.shape[1:])


STAND_IN = BackendEntry(
    "stand-in",
    "the microcode interpreter in place of a board",
    StandInBoard,
    where="the stand-in board",
    takes_programs=False,
)
