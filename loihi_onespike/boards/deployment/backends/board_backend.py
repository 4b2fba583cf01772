"""The protocol of a board, or of what stands in for one, and the entry by which deployment finds it.

    backend = entry.make(settings)
    backend.allocate(network, probes)     cores, and channels for what is read back
    backend.load(programs)                program, constants and initial state of every population
    backend.step(stream, steps)           steps 1 … steps, while the host sends the stream
    record = backend.read()               what came back, one row per step of the host
    backend.measure(stream, steps, …)     time and energy, in place of step and read

A backend knows neither images nor windows of its populations nor the oracle: it is given spikes for every step and
returns what arrives in every step. Cutting windows, finding the delays of the adapters and comparing are the same for
all of them (`deployment.windows`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.access import DEFAULT_STEPPING, Access, Slurm
from loihi_onespike.boards.deployment.backends.check import Check
from loihi_onespike.core.graphs.network import InputPopulation, Network
from loihi_onespike.core.trace import Trace

Progress: TypeAlias = "Callable[[int, int], None]"
"""Callback, called with (steps done, steps of the whole run)."""
Readings: TypeAlias = "dict[str, float | None]"
"""Mean power in W, energy in J, numbers of chips and the execution time in s, by the names of
`deployment.measurement`; None for what a board does not measure."""


@dataclass(frozen=True)
class BoardSettings:
    """How a board is reached, whatever it is.

    Attributes:
        access: The way to it.
        stepping: Stepping of its chips, one of `access.STEPPINGS`.
        timeout_s: Time limit of each run in s, waiting for the board included; None for no limit.
    """

    access: Access = field(default_factory=Slurm)
    stepping: str = DEFAULT_STEPPING
    timeout_s: float | None = None


@dataclass(frozen=True)
class Probes:
    """What is read back.

    Attributes:
        spikes: Names of the populations whose spikes are read.
        v: Names of the populations whose potentials are read after every step.
    """

    spikes: tuple[str, ...]
    v: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class InputStream:
    """Spikes that the host sends: image n during the n-th window after `start` steps, nothing before and after.

    Attributes:
        source: Input population, whose code says what the codes mean.
        codes: (N, *shape) input codes.
        period: Steps of a window.
        start: Steps before the first window.
    """

    source: InputPopulation
    codes: NDArray[np.integer]
    period: int
    start: int

    def frame(self, step: int) -> NDArray[np.int8]:
        """(*shape) messages of one step: 0 for no spike, 1 without payload.

        Args:
            step: Step of the host, from 1.
        """
        image, t = divmod(step - self.start - 1, self.period)
        if not 0 <= image < len(self.codes) or t + 1 > self.source.timesteps:
            return np.zeros(self.source.shape, np.int8)
        return self.source.code.spikes(self.codes[image], t + 1).astype(np.int8)


@dataclass(frozen=True, eq=False)
class BoardRecord:
    """What came back from a board. Row i holds what reached the host in its step i + 1.

    Attributes:
        spikes: (steps, *shape) messages of the spikes of the probed populations, 0 for none, by name.
        v: (steps, *shape) potentials of the probed populations, with their sign, by name.
    """

    spikes: Mapping[str, NDArray[np.int32]]
    v: Mapping[str, NDArray[np.int32]]


class BoardBackend(Protocol):
    """One network on one board; the methods are called in the order in which they stand here.

    Each of them may raise DeploymentError with what is wrong and what to do about it.
    """

    def allocate(self, network: Network, probes: Probes) -> None:
        """Reserve cores for the populations and synapses of a network, and channels for what is read back."""

    def load(self, programs: Mapping[str, Path]) -> None:
        """Load every population with its program, constants and initial state.

        Args:
            programs: Program file of every population but the input, by name; empty for a backend that writes its
                programs itself.
        """

    def step(self, stream: InputStream, steps: int, progress: Progress | None = None) -> None:
        """Run steps 1 … steps, while the host sends the spikes of a stream.

        Args:
            stream: Spikes that the host sends.
            steps: Number of steps.
            progress: Called with (steps done, steps of the whole run).
        """

    def read(self) -> BoardRecord:
        """What the probed populations sent and held in the steps of `step`."""

    def measure(
        self, stream: InputStream, steps: int, compute_only: bool, progress: Progress | None = None
    ) -> Readings:
        """Measure time and energy of a run of its own, in which nothing is read back.

        Args:
            stream: Spikes that the host sends.
            steps: Number of steps.
            compute_only: Replay the first image of the stream from the chip, with the host out of the loop.
            progress: Called with (steps done, steps of the whole run).
        """


@dataclass(frozen=True)
class Rehearsal:
    """A run that a backend offers where there is no board.

    Attributes:
        where: What runs, as reports name it.
        why_not: The reason why it cannot run here and what to do about it; None when it can.
        run: (network, codes, time limit in s, progress) → trace.
    """

    where: str
    why_not: Callable[[], str | None]
    run: Callable[[Network, NDArray[np.integer], float | None, Progress | None], Trace]


def no_software() -> Sequence[Check]:
    """The software that a backend needs which needs none."""
    return ()


def no_requirements(network: Network, settings: BoardSettings) -> Sequence[Check]:
    """The requirements of a backend that takes every network."""
    return ()


@dataclass(frozen=True)
class BackendEntry:
    """A backend in the list of all backends.

    Attributes:
        name: Name on the command line.
        summary: What it is, for messages.
        make: Makes a backend for one network.
        where: What runs, as reports name it.
        takes_programs: The user supplies program files; otherwise the backend writes the programs itself.
        software: Checks of the packages that it needs, answered at once.
        requirements: Checks of a network and of the way to the board.
        rehearsal: What a dry run runs; None for the microcode interpreter.
    """

    name: str
    summary: str
    make: Callable[[BoardSettings], BoardBackend]
    where: str = "board"
    takes_programs: bool = True
    software: Callable[[], Sequence[Check]] = no_software
    requirements: Callable[[Network, BoardSettings], Sequence[Check]] = no_requirements
    rehearsal: Rehearsal | None = None
