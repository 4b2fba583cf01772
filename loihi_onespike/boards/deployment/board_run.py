"""One network on one backend: run it, find the delays of the adapters, and compare every step with what is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.backends.board_backend import BackendEntry, BoardSettings, Probes, Progress
from loihi_onespike.boards.deployment.delays import AdapterDelays, DelayChoice
from loihi_onespike.boards.deployment.windows import input_stream, steps_of_run, windows_of
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.step_trace import StepDifference, StepTrace, step_differences


@dataclass(frozen=True, eq=False)
class BoardRun:
    """What a network did on a board.

    Attributes:
        trace: Spikes and potentials of the probed populations in every step of the images' windows.
        delays: Delays of the adapters with which the trace was cut.
        differences: Where it differs from what is expected, the first population first; empty when it is equal.
    """

    trace: StepTrace
    delays: AdapterDelays
    differences: tuple[StepDifference, ...]

    @property
    def first(self) -> str:
        """The first difference in words; empty when there is none."""
        return str(self.differences[0]) if self.differences else ""


@dataclass(frozen=True)
class BoardSession:
    """A backend with the settings and programs of a network.

    Attributes:
        entry: The backend.
        settings: How the board is reached.
        network: The network.
        programs: Program files by population; empty for a backend that writes its own.
        progress: Called with (steps done, steps of the whole run).
    """

    entry: BackendEntry
    settings: BoardSettings
    network: Network
    programs: Mapping[str, Path]
    progress: Progress | None = None

    def attempts(
        self,
        codes: NDArray[np.integer],
        expected: StepTrace,
        choice: DelayChoice,
        prepared: Callable[[StepTrace], StepTrace] = lambda trace: trace,
    ) -> Iterator[BoardRun]:
        """Run images, and cut what came back with every delay of the choice.

        Each delay of the input adapter takes a run of its own; those towards the host are applied to what came back.

        Args:
            codes: (N, *input shape) input codes.
            expected: Spikes and potentials of the populations to be read, step by step.
            choice: Delays that the adapters may have.
            prepared: Applied to a trace before it is compared, where not all of it counts.
        """
        probes = Probes(tuple(expected.spikes), tuple(expected.v))
        names = [p.name for p in self.network.populations]
        steps = steps_of_run(self.network, len(codes), choice.longest())
        for input_delay in choice.inputs():
            backend = self.entry.make(self.settings)
            backend.allocate(self.network, probes)
            backend.load(self.programs)
            backend.step(input_stream(self.network, codes, input_delay), steps, self.progress)
            record = backend.read()
            for delays in choice.outputs(input_delay):
                trace = windows_of(record, self.network, len(codes), delays)
                yield BoardRun(trace, delays, tuple(step_differences(prepared(expected), prepared(trace), names)))

    def run(
        self,
        codes: NDArray[np.integer],
        expected: StepTrace,
        choice: DelayChoice,
        prepared: Callable[[StepTrace], StepTrace] = lambda trace: trace,
    ) -> BoardRun:
        """The first of `attempts` that is equal; where there is none, the one with the fewest differing values.

        Args:
            codes, expected, choice, prepared: As for `attempts`.
        """
        return first_equal(self.attempts(codes, expected, choice, prepared))

    def measure(
        self, codes: NDArray[np.integer], steps: int, delays: AdapterDelays, compute_only: bool
    ) -> dict[str, float | None]:
        """Measure time and energy in a run of its own, with the images over and over and nothing read back.

        Args:
            codes: (N, *input shape) input codes.
            steps: Length of the run.
            delays: Delays of the adapters.
            compute_only: Replay the first image from the chip.
        """
        images = -(-steps // self.network.period_steps)
        repeated = np.resize(codes, (images, *codes.shape[1:]))
        backend = self.entry.make(self.settings)
        backend.allocate(self.network, Probes((), ()))
        backend.load(self.programs)
        return backend.measure(input_stream(self.network, repeated, delays.input), steps, compute_only, self.progress)


def first_equal(attempts: Iterable[BoardRun]) -> BoardRun:
    """The first run that is equal; where there is none, the one with the fewest differing values.

    Args:
        attempts: At least one run.
    """
    seen = []
    for attempt in attempts:
        if not attempt.differences:
            return attempt
        seen.append(attempt)
    return min(seen, key=lambda run: sum(d.count for d in run.differences))
