"""One network on one backend: run it, find the delays of the adapters, and compare every step with what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def run(
        self,
        codes: NDArray[np.integer],
        expected: StepTrace,
        choice: DelayChoice,
        prepared: Callable[[StepTrace], StepTrace] = lambda trace: trace,
    ) -> BoardRun:
        """Run images with every delay of the choice until one run is equal to what is expected.

        Each delay of the input adapter takes a run of its own; those towards the host are found in what came back.

        Args:
            codes: (N, *input shape) input codes.
            expected: Spikes and potentials of the populations to be read, step by step.
            choice: Delays that the adapters may have.
            prepared: Applied to a trace before it is compared, where not all of it counts.

        Returns:
            The first run that is equal; where there is none, the one with the fewest differing values.
        """
        probes = Probes(tuple(expected.spikes), tuple(expected.v))
        names = [p.name for p in self.network.populations]
        steps = steps_of_run(self.network, len(codes), choice.longest())
        best: tuple[int, BoardRun] | None = None
        for input_delay in choice.inputs():
            stream = input_stream(self.network, codes, input_delay)
            backend = self.entry.make(self.settings)
            backend.allocate(self.network, probes)
            backend.load(self.programs)
            backend.step(stream, steps, self.progress)
            record = backend.read()
            for delays in choice.outputs(input_delay):
                trace = windows_of(record, self.network, len(codes), delays)
                differences = tuple(step_differences(prepared(expected), prepared(trace), names))
                run = BoardRun(trace, delays, differences)
                if not differences:
                    return run
                count = sum(d.count for d in differences)
                if best is None or count < best[0]:
                    best = (count, run)
        assert best is not None, "a choice has at least one delay"
        return best[1]

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
